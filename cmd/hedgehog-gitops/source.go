package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hedgehog-gitops/render"
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/netbox"
	"hedgehog-gitops/render/netbox/rest"
)

// emptySnapshot is what --snapshot takes for a NetBox with nothing in it.
const emptySnapshot = "empty"

func addSnapshotFlag(cmd *cobra.Command, snapshot *string) {
	cmd.Flags().StringVar(snapshot, "snapshot", "",
		"read NetBox from `FILE`, which the command snapshot wrote, - for standard input; empty: a NetBox with nothing in it")
}

// chosenFabrics returns what is configured of the fabric of that name, or of all
// when the name is empty. One whose configuration does not hold has an error in
// place of it; the others go on.
func (c *config) chosenFabrics(name, command string) ([]chosenFabric, error) {
	names := []string{name}
	if name == "" {
		var err error
		if names, err = c.fabricNames(); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		where := "there is no " + configFile + " here"
		if c.file != "" {
			where = c.file + " lists none"
		}
		return nil, hint(fmt.Errorf("no fabric: %s", where),
			command+" --fabric NAME takes the NetBox site NAME",
			"or list the fabrics in "+configFile+": fabrics: [{name: lab, site: lab}]")
	}
	var chosen []chosenFabric
	for _, name := range names {
		settings, err := c.fabric(name)
		chosen = append(chosen, chosenFabric{name: name, settings: settings, err: err})
	}
	return chosen, nil
}

// chosenFabric is a fabric that a command is about.
type chosenFabric struct {
	name     string
	settings fabricConfig
	// deploy is what [config.deployChosen] found.
	deploy render.Deploy
	err    error
}

// usable returns the fabrics whose configuration holds, as NetBox is read for
// them.
func usable(chosen []chosenFabric) []netbox.Config {
	var fabrics []netbox.Config
	for _, f := range chosen {
		if f.err == nil {
			fabrics = append(fabrics, f.settings.NetBox)
		}
	}
	return fabrics
}

// snapshot returns the rows of NetBox that the fabrics need: those of a saved
// snapshot when from names one, else NetBox's own. The issues are about NetBox.
func (a *app) snapshot(ctx context.Context, c *common, conf *config, from string, fabrics []netbox.Config) (*netbox.Snapshot, hedgehog.Issues, error) {
	switch from {
	case "":
		client, done, err := a.netboxClient(c, conf)
		if err != nil {
			return nil, nil, err
		}
		defer done()
		return rest.Read(ctx, client, fabrics)
	case emptySnapshot:
		return &netbox.Snapshot{}, nil, nil
	}
	snapshot, err := a.savedSnapshot(ctx, from)
	return snapshot, nil, err
}

// savedSnapshot reads a file that the command snapshot wrote, - for standard
// input.
func (a *app) savedSnapshot(ctx context.Context, from string) (*netbox.Snapshot, error) {
	in, name := io.NopCloser(a.stdin), "standard input"
	if from != "-" {
		file, err := os.Open(from)
		if err != nil {
			return nil, hint(fmt.Errorf("reading a snapshot: %w", err), "hedgehog-gitops snapshot -o "+from+" makes one")
		}
		in, name = file, from
	}
	var snapshot *netbox.Snapshot
	var sealed bool
	var err error
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer in.Close()
		snapshot, sealed, err = netbox.ReadSnapshot(bufio.NewReader(in))
	}()
	select { // who writes into a pipe may take their time
	case <-read:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, badSnapshot(name, err)
	}
	if !sealed {
		a.warnUnsealed(name)
	}
	return snapshot, nil
}

// warnUnsealed says that somebody edited a saved snapshot.
func (a *app) warnUnsealed(name string) {
	a.warn(fmt.Sprintf("%s is not what was read from NetBox: its rows do not fit its digest", name),
		"whoever edited it should know; a new one comes from: hedgehog-gitops snapshot -o FILE")
}

// badSnapshot says what is wrong with a saved snapshot, and where.
func badSnapshot(name string, err error) error {
	if bad := (*netbox.SnapshotError)(nil); errors.As(err, &bad) && bad.Line > 0 {
		name += ":" + strconv.Itoa(bad.Line)
	}
	return hint(fmt.Errorf("reading the snapshot from %s: %w", name, err), "a snapshot comes from: hedgehog-gitops snapshot -o FILE")
}

// netboxClient returns a client for the configured NetBox that shows its
// progress until done is called.
func (a *app) netboxClient(c *common, conf *config) (client *rest.Client, done func(), err error) {
	options, err := a.netboxOptions(conf)
	if err != nil {
		return nil, nil, err
	}
	progress := a.newProgress(c.quiet)
	options.Observe = func(e rest.Event) { progress.step(e.Doing, e.Rows) }
	client, err = rest.New(options)
	if err != nil {
		return nil, nil, err
	}
	return client, progress.end, nil
}

func (a *app) netboxOptions(conf *config) (rest.Options, error) {
	address, err := conf.netboxURL()
	if err != nil {
		return rest.Options{}, err
	}
	if address == "" {
		return rest.Options{}, hint(errors.New("nothing says where NetBox is"),
			"export NETBOX_URL=https://netbox.example.com",
			"or write it into "+configFile+" as netbox.url")
	}
	ca, err := conf.caFile()
	if err != nil {
		return rest.Options{}, err
	}
	token := strings.TrimSpace(a.getenv("NETBOX_TOKEN"))
	if token == "" {
		return rest.Options{}, hint(errors.New("no token for NetBox"),
			"export NETBOX_TOKEN=...",
			"make one at "+address+"/user/api-tokens/ (to read, no right to write is needed)")
	}
	return rest.Options{URL: address, Token: token, CAFile: ca, UserAgent: "hedgehog-gitops/" + version()}, nil
}
