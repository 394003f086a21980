// Command capsule holds a cluster's namespaces together, lets the host in, and lets out to where the host allows.
//
//	capsule init NAME               first process of a PID namespace: adopts and reaps orphans until it is killed
//	capsule door --pid PID ...      forwards TCP between the host and the network namespace of process PID
//
// Without arguments it is `init`, so that an image with this one file is a pod's pause container.
package main

import (
	"fmt"
	"os"
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 || args[0] == "init" {
		runInit()
		return
	}
	if args[0] != "door" {
		fmt.Fprintf(os.Stderr, "capsule: unknown command %q (init or door)\n", args[0])
		os.Exit(2)
	}
	if err := runDoor(args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "capsule door:", err)
		os.Exit(1)
	}
}
