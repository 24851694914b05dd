package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
)

// configFile is where the configuration is looked for when no flag says so.
const configFile = "hedgehog-gitops.yaml"

// config is the user's configuration. It is checked when it is loaded, but
// ${NAME} is expanded only where a value is used: a variable need not be set
// for what a run does not touch. The methods give the values.
type config struct {
	file   string // "" when there is none
	getenv func(string) string
	doc    *yaml.Node // nil when there is none
}

// configDoc is the shape of the file. A field's type checks its value.
type configDoc struct {
	Root        rootFolder     `yaml:"root" doc:"folder of the repository that holds fabrics/ and deploy/, such as network; by default its top"`
	NetBox      netboxDoc      `yaml:"netbox" doc:"where NetBox is"`
	Fabrics     []fabricDoc    `yaml:"fabrics" doc:"the fabrics, each with a name of its own"`
	Tag         slug           `yaml:"tag" doc:"slug of the tag on VLAN groups, container prefixes and route targets that are Hedgehog's; a device tagged <tag>-ignore is left out"`
	Git         gitDoc         `yaml:"git" doc:"the repository, and who commits"`
	Signing     signingDoc     `yaml:"signing" doc:"how commits are signed; by default they are not, and a forge signs what comes over its API"`
	Forge       forgeDoc       `yaml:"forge" doc:"where pull requests are"`
	PullRequest pullRequestDoc `yaml:"pullRequest" doc:"how changes are proposed"`
	Limits      limitsDoc      `yaml:"limits" doc:"how much one pull request may delete without --allow-deletions"`
	Deploy      deployDoc      `yaml:"deploy" doc:"how Argo CD and Flux apply what is merged"`
}

// netboxDoc says where NetBox is.
type netboxDoc struct {
	URL    webAddress `yaml:"url" doc:"base address of NetBox; by default the environment's NETBOX_URL"`
	CAFile string     `yaml:"caFile" doc:"file of authorities to trust besides the system's, counted from this file's folder"`
}

// fabricDoc is one fabric of the file. [fabricDefaults] gives what stands in it
// when the file says nothing.
type fabricDoc struct {
	Name          fabricName           `yaml:"name" doc:"names the folder fabrics/<name> and the branch"`
	Site          slug                 `yaml:"site" doc:"slug of the NetBox site that its devices stand in"`
	Location      slug                 `yaml:"location" doc:"slug of a location in that site, with those inside it; by default the whole site"`
	Statuses      []string             `yaml:"statuses" doc:"statuses of devices to render; cables must be connected"`
	Roles         map[roleName][]slug  `yaml:"roles" doc:"slugs of NetBox device roles for each role in the fabric, those inside them too; a list replaces the default of that one role"`
	VLANGroups    []slug               `yaml:"vlanGroups" doc:"slugs of the VLAN groups that are VLAN namespaces; by default those with the tag whose scope is this site or location"`
	Containers    []netip.Prefix       `yaml:"containers" doc:"container prefixes that are IPv4 namespaces; by default the same rule"`
	Profiles      map[string]string    `yaml:"profiles" doc:"switch profile by <manufacturer slug>/<device type slug>, for types that this program does not know"`
	Names         namesDoc             `yaml:"names" doc:"names of objects where NetBox says none"`
	Gateway       bool                 `yaml:"gateway" doc:"whether the installation has gateways"`
	FabricVersion fabricVersion        `yaml:"fabricVersion" doc:"release of Hedgehog"`
	Target        target               `yaml:"target" doc:"cluster: addresses must be there; installer: hhfab fills them in; validate and import take installer where this is not set"`
	FabricMTU     mtu                  `yaml:"fabricMTU" doc:"MTU of the links between switches in bytes, as the installation was configured; servers have 64 less"`
	UnderlayVRF   string               `yaml:"underlayVRF" doc:"VRF of switch and link addresses; by default the global table"`
	Pools         poolsDoc             `yaml:"pools" doc:"what the installation was configured with; addresses are checked against it"`
	Shards        map[stageName]digits `yaml:"shards" doc:"number of hex digits that name the roots of a stage; by default what is merged has, else the fewest with at most 500 objects a root"`
	Deploy        deployDoc            `yaml:"deploy" doc:"what differs from deploy at the top for this fabric, key by key, such as the cluster"`
}

type namesDoc struct {
	Attachment attachmentPattern `yaml:"attachment" doc:"a VPCAttachment"`
}

type poolsDoc struct {
	ManagementSubnet    netip.Prefix   `yaml:"managementSubnet" doc:"addresses of management ports"`
	ManagementDHCPStart netip.Addr     `yaml:"managementDHCPStart" doc:"switches stand below this address"`
	ProtocolSubnet      netip.Prefix   `yaml:"protocolSubnet" doc:"protocol addresses"`
	VTEPSubnet          netip.Prefix   `yaml:"vtepSubnet" doc:"VTEP addresses"`
	FabricSubnet        netip.Prefix   `yaml:"fabricSubnet" doc:"addresses of links"`
	ReservedSubnets     []netip.Prefix `yaml:"reservedSubnets" doc:"further networks that VPCs must avoid"`
	SpineASN            uint32         `yaml:"spineASN" doc:"AS number of all spines"`
	LeafASNStart        uint32         `yaml:"leafASNStart" doc:"first AS number of leaves"`
	LeafASNEnd          uint32         `yaml:"leafASNEnd" doc:"last AS number of leaves"`
	GatewayASN          uint32         `yaml:"gatewayASN" doc:"AS number of gateways"`
	ReservedVLANs       []vlanRange    `yaml:"reservedVLANs" doc:"VLANs that namespaces must avoid"`
}

// loadConfig reads the configuration: the file named, else configFile when it
// is there, else none.
func loadConfig(name string, getenv func(string) string) (*config, error) {
	c := &config{file: name, getenv: getenv}
	if name == "" {
		c.file = configFile
	}
	data, err := readConfig(c.file)
	if name == "" && errors.Is(err, fs.ErrNotExist) {
		c.file = ""
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return parseConfig(c.file, data, getenv)
}

// maxConfig is the size in bytes that a configuration may have.
const maxConfig = 1 << 20

func readConfig(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("%s is larger than %d KiB", name, maxConfig>>10)
	}
	return data, err
}

func parseConfig(file string, data []byte, getenv func(string) string) (*config, error) {
	c := &config{file: file, getenv: getenv}
	d := &yamlDecoder{file: file}
	c.doc = d.parse(data)
	var doc configDoc
	d.decode(c.doc, &doc)
	d.checkFabrics(doc, c.doc)
	d.names(c.doc)
	return c, d.err()
}

// fabricNames returns the names of the fabrics in the order of the file.
func (c *config) fabricNames() ([]string, error) {
	d := &yamlDecoder{file: c.file, getenv: c.getenv}
	names := d.names(c.doc)
	return names, d.err()
}

// names returns the names of the fabrics, each of which may occur once.
func (d *yamlDecoder) names(doc *yaml.Node) []string {
	list, _ := find(doc, "fabrics")
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	var names []string
	first := map[string]int{}
	for i, entry := range list.Content {
		at := fmt.Sprintf("fabrics[%d].name", i)
		var name fabricName
		node, line := find(entry, "name")
		if node != nil && d.getenv != nil {
			d.value(node, reflect.ValueOf(&name).Elem(), at)
		} else if text := nodeText(node); !variableForm.MatchString(text) {
			name = fabricName(text)
		}
		// Two folders or branches that differ in case are one on some systems.
		key := strings.ToLower(string(name))
		if earlier, ok := first[key]; ok && name != "" {
			d.problem(line, at, fmt.Sprintf("the fabric %s stands on line %d already", name, earlier), "two fabrics need two names")
		} else {
			first[key] = line
		}
		names = append(names, string(name))
	}
	return names
}

// checkFabrics adds the issues that no single value shows.
func (d *yamlDecoder) checkFabrics(doc configDoc, node *yaml.Node) {
	for i := range doc.Fabrics {
		entry, line := find(node, "fabrics", strconv.Itoa(i))
		if entry == nil || entry.Kind != yaml.MappingNode {
			continue // said already
		}
		advice := map[string]string{
			"name": "the name of its folder and branch, such as lab",
			"site": "the slug of the NetBox site that its devices stand in",
		}
		for _, key := range fabricNeeds() {
			if n, _ := find(entry, key); n == nil || isNull(n) || nodeText(n) == "" && n.Kind == yaml.ScalarNode {
				d.problem(line, fmt.Sprintf("fabrics[%d].%s", i, key), "a fabric needs a "+key, advice[key])
			}
		}
	}
	branch := string(doc.PullRequest.Branch)
	if len(doc.Fabrics) > 1 && branch != "" && !strings.Contains(branch, "{fabric}") {
		_, line := find(node, "pullRequest", "branch")
		d.problem(line, "pullRequest.branch", "several fabrics cannot share one branch", "put {fabric} into it")
	}
}

// use decodes the part of the file that the path leads to, with its variables.
// A part that is not there leaves the value as it is.
func (c *config) use(into any, path ...string) error {
	node, _ := find(c.doc, path...)
	if node == nil {
		return nil
	}
	d := &yamlDecoder{file: c.file, getenv: c.getenv, at: fieldPath(path)}
	d.decode(node, into)
	return d.err()
}

// netboxURL returns the base address of NetBox, "" when nothing says it.
func (c *config) netboxURL() (string, error) {
	var address webAddress
	if err := c.use(&address, "netbox", "url"); err != nil || address != "" {
		return string(address), err
	}
	if err := address.UnmarshalText([]byte(c.getenv("NETBOX_URL"))); err != nil {
		return "", fmt.Errorf("NETBOX_URL %w", err)
	}
	return string(address), nil
}

// caFile returns the file of authorities to trust besides the system's, "" for
// none. A relative path counts from the configuration's folder.
func (c *config) caFile() (string, error) {
	var name string
	if err := c.use(&name, "netbox", "caFile"); err != nil || name == "" || filepath.IsAbs(name) {
		return name, err
	}
	return filepath.Join(filepath.Dir(c.file), name), nil
}

// rootFolder returns the folder of the repository below which everything lies,
// "" for its top.
func (c *config) rootFolder() (string, error) {
	var root rootFolder
	err := c.use(&root, "root")
	return string(root), err
}

// tag returns the slug of the tag on what is Hedgehog's in NetBox.
func (c *config) tag() (string, error) {
	tag := slug(netbox.DefaultConfig("").Tag)
	err := c.use(&tag, "tag")
	return string(tag), err
}

// fabricConfig is all that is configured of one fabric.
type fabricConfig struct {
	// NetBox says how it is read from NetBox.
	NetBox netbox.Config
	// Shards says how its files are spread over roots, see [render.Input].
	Shards map[string]int
	// Deploy says how a cluster gets it: what the file says of all fabrics, then of this.
	Deploy deployDoc
}

// fabric returns what is configured of the fabric of that name.
func (c *config) fabric(name string) (fabricConfig, error) {
	tag, err := c.tag()
	if err != nil {
		return fabricConfig{}, err
	}
	names, err := c.fabricNames()
	if err != nil {
		return fabricConfig{}, err
	}
	if len(names) == 0 {
		var valid fabricName
		if err := valid.UnmarshalText([]byte(name)); err != nil {
			return fabricConfig{}, fmt.Errorf("the fabric name %q %w", name, err)
		}
		conf := netbox.DefaultConfig(name)
		conf.Tag = tag
		deploy, err := c.deploy()
		return fabricConfig{NetBox: conf, Deploy: deploy}, err
	}
	i := slices.Index(names, name)
	if i < 0 {
		hints := []string{fmt.Sprintf("%s has: %s", c.file, strings.Join(names, ", "))}
		if near := closest(name, names); near != "" {
			hints = []string{fmt.Sprintf("did you mean %s?", near)}
		}
		return fabricConfig{}, hint(fmt.Errorf("there is no fabric %q in %s", name, c.file), hints...)
	}
	doc := fabricDefaults()
	if doc.Deploy, err = c.deploy(); err != nil {
		return fabricConfig{}, err
	}
	if err := c.use(&doc, "fabrics", strconv.Itoa(i)); err != nil {
		return fabricConfig{}, err
	}
	conf := fabricConfig{NetBox: doc.config(), Deploy: doc.Deploy}
	conf.NetBox.Tag = tag
	for stage, digits := range doc.Shards {
		if conf.Shards == nil {
			conf.Shards = map[string]int{}
		}
		conf.Shards[string(stage)] = int(digits)
	}
	return conf, nil
}

// fabricDefaults returns a fabric of which the file says nothing.
func fabricDefaults() fabricDoc {
	conf := netbox.DefaultConfig("")
	pools := conf.Settings.Pools
	doc := fabricDoc{
		Statuses:      conf.Statuses,
		Roles:         map[roleName][]slug{},
		Names:         namesDoc{Attachment: attachmentPattern(conf.AttachmentName)},
		Gateway:       conf.Settings.Gateway,
		FabricVersion: fabricVersion(conf.Settings.FabricVersion),
		Target:        target(conf.Settings.Target),
		FabricMTU:     mtu(conf.Settings.FabricMTU),
		Deploy:        deployDefaults(),
		Pools: poolsDoc{
			ManagementSubnet:    pools.ManagementSubnet,
			ManagementDHCPStart: pools.ManagementDHCPStart,
			ProtocolSubnet:      pools.ProtocolSubnet,
			VTEPSubnet:          pools.VTEPSubnet,
			FabricSubnet:        pools.FabricSubnet,
			ReservedSubnets:     pools.ReservedSubnets,
			SpineASN:            pools.SpineASN,
			LeafASNStart:        pools.LeafASNStart,
			LeafASNEnd:          pools.LeafASNEnd,
			GatewayASN:          pools.GatewayASN,
		},
	}
	for role, slugs := range conf.Roles {
		doc.Roles[roleName(role)] = typed[slug](slugs)
	}
	for _, r := range pools.ReservedVLANs {
		doc.Pools.ReservedVLANs = append(doc.Pools.ReservedVLANs, vlanRange(r))
	}
	return doc
}

func (f fabricDoc) config() netbox.Config {
	conf := netbox.DefaultConfig(string(f.Name))
	conf.Site = string(f.Site)
	conf.Location = string(f.Location)
	conf.Statuses = f.Statuses
	conf.Roles = map[string][]string{}
	for role, slugs := range f.Roles {
		conf.Roles[string(role)] = typed[string](slugs)
	}
	conf.VLANGroups = typed[string](f.VLANGroups)
	if f.Containers != nil {
		conf.Containers = []string{}
	}
	for _, prefix := range f.Containers {
		conf.Containers = append(conf.Containers, prefix.String())
	}
	conf.Profiles = f.Profiles
	conf.AttachmentName = string(f.Names.Attachment)
	conf.UnderlayVRF = f.UnderlayVRF
	conf.Settings = hedgehog.Settings{
		FabricVersion: string(f.FabricVersion),
		Target:        hedgehog.Target(f.Target),
		Gateway:       f.Gateway,
		FabricMTU:     uint16(f.FabricMTU),
		Pools: hedgehog.Pools{
			ManagementSubnet:    f.Pools.ManagementSubnet,
			ManagementDHCPStart: f.Pools.ManagementDHCPStart,
			ProtocolSubnet:      f.Pools.ProtocolSubnet,
			VTEPSubnet:          f.Pools.VTEPSubnet,
			FabricSubnet:        f.Pools.FabricSubnet,
			ReservedSubnets:     f.Pools.ReservedSubnets,
			SpineASN:            f.Pools.SpineASN,
			LeafASNStart:        f.Pools.LeafASNStart,
			LeafASNEnd:          f.Pools.LeafASNEnd,
			GatewayASN:          f.Pools.GatewayASN,
		},
	}
	for _, r := range f.Pools.ReservedVLANs {
		conf.Settings.Pools.ReservedVLANs = append(conf.Settings.Pools.ReservedVLANs, hedgehog.VLANRange(r))
	}
	return conf
}

// typed converts a list of texts; nil stays nil.
func typed[To, From ~string](list []From) []To {
	if list == nil {
		return nil
	}
	converted := make([]To, len(list))
	for i, text := range list {
		converted[i] = To(text)
	}
	return converted
}

// The types of the file's values. Each error completes "the value ...".
type (
	// fabricName is the name of a folder and of a part of a branch.
	fabricName string
	// slug is a slug of NetBox.
	slug string
	// rootFolder is a relative path inside the repository.
	rootFolder string
	// webAddress is an http or https address without a final slash.
	webAddress string
	// roleName is one of the roles that a device has in a fabric.
	roleName string
	// attachmentPattern has {vpc}, {subnet} and {connection} in it.
	attachmentPattern string
	// branchPattern is the name of a branch, with {fabric} in it where it varies.
	branchPattern string
	fabricVersion string
	target        hedgehog.Target
	vlanRange     hedgehog.VLANRange
	// stageName is one of [render.Stages].
	stageName string
	// digits is how many hex digits name the shards of a stage.
	digits int
)

var (
	fabricNameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	slugForm       = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	vlanRangeForm  = regexp.MustCompile(`^([0-9]{1,4})(?:-([0-9]{1,4}))?$`)
	placeholders   = regexp.MustCompile(`\{[^}]*\}`)
)

func (n *fabricName) UnmarshalText(text []byte) error {
	name := string(text)
	if !fabricNameForm.MatchString(name) || strings.Contains(name, "..") || strings.HasSuffix(strings.ToLower(name), ".lock") {
		return errors.New("cannot name a folder and a branch: use at most 63 letters, digits, -, _ and ., with a letter or digit at both ends")
	}
	*n = fabricName(name)
	return nil
}

func (s *slug) UnmarshalText(text []byte) error {
	if len(text) > 0 && !slugForm.Match(text) {
		return errors.New("is no slug: NetBox's have letters, digits, - and _")
	}
	*s = slug(text)
	return nil
}

func (r *rootFolder) UnmarshalText(text []byte) error {
	folder := strings.TrimSuffix(string(text), "/")
	if folder != "" && folder != "." && (!fs.ValidPath(folder) || strings.ContainsAny(folder, "\\\x00")) {
		return errors.New("is no folder inside the repository: write a relative path such as network/fabrics, without . and ..")
	}
	*r = rootFolder(strings.TrimPrefix(path.Clean("/"+folder), "/"))
	return nil
}

func (w *webAddress) UnmarshalText(text []byte) error {
	address := strings.TrimRight(strings.TrimSpace(string(text)), "/")
	if address != "" {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return errors.New("is no web address: it begins with https:// or http://")
		case u.User != nil:
			return errors.New("must not have a password in it: the token comes from NETBOX_TOKEN")
		case u.RawQuery != "" || u.Fragment != "":
			return errors.New("is no base address: leave out what follows ? or #")
		}
		address = strings.TrimSuffix(address, "/api")
	}
	*w = webAddress(address)
	return nil
}

func (r *roleName) UnmarshalText(text []byte) error {
	if role := string(text); slices.Contains(roleNames(), role) {
		*r = roleName(role)
		return nil
	}
	return fmt.Errorf("is no role of a fabric: those are %s", strings.Join(roleNames(), ", "))
}

func roleNames() []string {
	return []string{
		netbox.RoleSpine, netbox.RoleServerLeaf, netbox.RoleBorderLeaf, netbox.RoleMixedLeaf,
		netbox.RoleServer, netbox.RoleGateway, netbox.RoleExternal,
	}
}

func (p *attachmentPattern) UnmarshalText(text []byte) error {
	for _, found := range placeholders.FindAllString(string(text), -1) {
		if !slices.Contains([]string{"{vpc}", "{subnet}", "{connection}"}, found) {
			return fmt.Errorf("has %s in it: {vpc}, {subnet} and {connection} can be", found)
		}
	}
	for _, needed := range []string{"{vpc}", "{connection}"} {
		if !strings.Contains(string(text), needed) {
			return fmt.Errorf("must have %s in it, or two attachments get one name", needed)
		}
	}
	*p = attachmentPattern(text)
	return nil
}

func (b *branchPattern) UnmarshalText(text []byte) error {
	name := strings.ReplaceAll(string(text), "{fabric}", "fabric")
	bad := name == "" || name == "@" || strings.HasPrefix(name, "-") || strings.HasSuffix(name, ".") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.ContainsAny(name, " ~^:?*[\\{}\x7f") ||
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' })
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad {
		return errors.New("cannot name a branch")
	}
	*b = branchPattern(text)
	return nil
}

func (v *fabricVersion) UnmarshalText(text []byte) error {
	if !slices.Contains([]string{"26.02", "26.03"}, string(text)) {
		return errors.New(`is no release that this program knows: "26.03" or "26.02"`)
	}
	*v = fabricVersion(text)
	return nil
}

func (t *target) UnmarshalText(text []byte) error {
	switch hedgehog.Target(text) {
	case hedgehog.TargetCluster, hedgehog.TargetInstaller:
		*t = target(text)
		return nil
	}
	return fmt.Errorf("is neither %s nor %s", hedgehog.TargetCluster, hedgehog.TargetInstaller)
}

func (r *vlanRange) UnmarshalText(text []byte) error {
	m := vlanRangeForm.FindStringSubmatch(strings.ReplaceAll(string(text), " ", ""))
	if m == nil {
		return errors.New("is no range of VLANs such as 3000-3899")
	}
	if m[2] == "" {
		m[2] = m[1]
	}
	from, _ := strconv.Atoi(m[1])
	to, _ := strconv.Atoi(m[2])
	if from < 1 || to > 4094 || from > to {
		return errors.New("is no range of VLANs: ids go from 1 to 4094, the lower one first")
	}
	*r = vlanRange{From: uint16(from), To: uint16(to)}
	return nil
}

// mtu is the size of a packet in bytes.
type mtu uint16

func (m *mtu) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 16)
	if err != nil || n < 576 {
		return errors.New("is no MTU: the size of a packet in bytes, 576 to 65535")
	}
	*m = mtu(n)
	return nil
}

func (s *stageName) UnmarshalText(text []byte) error {
	if stages := render.Stages(); !slices.Contains(stages, string(text)) {
		return fmt.Errorf("is no stage: those are %s", strings.Join(stages, ", "))
	}
	*s = stageName(text)
	return nil
}

func (d *digits) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 || n > 8 {
		return errors.New("is no number of digits from 0 to 8")
	}
	*d = digits(n)
	return nil
}
