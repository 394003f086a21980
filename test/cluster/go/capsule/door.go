package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// mapping forwards what arrives at listen (in the caller's namespace) to target (in the cluster's).
type mapping struct {
	listen string
	target netip.AddrPort
}

// mappings collects repeated --map flags.
type mappings []mapping

// String is part of flag.Value.
func (m *mappings) String() string { return fmt.Sprint(*m) }

// Set parses one LISTEN=TARGET. Both are IP:PORT: a door resolves no names, and it listens on loopback addresses only,
// because whoever reaches it is inside the cluster.
func (m *mappings) Set(text string) error {
	listen, target, found := strings.Cut(text, "=")
	if !found {
		return errors.New("expects LISTEN=TARGET, each IP:PORT")
	}
	from, err := netip.ParseAddrPort(listen)
	if err != nil {
		return fmt.Errorf("listen address: %w", err)
	}
	if !from.Addr().IsLoopback() {
		return fmt.Errorf("listen address %s is not a loopback address", from)
	}
	to, err := netip.ParseAddrPort(target)
	if err != nil {
		return fmt.Errorf("target address: %w", err)
	}
	*m = append(*m, mapping{listen: from.String(), target: to})
	return nil
}

// runDoor listens, writes the addresses it got as one line of JSON (port 0 asks for a free one), and forwards until the
// process whose namespace it leads into has ended.
func runDoor(args []string, out io.Writer) error {
	var maps mappings
	flags := flag.NewFlagSet("door", flag.ContinueOnError)
	pid := flags.Int("pid", 0, "process whose network namespace the door leads into; the door closes when it ends")
	flags.Var(&maps, "map", "LISTEN=TARGET, each IP:PORT; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *pid <= 0 || len(maps) == 0 {
		return errors.New("--pid and at least one --map are needed")
	}
	pidfd, err := unix.PidfdOpen(*pid, 0)
	if err != nil {
		return fmt.Errorf("process %d: %w", *pid, err)
	}
	inside, err := openNamespace(*pid)
	if err != nil {
		return err
	}
	var addresses []string
	for _, m := range maps {
		listener, err := net.Listen("tcp", m.listen)
		if err != nil {
			return err
		}
		addresses = append(addresses, listener.Addr().String())
		go serve(listener, inside, m.target.String())
	}
	if err := json.NewEncoder(out).Encode(addresses); err != nil {
		return err
	}
	return waitForExit(pidfd)
}

// waitForExit returns when the process behind pidfd has ended: its descriptor becomes readable then.
func waitForExit(pidfd int) error {
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
		if err != unix.EINTR {
			return err
		}
	}
}
