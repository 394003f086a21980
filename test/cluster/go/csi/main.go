// Command csi is a storage driver for test clusters: every volume is a sparse file with an XFS in it, mounted through a
// loop device. So volumes have a real size (a full one says ENOSPC), grow while in use, and take an fsGroup.
//
// It runs once as controller, and once on every node. All share one folder, so a volume can follow its pod to any node.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	pluginregistration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

func main() {
	dir := flag.String("dir", "", "folder of the volumes, the same for all instances of the driver")
	name := flag.String("name", "", "name of the driver")
	node := flag.String("node", "", "name of this node; empty for the controller")
	socket := flag.String("socket", "", "socket of the CSI services")
	registration := flag.String("registration", "", "socket in the kubelet's plugins_registry; only on a node")
	flag.Parse()
	if err := run(*dir, *name, *node, *socket, *registration); err != nil {
		fmt.Fprintln(os.Stderr, "csi:", err)
		os.Exit(1)
	}
}

func run(dir, name, node, socket, registration string) error {
	if dir == "" || name == "" || socket == "" {
		return fmt.Errorf("--dir, --name and --socket are needed")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ended := make(chan error, 2)
	volumes := store{dir: dir}
	go func() {
		ended <- serve(socket, func(server *grpc.Server) {
			csi.RegisterIdentityServer(server, identity{name: name})
			if node == "" {
				csi.RegisterControllerServer(server, &controller{volumes: volumes})
			} else {
				csi.RegisterNodeServer(server, nodeServer{volumes: volumes, name: node})
			}
		})
	}()
	if registration != "" {
		go func() {
			ended <- serve(registration, func(server *grpc.Server) {
				pluginregistration.RegisterRegistrationServer(server, registrar{name: name, socket: socket})
			})
		}()
	}
	return <-ended
}

// serve answers on a unix socket and logs what fails.
func serve(socket string, register func(*grpc.Server)) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return err
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(logFailure))
	register(server)
	return server.Serve(listener)
}

func logFailure(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	response, err := handle(ctx, request)
	if err != nil {
		fmt.Fprintln(os.Stderr, info.FullMethod, err)
	}
	return response, err
}
