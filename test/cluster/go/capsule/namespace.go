package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// dialTimeout bounds a connect to an address inside that does not answer.
const dialTimeout = 30 * time.Second

// namespace is a network namespace to dial in. It stays valid after the process it was taken from ended.
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

// dial connects to an IP:PORT inside. A socket belongs to the namespace of the thread that makes it, so the goroutine
// keeps a thread to itself until that thread is back outside; where it cannot get back, the thread ends with it.
func (n *namespace) dial(address string) (net.Conn, error) {
	type result struct {
		connection net.Conn
		err        error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(n.inside.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{err: fmt.Errorf("enter the network namespace: %w", err)}
			return
		}
		connection, err := net.DialTimeout("tcp", address, dialTimeout)
		if unix.Setns(int(n.outside.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- result{connection, err}
	}()
	r := <-done
	return r.connection, r.err
}
