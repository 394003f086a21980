// Command kube holds a whole Kubernetes in one file: control plane, node, DNS, policy enforcer, kubectl and helm.
//
// The component is named by the first argument, or by the name the file is called under (a link named kubectl is
// kubectl), so that tools which want a path to an executable get one.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"hatchery.openagents.com/test/cluster/kube/netpol"
	helmcmd "helm.sh/helm/v4/pkg/cmd"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	name := filepath.Base(os.Args[0])
	if !isComponent(name) {
		if len(os.Args) < 2 || !isComponent(os.Args[1]) {
			fmt.Fprintln(os.Stderr, "usage: kube COMPONENT [flags]")
			os.Exit(2)
		}
		name = os.Args[1]
		os.Args = append([]string{name}, os.Args[2:]...)
	}
	if err := run(name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// isComponent tells whether run knows the name.
func isComponent(name string) bool {
	switch name {
	case "etcd", "coredns", "netpol", "helm", "kubectl", "kubelet", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler":
		return true
	}
	return false
}

// run is the component's own main. Most end the process themselves.
func run(name string) error {
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "coredns":
		runCoreDNS()
	case "netpol":
		return netpol.Run(signalContext(), os.Args[1:])
	case "helm":
		command, err := helmcmd.NewRootCmd(os.Stdout, os.Args[1:], helmcmd.SetupLogging)
		if err != nil {
			return err
		}
		return command.Execute()
	default:
		os.Exit(cli.Run(command(name)))
	}
	return nil
}

// command is the cobra command of a Kubernetes component.
func command(name string) *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		return kcm.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kube-proxy":
		return kubeproxy.NewProxyCommand()
	case "kubelet":
		return kubelet.NewKubeletCommand(signalContext())
	default:
		return kubectl.NewDefaultKubectlCommand()
	}
}

// signalContext ends on SIGTERM or SIGINT. Only components without a handler of their own may call it: whoever asks for
// a signal takes away its default, and kube-proxy and kube-controller-manager would then survive SIGTERM.
func signalContext() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	return ctx
}
