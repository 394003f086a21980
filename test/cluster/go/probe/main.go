// Command probe is what pods of the cluster's own tests run: one static file that looks at the world from inside a pod.
//
//	probe serve PORT           answers every HTTP request with this pod's host name, until it is stopped
//	probe get URL              prints the answer to a GET; fails when there is none within three seconds
//	probe connect ADDRESS      fails unless a TCP connection stands within three seconds
//	probe resolve NAME         prints a name's addresses
//	probe write FILE MEBIBYTES writes that much and prints how much fitted; fails with the system's reason
//	probe stat PATH            prints uid, gid and mode
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long an address may take to answer before it counts as closed.
const patience = 3 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: probe serve|get|connect|resolve|write|stat ARGUMENT...")
	}
	switch args[0] {
	case "serve":
		return serve(args[1])
	case "get":
		return get(args[1])
	case "connect":
		connection, err := net.DialTimeout("tcp", args[1], patience)
		if err == nil {
			connection.Close()
		}
		return err
	case "resolve":
		addresses, err := net.DefaultResolver.LookupHost(context.Background(), args[1])
		fmt.Println(strings.Join(addresses, " "))
		return err
	case "write":
		return write(args[1], args[2:])
	case "stat":
		return stat(args[1])
	}
	return fmt.Errorf("unknown command %q", args[0])
}

func serve(port string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: ":" + port, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _ := os.Hostname()
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprintln(w, name)
	})}
	context.AfterFunc(ctx, func() { server.Close() })
	fmt.Println("serving")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func get(url string) error {
	client := http.Client{Timeout: patience}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

func write(path string, rest []string) error {
	if len(rest) != 1 {
		return errors.New("usage: probe write FILE MEBIBYTES")
	}
	mebibytes, err := strconv.Atoi(rest[0])
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 1<<20)
	for i := range mebibytes {
		if _, err := file.Write(block); err != nil {
			fmt.Println(i)
			return err
		}
	}
	fmt.Println(mebibytes)
	return file.Sync()
}

func stat(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	fmt.Println(owner.Uid, owner.Gid, info.Mode())
	return nil
}
