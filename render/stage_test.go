package render_test

import (
	"slices"
	"testing"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
)

// relay stands for a VPC that relays DHCP through another VPC: for the order of
// things it is a kind of its own.
const relay hedgehog.Kind = "VPC that relays"

// references holds which kinds the objects of a kind name in their specs, and
// where: the rules that a cluster's admission checks. Profiles of switches are
// the installation's and never in Git.
func references() map[hedgehog.Kind][]hedgehog.Kind {
	return map[hedgehog.Kind][]hedgehog.Kind{
		hedgehog.KindIPv4Namespace: {},
		hedgehog.KindVLANNamespace: {},
		hedgehog.KindSwitchGroup:   {},
		hedgehog.KindGatewayGroup:  {},
		hedgehog.KindServer:        {},
		// groups and redundancy.group; vlanNamespaces
		hedgehog.KindSwitch: {hedgehog.KindSwitchGroup, hedgehog.KindVLANNamespace},
		// groups[].name
		hedgehog.KindGateway: {hedgehog.KindGatewayGroup},
		// ipv4Namespace; vlanNamespace
		hedgehog.KindVPC: {hedgehog.KindIPv4Namespace, hedgehog.KindVLANNamespace},
		// and subnets.X.dhcp.relayVPC
		relay: {hedgehog.KindIPv4Namespace, hedgehog.KindVLANNamespace, hedgehog.KindVPC},
		// ipv4Namespace
		hedgehog.KindExternal: {hedgehog.KindIPv4Namespace},
		// the devices of all ports; staticExternal.withinVPC
		hedgehog.KindConnection: {hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway, hedgehog.KindVPC, relay},
		// subnet; connection, and through it the switches, whose VLAN namespaces count
		hedgehog.KindVPCAttachment: {hedgehog.KindVPC, relay, hedgehog.KindConnection, hedgehog.KindSwitch, hedgehog.KindVLANNamespace},
		// permit
		hedgehog.KindVPCPeering: {hedgehog.KindVPC, relay},
		// external; connection
		hedgehog.KindExternalAttachment: {hedgehog.KindExternal, hedgehog.KindConnection},
		// permit.vpc.name; permit.external.name
		hedgehog.KindExternalPeering: {hedgehog.KindVPC, relay, hedgehog.KindExternal},
		// gatewayGroup; peering
		hedgehog.KindGatewayPeering: {hedgehog.KindGatewayGroup, hedgehog.KindVPC, relay, hedgehog.KindExternal},
	}
}

// TestStagesFollowFromTheReferences derives the stages from the rules.
func TestStagesFollowFromTheReferences(t *testing.T) {
	t.Parallel()
	refs := references()
	stage := func(kind hedgehog.Kind) int {
		o := hedgehog.New(kind, "a")
		if kind == relay {
			o = vpc("a", "b")
		}
		return slices.Index(render.Stages(), render.StageOf(o))
	}
	for _, kind := range hedgehog.Kinds() {
		if _, ok := refs[kind]; !ok {
			t.Errorf("the rules say nothing of %s", kind)
		}
	}
	// depth is the earliest stage that the rules allow.
	var depth func(kind hedgehog.Kind) int
	depth = func(kind hedgehog.Kind) int {
		deepest := -1
		for _, to := range refs[kind] {
			deepest = max(deepest, depth(to))
		}
		return deepest + 1
	}
	deepest := 0
	for kind, list := range refs {
		if stage(kind) < depth(kind) {
			t.Errorf("%s is in stage %d, the rules allow %d at the earliest", kind, stage(kind), depth(kind))
		}
		for _, to := range list {
			if stage(to) >= stage(kind) {
				t.Errorf("%s, in stage %d, refers to %s, in stage %d", kind, stage(kind), to, stage(to))
			}
		}
		deepest = max(deepest, depth(kind))
	}
	if len(render.Stages()) != deepest+1 {
		t.Errorf("there are %d stages, the rules need %d", len(render.Stages()), deepest+1)
	}
	if !slices.IsSorted(render.Stages()) {
		t.Errorf("the folders' names do not sort in the order of the stages")
	}
}

func TestStageOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		object *hedgehog.Object
		want   string
	}{
		"a VPC":                                 {vpc("a"), "10-nodes"},
		"a VPC that relays through itself":      {vpc("a", "a"), "10-nodes"},
		"a VPC that relays through another":     {vpc("a", "a", "b"), "15-relays"},
		"a VPC whose subnet is empty":           {&hedgehog.Object{Kind: hedgehog.KindVPC, Spec: &hedgehog.VPCSpec{Subnets: map[string]*hedgehog.VPCSubnet{"a": nil}}}, "10-nodes"},
		"an object of a kind that nobody knows": {hedgehog.New("Something", "a"), "30-attachments"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := render.StageOf(test.object); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
