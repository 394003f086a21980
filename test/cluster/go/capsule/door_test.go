package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDoorsInRefuseWhatIsNoLoopbackAddress(t *testing.T) {
	for _, text := range []string{"127.0.0.1:0", "0.0.0.0:80=10.0.0.1:80", "localhost:80=10.0.0.1:80", "127.0.0.1:80=name:80", "10.0.0.1:1=10.0.0.1:80"} {
		if err := (&mappings{check: checkIn}).Set(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	good := mappings{check: checkIn}
	if err := good.Set("127.0.0.1:0=10.96.0.1:443"); err != nil || good.all[0].target != "10.96.0.1:443" {
		t.Errorf("got %v, %v", good, err)
	}
}

func TestDoorsOutLeadToOneHostAndPort(t *testing.T) {
	for _, text := range []string{"10.0.0.1:80", "name:80=10.0.0.1:80", "10.0.0.1:80=name", "10.0.0.1:80=:80", "10.0.0.1:80=name:"} {
		if err := (&mappings{check: checkOut}).Set(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	good := mappings{check: checkOut}
	if err := good.Set("10.200.0.2:443=models.example.org:443"); err != nil || good.all[0].target != "models.example.org:443" {
		t.Errorf("got %v, %v", good, err)
	}
}

// A server that answers only after it saw the end of the request gets both: the end of the input, and an open way back.
func TestJoinPassesHalfClose(t *testing.T) {
	inside, err := openNamespace(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	backend := listen(t)
	go func() {
		connection, err := backend.Accept()
		if err != nil {
			return
		}
		text, _ := io.ReadAll(connection)
		_, _ = connection.Write(bytes.ToUpper(text))
		connection.Close()
	}()
	front := listen(t)
	go serve(front, func() (net.Conn, error) { return inside.dial(backend.Addr().String()) })
	client, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = client.Write([]byte("hello"))
	_ = client.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(client)
	if err != nil || string(answer) != "HELLO" {
		t.Fatalf("got %q, %v", answer, err)
	}
}

// Where nobody listens inside, the client is refused, not left waiting.
func TestServeResetsWhenNobodyListens(t *testing.T) {
	inside, err := openNamespace(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	gone := listen(t)
	gone.Close()
	front := listen(t)
	go serve(front, func() (net.Conn, error) { return inside.dial(gone.Addr().String()) })
	// The reset may be there before the client is done connecting.
	client, err := net.Dial("tcp", front.Addr().String())
	if err == nil {
		_, err = client.Read(make([]byte, 1))
	}
	if !errors.Is(err, unix.ECONNRESET) {
		t.Fatalf("expected a reset, got %v", err)
	}
}

func listen(t *testing.T) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}
