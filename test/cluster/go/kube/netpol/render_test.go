package netpol

import (
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// pod makes a running pod of namespace ns with one label app=name and a container port "http".
func pod(ns, name, node, ip string, port int32) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: port, Protocol: corev1.ProtocolTCP}},
		}}},
		Status: corev1.PodStatus{PodIP: ip, Phase: corev1.PodRunning},
	}
}

func policy(name string, spec netv1.NetworkPolicySpec) *netv1.NetworkPolicy {
	return &netv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "one", Name: name, UID: types.UID(name)}, Spec: spec}
}

func app(name string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
}

func number(port int) *intstr.IntOrString { p := intstr.FromInt(port); return &p }

func word(port string) *intstr.IntOrString { p := intstr.FromString(port); return &p }

var (
	both       = []netv1.PolicyType{netv1.PolicyTypeIngress, netv1.PolicyTypeEgress}
	namespaces = []*corev1.Namespace{
		{ObjectMeta: metav1.ObjectMeta{Name: "one"}},
		{ObjectMeta: metav1.ObjectMeta{Name: "two", Labels: map[string]string{"team": "x"}}},
	}
	pods = []*corev1.Pod{
		pod("one", "a", "n1", "10.0.0.1", 80),
		pod("one", "b", "n2", "10.0.0.2", 8080),
		pod("two", "c", "n2", "10.0.0.3", 9090),
	}
)

// chain gives the rules of one pod's chain; found is false where the pod has none.
func chain(t *testing.T, rendered, name string) (rules []string, found bool) {
	t.Helper()
	_, rest, found := strings.Cut(rendered, "\tchain "+name+" {")
	body, _, _ := strings.Cut(rest, "\n\t}")
	for _, line := range strings.Split(body, "\n")[1:] {
		rules = append(rules, strings.TrimSpace(line))
	}
	return rules, found
}

func expect(t *testing.T, policies []*netv1.NetworkPolicy, name string, wanted ...string) {
	t.Helper()
	rules, found := chain(t, Render("n1", pods, namespaces, policies), name)
	if !found {
		t.Fatalf("no chain %s", name)
	}
	if strings.Join(rules, "\n") != strings.Join(append(wanted, "counter drop"), "\n") {
		t.Errorf("chain %s:\n%s", name, strings.Join(rules, "\n"))
	}
}

func TestNobodyIsIsolatedWithoutAPolicy(t *testing.T) {
	if rendered := Render("n1", pods, namespaces, nil); strings.Contains(rendered, "drop") || strings.Contains(rendered, "vmap") {
		t.Error(rendered)
	}
}

func TestOnlyPodsOfThisNodeAndNamespaceAreSubjects(t *testing.T) {
	all := []*netv1.NetworkPolicy{policy("deny", netv1.NetworkPolicySpec{PolicyTypes: both})}
	rendered := Render("n1", pods, namespaces, all)
	if _, found := chain(t, rendered, "in_uida"); !found {
		t.Error("a is not isolated")
	}
	for _, other := range []string{"in_uidb", "in_uidc"} {
		if _, found := chain(t, rendered, other); found {
			t.Errorf("%s is isolated here", other)
		}
	}
	if !strings.Contains(rendered, "ip daddr vmap { 10.0.0.1 : jump in_uida }") {
		t.Error(rendered)
	}
}

func TestDirectionsAreIsolatedOneByOne(t *testing.T) {
	ingress := []*netv1.NetworkPolicy{policy("in", netv1.NetworkPolicySpec{PolicyTypes: []netv1.PolicyType{netv1.PolicyTypeIngress}})}
	rendered := Render("n1", pods, namespaces, ingress)
	if _, found := chain(t, rendered, "eg_uida"); found {
		t.Error("egress is isolated by an ingress policy")
	}
}

func TestPeersBySelector(t *testing.T) {
	rules := func(from ...netv1.NetworkPolicyPeer) []*netv1.NetworkPolicy {
		return []*netv1.NetworkPolicy{policy("p", netv1.NetworkPolicySpec{PolicyTypes: both, Ingress: []netv1.NetworkPolicyIngressRule{{From: from}}})}
	}
	team := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "x"}}
	expect(t, rules(netv1.NetworkPolicyPeer{PodSelector: app("b")}), "in_uida", "ip saddr { 10.0.0.2 } return")
	expect(t, rules(netv1.NetworkPolicyPeer{PodSelector: app("c")}), "in_uida")
	expect(t, rules(netv1.NetworkPolicyPeer{NamespaceSelector: team}), "in_uida", "ip saddr { 10.0.0.3 } return")
	expect(t, rules(netv1.NetworkPolicyPeer{NamespaceSelector: team, PodSelector: app("b")}), "in_uida")
	expect(t, rules(netv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{}}), "in_uida", "ip saddr { 10.0.0.1, 10.0.0.2, 10.0.0.3 } return")
	expect(t, rules(), "in_uida", "return")
}

func TestAddressBlocks(t *testing.T) {
	block := &netv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"10.0.0.0/8", "169.254.0.0/16"}}
	six := &netv1.IPBlock{CIDR: "::/0"}
	spec := netv1.NetworkPolicySpec{PolicyTypes: both, Egress: []netv1.NetworkPolicyEgressRule{{
		To:    []netv1.NetworkPolicyPeer{{IPBlock: block}, {IPBlock: six}},
		Ports: []netv1.NetworkPolicyPort{{Port: number(443)}},
	}}}
	expect(t, []*netv1.NetworkPolicy{policy("p", spec)}, "eg_uida",
		"ip daddr 0.0.0.0/0 ip daddr != { 10.0.0.0/8, 169.254.0.0/16 } tcp dport 443 return")
}

func TestPorts(t *testing.T) {
	udp := corev1.ProtocolUDP
	last := int32(8010)
	spec := netv1.NetworkPolicySpec{PolicyTypes: both, Ingress: []netv1.NetworkPolicyIngressRule{{Ports: []netv1.NetworkPolicyPort{
		{Protocol: &udp, Port: number(53)}, {Port: number(8000), EndPort: &last}, {Protocol: &udp}, {Port: word("http")}, {Port: word("none")},
	}}}}
	expect(t, []*netv1.NetworkPolicy{policy("p", spec)}, "in_uida",
		"udp dport 53 return", "tcp dport 8000-8010 return", "meta l4proto udp return", "tcp dport 80 return")
}

// The name of a port is looked up in the pod it belongs to: the peer, when the rule is about egress.
func TestNamedPortsOfPeers(t *testing.T) {
	spec := netv1.NetworkPolicySpec{PolicyTypes: both, Egress: []netv1.NetworkPolicyEgressRule{{
		To:    []netv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}, PodSelector: app("b")}, {NamespaceSelector: &metav1.LabelSelector{}, PodSelector: app("c")}},
		Ports: []netv1.NetworkPolicyPort{{Port: word("http")}},
	}}}
	expect(t, []*netv1.NetworkPolicy{policy("p", spec)}, "eg_uida",
		"ip daddr 10.0.0.2 tcp dport 8080 return", "ip daddr 10.0.0.3 tcp dport 9090 return")
}

func TestPodsThatHaveNoAddressOfTheirOwnDoNotCount(t *testing.T) {
	done, host, young := pod("one", "b", "n2", "10.0.0.2", 1), pod("one", "b", "n2", "10.0.0.2", 1), pod("one", "b", "n2", "", 1)
	done.Status.Phase = corev1.PodSucceeded
	host.Spec.HostNetwork = true
	spec := netv1.NetworkPolicySpec{PolicyTypes: both, Ingress: []netv1.NetworkPolicyIngressRule{{From: []netv1.NetworkPolicyPeer{{PodSelector: app("b")}}}}}
	for _, other := range []*corev1.Pod{done, host, young} {
		rendered := Render("n1", []*corev1.Pod{pods[0], other}, namespaces, []*netv1.NetworkPolicy{policy("p", spec)})
		if rules, _ := chain(t, rendered, "in_uida"); len(rules) != 1 {
			t.Errorf("%v", rules)
		}
	}
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	policies := []*netv1.NetworkPolicy{policy("x", netv1.NetworkPolicySpec{PolicyTypes: both}), policy("y", netv1.NetworkPolicySpec{PolicyTypes: both})}
	one := Render("n1", pods, namespaces, policies)
	two := Render("n1", []*corev1.Pod{pods[2], pods[1], pods[0]}, namespaces, []*netv1.NetworkPolicy{policies[1], policies[0]})
	if one != two {
		t.Error("tables differ")
	}
}

// nft itself reads a table with every kind of rule; --check changes nothing.
func TestNftAcceptsTheTable(t *testing.T) {
	nft, err := exec.LookPath("nft")
	if err != nil {
		nft = "/usr/sbin/nft"
	}
	last := int32(8010)
	spec := netv1.NetworkPolicySpec{PolicyTypes: both,
		Ingress: []netv1.NetworkPolicyIngressRule{{From: []netv1.NetworkPolicyPeer{{PodSelector: app("b")}}, Ports: []netv1.NetworkPolicyPort{{Port: number(8000), EndPort: &last}}}, {}},
		Egress:  []netv1.NetworkPolicyEgressRule{{To: []netv1.NetworkPolicyPeer{{IPBlock: &netv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"10.0.0.0/8"}}}}}},
	}
	command := exec.Command(nft, "--check", "--file", "-")
	command.Stdin = strings.NewReader(Render("n1", pods, namespaces, []*netv1.NetworkPolicy{policy("p", spec)}))
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
