package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

// The stages of a fabric, in the order in which a cluster can take them.
const (
	StageNamespaces  = "00-namespaces"
	StageNodes       = "10-nodes"
	StageRelays      = "15-relays"
	StageConnections = "20-connections"
	StageAttachments = "30-attachments"
)

// Stages returns the names of the stages in the order in which a cluster can
// take them.
func Stages() []string {
	return []string{StageNamespaces, StageNodes, StageRelays, StageConnections, StageAttachments}
}

// StageOf returns the stage of an object. Objects refer only to objects of
// earlier stages: a controller that tries out a stage as a whole before it
// applies any of it is never refused for what stands next to it.
//
// A VPC that relays DHCP through another VPC comes after the others. An object
// of a kind that this version does not know may refer to anything, so it comes
// last.
func StageOf(o *hedgehog.Object) string {
	switch o.Kind {
	case hedgehog.KindIPv4Namespace, hedgehog.KindVLANNamespace, hedgehog.KindSwitchGroup, hedgehog.KindGatewayGroup:
		return StageNamespaces
	case hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway, hedgehog.KindExternal:
		return StageNodes
	case hedgehog.KindVPC:
		if len(relaysThrough(o)) > 0 {
			return StageRelays
		}
		return StageNodes
	case hedgehog.KindConnection:
		return StageConnections
	}
	return StageAttachments
}

// relaysThrough returns the names of the other VPCs that a VPC relays DHCP
// through.
func relaysThrough(o *hedgehog.Object) []string {
	spec, ok := o.Spec.(*hedgehog.VPCSpec)
	if !ok {
		return nil
	}
	var names []string
	for _, subnet := range spec.Subnets {
		if subnet != nil && subnet.DHCP.RelayVPC != "" && subnet.DHCP.RelayVPC != o.Name {
			names = append(names, subnet.DHCP.RelayVPC)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// FabricFolder returns the folder of everything that belongs to the fabric.
func FabricFolder(fabric string) string { return path.Join("fabrics", fabric) }

// BaseFolder returns the folder that the tool owns.
func BaseFolder(fabric string) string { return path.Join(FabricFolder(fabric), "base") }

// OverlayFolder returns the folder of people's patches for a stage.
func OverlayFolder(fabric, stage string) string {
	return path.Join(FabricFolder(fabric), "overlays", stage)
}

// ExtraFolder returns the folder of people's own objects for a stage.
func ExtraFolder(fabric, stage string) string {
	return path.Join(FabricFolder(fabric), "extra", stage)
}

const (
	kustomizationName = "kustomization.yaml"
	deployFolder      = "deploy" // of base/, not of this package
)

// Kustomize takes time with the square of the objects in a root.
const (
	// comfortableRoot is how many objects a root holds unless somebody says otherwise.
	comfortableRoot = 500
	// largestRoot is how many it may hold at all.
	largestRoot = 1500
	// maxShardDigits is far beyond any fabric.
	maxShardDigits = 8
)

// shardAll is the shard of a stage that is one root.
const shardAll = "all"

// shardOf returns the shard of an object when shards are called by so many hex
// digits.
func shardOf(key hedgehog.Key, digits int) string {
	if digits == 0 {
		return shardAll
	}
	sum := sha256.Sum256([]byte(key.String()))
	return hex.EncodeToString(sum[:])[:digits]
}

var shardName = regexp.MustCompile(`^(all|[0-9a-f]{1,8})$`)

// digitsOf returns how many hex digits a shard's name has.
func digitsOf(shard string) (digits int, ok bool) {
	if !shardName.MatchString(shard) {
		return 0, false
	}
	if shard == shardAll { // no hex number, though it has three letters
		return 0, true
	}
	return len(shard), true
}

// largestShard returns the number of objects in the fullest shard.
func largestShard(keys []hedgehog.Key, digits int) int {
	counts := map[string]int{}
	most := 0
	for _, key := range keys {
		shard := shardOf(key, digits)
		counts[shard]++
		most = max(most, counts[shard])
	}
	return most
}

// smallestDigits returns the fewest digits with which no shard holds more
// than the limit.
func smallestDigits(keys []hedgehog.Key, limit int) int {
	digits := 0
	for digits < maxShardDigits && largestShard(keys, digits) > limit {
		digits++
	}
	return digits
}

var (
	// objectName is a lower-case RFC 1123 subdomain.
	objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	kindName   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)
)

// fileOf returns the path of the object's file in its root, or an issue when
// its kind or name cannot be one.
func fileOf(o *hedgehog.Object) (string, *hedgehog.Issue) {
	file := o.Kind.Plural() + "/" + o.Name + ".yaml"
	if kindName.MatchString(string(o.Kind)) && objectName.MatchString(o.Name) && tree.Check(file) == nil {
		return file, nil
	}
	return "", &hedgehog.Issue{
		Rule: "object-name", Severity: hedgehog.Error, Object: o.Key(), Field: "metadata.name", Origin: o.Origin(),
		Summary: fmt.Sprintf("%q is no name for an object, so there is no file for it", o.Name),
		Hint:    "use lower-case letters, digits, hyphens and dots, at most 250 of them, and a letter or digit at either end",
	}
}

// keyOf returns the object of a file that [fileOf] named, as far as it can be
// told.
func keyOf(file string) hedgehog.Key {
	folder, name, ok := strings.Cut(strings.TrimSuffix(file, ".yaml"), "/")
	if !ok {
		return hedgehog.Key{}
	}
	for _, kind := range hedgehog.Kinds() {
		if kind.Plural() == folder {
			return hedgehog.Key{Kind: kind, Name: name}
		}
	}
	return hedgehog.Key{}
}

// kustomization returns the kustomization.yaml of a root that lists the files, in
// the order given.
func kustomization(stage string, files []string, component bool) []byte {
	// The comment stands after the first line: where documents are joined, one
	// that starts with a comment can end up as a document without an object.
	var b bytes.Buffer
	b.WriteString("apiVersion: kustomize.config.k8s.io/v1beta1\n")
	fmt.Fprintf(&b, "# Generated by hedgehog-gitops from NetBox, do not edit: patches belong in overlays/%s.\n", stage)
	if component {
		fmt.Fprintf(&b, "components:\n- ../../../overlays/%s\n", stage)
	}
	b.WriteString("kind: Kustomization\n")
	if len(files) == 0 {
		b.WriteString("resources: []\n")
		return b.Bytes()
	}
	b.WriteString("resources:\n")
	for _, file := range files {
		b.WriteString("- " + file + "\n")
	}
	return b.Bytes()
}

// Roots returns the roots of a fabric in the tree as [overlay.Build] takes them:
// those of every stage with its component, and people's own.
func Roots(t tree.Tree, fabric string) []overlay.Stage {
	base := map[string]map[string]bool{} // stage -> roots
	extra := map[string]bool{}
	components := map[string]string{}
	fabricFolder := FabricFolder(fabric)
	for name := range t.Below(fabricFolder).All() {
		parts := strings.Split(strings.TrimPrefix(name, fabricFolder+"/"), "/")
		folder := path.Dir(name)
		switch {
		case parts[0] == "base" && len(parts) == 4 && parts[1] != deployFolder && overlay.IsKustomization(t, folder):
			if base[parts[1]] == nil {
				base[parts[1]] = map[string]bool{}
			}
			base[parts[1]][folder] = true
		case parts[0] == "extra" && len(parts) > 2 && isYAML(name):
			extra[path.Join(fabricFolder, "extra", parts[1])] = true
		case parts[0] == "overlays" && len(parts) == 3 && overlay.IsKustomization(t, folder):
			components[parts[1]] = folder
			if base[parts[1]] == nil {
				base[parts[1]] = map[string]bool{}
			}
		}
	}
	var stages []overlay.Stage
	for _, stage := range slices.Sorted(maps.Keys(base)) {
		stages = append(stages, overlay.Stage{
			Component: components[stage],
			Roots:     slices.Sorted(maps.Keys(base[stage])),
		})
	}
	for _, root := range slices.Sorted(maps.Keys(extra)) {
		stages = append(stages, overlay.Stage{Roots: []string{root}})
	}
	return stages
}

func isYAML(name string) bool {
	ext := path.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}
