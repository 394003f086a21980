package netpol

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// peerMatch is the address part of a rule; pod is set where a named port has to be looked up in the peer itself.
type peerMatch struct {
	expression string
	pod        *corev1.Pod
}

// render gives the matches of one policy rule: every peer with every port. key is the address a peer stands at (saddr
// or daddr); subject is the pod whose container ports a name refers to, nil where it is the peer's own.
func (w *world) render(key string, peers []netv1.NetworkPolicyPeer, ports []netv1.NetworkPolicyPort, namespace string, subject *corev1.Pod) []string {
	lookUp := subject == nil && slices.ContainsFunc(ports, isNamed)
	var rules []string
	for _, match := range w.peers(key, peers, namespace, lookUp) {
		owner := subject
		if owner == nil {
			owner = match.pod
		}
		for _, port := range portMatches(ports, owner) {
			rules = append(rules, strings.TrimSpace(match.expression+" "+port))
		}
	}
	return rules
}

// peers gives one match for each peer; no peers at all means everyone.
func (w *world) peers(key string, peers []netv1.NetworkPolicyPeer, namespace string, onePerPod bool) []peerMatch {
	if len(peers) == 0 {
		return []peerMatch{{}}
	}
	var found []peerMatch
	for _, peer := range peers {
		if peer.IPBlock != nil {
			if !strings.Contains(peer.IPBlock.CIDR, ":") {
				found = append(found, peerMatch{expression: ipBlock(key, peer.IPBlock)})
			}
			continue
		}
		var addresses []string
		for _, pod := range w.pods {
			if !w.selects(&peer, namespace, pod) {
				continue
			}
			if onePerPod {
				found = append(found, peerMatch{"ip " + key + " " + pod.Status.PodIP, pod})
			} else {
				addresses = append(addresses, pod.Status.PodIP)
			}
		}
		if len(addresses) > 0 {
			found = append(found, peerMatch{expression: "ip " + key + " { " + strings.Join(addresses, ", ") + " }"})
		}
	}
	return found
}

func (w *world) selects(peer *netv1.NetworkPolicyPeer, namespace string, pod *corev1.Pod) bool {
	if peer.NamespaceSelector == nil {
		if pod.Namespace != namespace {
			return false
		}
	} else if !matches(peer.NamespaceSelector, w.labels[pod.Namespace]) {
		return false
	}
	return peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels)
}

func ipBlock(key string, block *netv1.IPBlock) string {
	expression := "ip " + key + " " + block.CIDR
	if len(block.Except) > 0 {
		expression += " ip " + key + " != { " + strings.Join(block.Except, ", ") + " }"
	}
	return expression
}

// portMatches gives one match for each port; no ports at all means every port.
func portMatches(ports []netv1.NetworkPolicyPort, owner *corev1.Pod) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var found []string
	for _, port := range ports {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = strings.ToLower(string(*port.Protocol))
		}
		switch {
		case port.Port == nil:
			found = append(found, "meta l4proto "+protocol)
		case isNamed(port):
			for _, number := range namedPorts(owner, port.Port.StrVal, protocol) {
				found = append(found, fmt.Sprintf("%s dport %d", protocol, number))
			}
		case port.EndPort != nil:
			found = append(found, fmt.Sprintf("%s dport %d-%d", protocol, port.Port.IntVal, *port.EndPort))
		default:
			found = append(found, fmt.Sprintf("%s dport %d", protocol, port.Port.IntVal))
		}
	}
	return found
}

func isNamed(port netv1.NetworkPolicyPort) bool {
	return port.Port != nil && port.Port.Type == intstr.String
}

// namedPorts are the numbers a pod's containers give a port name; none where the owner is no single pod (an IP block).
func namedPorts(owner *corev1.Pod, name, protocol string) []int32 {
	if owner == nil {
		return nil
	}
	var numbers []int32
	for _, container := range slices.Concat(owner.Spec.InitContainers, owner.Spec.Containers) {
		for _, port := range container.Ports {
			if port.Name == name && strings.EqualFold(string(port.Protocol), protocol) {
				numbers = append(numbers, port.ContainerPort)
			}
		}
	}
	return numbers
}
