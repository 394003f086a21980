package main

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// runInit reaps every child handed to the first process of a PID namespace and returns on SIGTERM or SIGINT. It says
// "ready" once it listens to signals, so that whoever started it may enter the namespaces.
func runInit() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGCHLD, unix.SIGTERM, unix.SIGINT)
	fmt.Println("ready")
	for received := range signals {
		if received != unix.SIGCHLD {
			return
		}
		reap()
	}
}

// reap collects all children that ended: signals are merged by the kernel, so one SIGCHLD may stand for many.
func reap() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if pid <= 0 {
			return
		}
	}
}
