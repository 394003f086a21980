package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// dialTimeout bounds a connect to an address that does not answer.
const dialTimeout = 30 * time.Second

// namespace is a network namespace to dial and listen in. It stays valid after the process it was taken from ended.
type namespace struct{ outside, inside *os.File }

// openNamespace opens the caller's network namespace and that of process pid.
func openNamespace(pid int) (*namespace, error) {
	outside, err := os.Open("/proc/self/ns/net")
	if err != nil {
		return nil, err
	}
	inside, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, err
	}
	return &namespace{outside: outside, inside: inside}, nil
}

// dial connects to an IP:PORT inside.
func (n *namespace) dial(address string) (connection net.Conn, err error) {
	entered := n.enter(func() { connection, err = net.DialTimeout("tcp", address, dialTimeout) })
	return connection, errors.Join(entered, err)
}

// listen listens at an IP:PORT inside.
func (n *namespace) listen(address string) (listener net.Listener, err error) {
	entered := n.enter(func() { listener, err = net.Listen("tcp", address) })
	return listener, errors.Join(entered, err)
}

// enter calls work inside. A socket belongs to the namespace of the thread that makes it, so the goroutine keeps a thread
// to itself until that thread is back outside; where it cannot get back, the thread ends with it.
func (n *namespace) enter(work func()) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(n.inside.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter the network namespace: %w", err)
			return
		}
		work()
		if unix.Setns(int(n.outside.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- nil
	}()
	return <-done
}
