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

// mapping forwards what arrives at listen to target: one is an address of the host, the other one of the cluster.
type mapping struct{ listen, target string }

// mappings collects repeated flags, each of which check has to accept.
type mappings struct {
	all   []mapping
	check func(mapping) error
}

// String is part of flag.Value.
func (m *mappings) String() string { return fmt.Sprint(m.all) }

// Set parses one LISTEN=TARGET.
func (m *mappings) Set(text string) error {
	listen, target, found := strings.Cut(text, "=")
	if !found {
		return errors.New("expects LISTEN=TARGET")
	}
	one := mapping{listen: listen, target: target}
	if err := m.check(one); err != nil {
		return err
	}
	m.all = append(m.all, one)
	return nil
}

// checkIn: a door into the cluster resolves no names, and it listens on loopback addresses only, because whoever reaches
// it is inside.
func checkIn(m mapping) error {
	from, err := netip.ParseAddrPort(m.listen)
	if err != nil {
		return fmt.Errorf("listen address: %w", err)
	}
	if !from.Addr().IsLoopback() {
		return fmt.Errorf("listen address %s is not a loopback address", from)
	}
	if _, err := netip.ParseAddrPort(m.target); err != nil {
		return fmt.Errorf("target address: %w", err)
	}
	return nil
}

// checkOut: a door out of the cluster listens at one address inside. Its target may have a name, which the host resolves
// at every connection.
func checkOut(m mapping) error {
	if _, err := netip.ParseAddrPort(m.listen); err != nil {
		return fmt.Errorf("listen address: %w", err)
	}
	if host, port, err := net.SplitHostPort(m.target); err != nil || host == "" || port == "" {
		return fmt.Errorf("target %q is no HOST:PORT", m.target)
	}
	return nil
}

// runDoor listens, writes the addresses it got as one line of JSON (port 0 asks for a free one), and forwards until the
// process whose namespace it leads into or out of has ended.
func runDoor(args []string, out io.Writer) error {
	inward, outward := mappings{check: checkIn}, mappings{check: checkOut}
	flags := flag.NewFlagSet("door", flag.ContinueOnError)
	pid := flags.Int("pid", 0, "process whose network namespace is the inside; the door closes when it ends")
	flags.Var(&inward, "map", "LISTEN=TARGET, each IP:PORT, from the host to the inside; may be repeated")
	flags.Var(&outward, "out", "LISTEN=TARGET, IP:PORT inside to HOST:PORT as the host finds it; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *pid <= 0 || len(inward.all)+len(outward.all) == 0 {
		return errors.New("--pid and at least one --map or --out are needed")
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
	for _, m := range inward.all {
		listener, err := net.Listen("tcp", m.listen)
		if err != nil {
			return err
		}
		addresses = append(addresses, listener.Addr().String())
		go serve(listener, func() (net.Conn, error) { return inside.dial(m.target) })
	}
	for _, m := range outward.all {
		listener, err := inside.listen(m.listen)
		if err != nil {
			return err
		}
		addresses = append(addresses, listener.Addr().String())
		go serve(listener, func() (net.Conn, error) { return net.DialTimeout("tcp", m.target, dialTimeout) })
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
