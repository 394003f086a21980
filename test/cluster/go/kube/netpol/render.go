package netpol

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// table is the nft table (family inet) that holds all rules of a node.
const table = "hatchery-netpol"

// Render gives the node's whole table as one nft script. Subjects are the node's own pods, peers are pods of any node.
//
// A pod is isolated in a direction as soon as one policy of that direction selects it; what then matches no rule is
// dropped. Packets a pod sends are judged on their way through the node (forward) and to the node itself (input); what
// the node sends to its own pods (probes) is not, since it passes neither hook. Rules see packets after a Service's
// address was translated: an egress rule has to name the backend, as NetworkPolicy demands.
func Render(node string, pods []*corev1.Pod, namespaces []*corev1.Namespace, policies []*netv1.NetworkPolicy) string {
	w := newWorld(pods, namespaces)
	policies = slices.Clone(policies)
	slices.SortFunc(policies, func(a, b *netv1.NetworkPolicy) int { return strings.Compare(string(a.UID), string(b.UID)) })
	var chains strings.Builder
	egress := direction{policyType: netv1.PolicyTypeEgress, prefix: "eg_"}
	ingress := direction{policyType: netv1.PolicyTypeIngress, prefix: "in_"}
	for _, pod := range w.pods {
		if pod.Spec.NodeName != node {
			continue
		}
		for _, d := range []*direction{&egress, &ingress} {
			if rules, isolated := w.rules(pod, d.policyType, policies); isolated {
				d.add(&chains, pod, rules)
			}
		}
	}
	return fmt.Sprintf(`table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
%[2]s	chain egress {
%[3]s	}
	chain ingress {
%[4]s	}
	chain forward {
		type filter hook forward priority -5; policy accept;
		ct state established,related accept
		jump egress
		jump ingress
	}
	chain input {
		type filter hook input priority -5; policy accept;
		ct state established,related accept
		jump egress
	}
}
`, table, chains.String(), egress.verdicts("saddr"), ingress.verdicts("daddr"))
}

// direction collects the chains of one policy type: one chain a pod, found by the pod's address.
type direction struct {
	policyType netv1.PolicyType
	prefix     string
	jumps      []string
}

func (d *direction) add(out *strings.Builder, pod *corev1.Pod, rules []string) {
	chain := d.prefix + strings.ReplaceAll(string(pod.UID), "-", "")
	d.jumps = append(d.jumps, pod.Status.PodIP+" : jump "+chain)
	fmt.Fprintf(out, "\tchain %s { # %s/%s\n", chain, pod.Namespace, pod.Name)
	for _, rule := range rules {
		fmt.Fprintf(out, "\t\t%s return\n", rule)
	}
	out.WriteString("\t\tcounter drop\n\t}\n")
}

func (d *direction) verdicts(key string) string {
	if len(d.jumps) == 0 {
		return ""
	}
	return "\t\tip " + key + " vmap { " + strings.Join(d.jumps, ", ") + " }\n"
}

// world is what selectors choose from.
type world struct {
	pods   []*corev1.Pod
	labels map[string]labels.Set
}

// newWorld keeps the pods that have an address of their own, in a stable order, so that equal worlds give equal tables.
func newWorld(pods []*corev1.Pod, namespaces []*corev1.Namespace) *world {
	w := &world{labels: map[string]labels.Set{}}
	for _, namespace := range namespaces {
		w.labels[namespace.Name] = namespace.Labels
	}
	for _, pod := range pods {
		finished := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if pod.Status.PodIP != "" && !pod.Spec.HostNetwork && !finished {
			w.pods = append(w.pods, pod)
		}
	}
	slices.SortFunc(w.pods, func(a, b *corev1.Pod) int { return strings.Compare(string(a.UID), string(b.UID)) })
	return w
}

// rules are the nft matches that let a packet of the pod pass in one direction; isolated is false where no policy
// selects the pod and everything passes.
func (w *world) rules(pod *corev1.Pod, policyType netv1.PolicyType, policies []*netv1.NetworkPolicy) (rules []string, isolated bool) {
	for _, policy := range policies {
		if policy.Namespace != pod.Namespace || !slices.Contains(policy.Spec.PolicyTypes, policyType) || !matches(&policy.Spec.PodSelector, pod.Labels) {
			continue
		}
		isolated = true
		if policyType == netv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				rules = append(rules, w.render("saddr", rule.From, rule.Ports, policy.Namespace, pod)...)
			}
			continue
		}
		for _, rule := range policy.Spec.Egress {
			rules = append(rules, w.render("daddr", rule.To, rule.Ports, policy.Namespace, nil)...)
		}
	}
	return rules, isolated
}

// matches tells whether a selector chooses the labels; one the apiserver should have refused chooses nothing.
func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}
