package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// serve forwards every connection of listener to what dial gives until the listener is closed.
func serve(listener net.Listener, dial func() (net.Conn, error)) {
	for {
		client, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "accept:", err)
			return
		}
		go func() {
			server, err := dial()
			if err != nil {
				fmt.Fprintln(os.Stderr, "dial:", err)
				reset(client)
				return
			}
			join(client, server)
		}()
	}
}

// join copies both ways. The end of one direction is passed on alone, since the other may still have much to say; a
// failure resets both, so that each side sees what it would have seen without a door.
func join(client, server net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			_, err := io.Copy(way[1], way[0])
			if err == nil {
				err = way[1].(*net.TCPConn).CloseWrite()
			}
			if err != nil {
				reset(client)
				reset(server)
			}
		})
	}
	both.Wait()
	client.Close()
	server.Close()
}

// reset closes a connection with RST instead of FIN.
func reset(connection net.Conn) {
	_ = connection.(*net.TCPConn).SetLinger(0)
	connection.Close()
}
