// Package netpol enforces NetworkPolicy for the pods of one node with one nft table.
package netpol

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// settle gathers the changes of one moment into one table.
	settle = 20 * time.Millisecond
	// retry is the pause after nft refused a table.
	retry = time.Second
)

// Run keeps the node's table in step with the cluster's pods, namespaces and policies until ctx ends, then removes it.
func Run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("netpol", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig of a user who may watch pods, namespaces and networkpolicies")
	node := flags.String("node", "", "name of this node")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kubeconfig == "" || *node == "" {
		return errors.New("netpol: --kubeconfig and --node are needed")
	}
	source, err := newSource(ctx, *kubeconfig)
	if err != nil {
		return err
	}
	applied := ""
	for {
		select {
		case <-ctx.Done():
			return exec.Command("nft", "delete", "table", "inet", table).Run()
		case <-source.changed:
		}
		wanted, err := source.render(*node)
		if err == nil && wanted != applied {
			err = apply(wanted)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			time.Sleep(retry)
			source.mark()
			continue
		}
		applied = wanted
		time.Sleep(settle)
	}
}

// apply replaces the table in one transaction.
func apply(rules string) error {
	started := time.Now()
	command := exec.Command("nft", "-f", "-")
	command.Stdin = strings.NewReader(rules)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w %s\n%s", err, out, rules)
	}
	fmt.Fprintf(os.Stderr, "%s applied %d bytes in %s\n", started.Format(time.RFC3339Nano), len(rules), time.Since(started))
	return nil
}

// source is a cached view of the cluster and a mark that something in it changed.
type source struct {
	factory informers.SharedInformerFactory
	changed chan struct{}
}

func newSource(ctx context.Context, kubeconfig string) (*source, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	s := &source{factory: informers.NewSharedInformerFactory(client, 0), changed: make(chan struct{}, 1)}
	onChange := cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { s.mark() }, UpdateFunc: func(any, any) { s.mark() }, DeleteFunc: func(any) { s.mark() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		s.factory.Core().V1().Pods().Informer(),
		s.factory.Core().V1().Namespaces().Informer(),
		s.factory.Networking().V1().NetworkPolicies().Informer(),
	} {
		if _, err := informer.AddEventHandler(onChange); err != nil {
			return nil, err
		}
	}
	s.factory.Start(ctx.Done())
	s.factory.WaitForCacheSync(ctx.Done())
	return s, nil
}

// mark asks for one more look; marks that nobody has seen yet are one.
func (s *source) mark() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *source) render(node string) (string, error) {
	pods, podsErr := s.factory.Core().V1().Pods().Lister().List(labels.Everything())
	namespaces, namespacesErr := s.factory.Core().V1().Namespaces().Lister().List(labels.Everything())
	policies, policiesErr := s.factory.Networking().V1().NetworkPolicies().Lister().List(labels.Everything())
	if err := errors.Join(podsErr, namespacesErr, policiesErr); err != nil {
		return "", err
	}
	return Render(node, pods, namespaces, policies), nil
}
