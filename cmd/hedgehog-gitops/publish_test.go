package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hedgehog-gitops/fixtures/generate"
	"hedgehog-gitops/fixtures/gitea"
	"hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/fixtures/netboxserver"
	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/render/netbox"
)

// chain is a NetBox, a Gitea and the program between them.
type chain struct {
	t      *testing.T
	nb     *netboxserver.Server
	forge  *gitea.Server
	repo   *gitea.Repository
	config string
}

// publish runs the program, which must succeed, and returns what became of the one
// fabric's first proposal.
func (c chain) publish(args ...string) proposalView {
	c.t.Helper()
	getenv := env("NETBOX_URL", c.nb.URL, "NETBOX_TOKEN", c.nb.Token, "GITEA_TOKEN", c.forge.Bot.Token)
	out, said := mustRun(c.t, getenv, append([]string{"publish", "--config", c.config, "--json"}, args...)...)
	var view publishView
	if err := json.Unmarshal([]byte(out), &view); err != nil {
		c.t.Fatalf("%v\n%s", err, out)
	}
	if len(view.Fabrics) != 1 || len(view.Fabrics[0].Proposals) == 0 || view.Fabrics[0].Result != "published" {
		c.t.Fatalf("%s\n%s", out, said)
	}
	return view.Fabrics[0].Proposals[0]
}

// rests runs the program, which must find nothing to do and write nothing.
func (c chain) rests() {
	c.t.Helper()
	if p := c.publish(); p.Operation != gitsync.None || len(p.Calls) > 0 {
		c.t.Errorf("there was something to do: %s %s %q", p.Operation, p.Reason, p.Calls)
	}
}

// edits has somebody change a device in NetBox.
func (c chain) edits(token, device string, change map[string]any) {
	c.t.Helper()
	var found struct{ Results []struct{ ID int } }
	c.nb.Do(c.t, token, http.MethodGet, "/api/dcim/devices/?name="+device, nil, &found)
	if len(found.Results) != 1 {
		c.t.Fatalf("there are %d devices %s", len(found.Results), device)
	}
	if status := c.nb.Do(c.t, token, http.MethodPatch, fmt.Sprintf("/api/dcim/devices/%d/", found.Results[0].ID), change, nil); status != http.StatusOK {
		c.t.Fatalf("changing %s: status %d", device, status)
	}
}

// pull returns what Gitea shows of a pull request, and its comments.
func (c chain) pull(number int) (title, body, state string, comments []string) {
	c.t.Helper()
	var pr struct{ Title, Body, State string }
	var talk []struct{ Body string }
	c.repo.Do(c.t, c.forge.Human, http.MethodGet, fmt.Sprintf("/pulls/%d", number), nil, &pr)
	c.repo.Do(c.t, c.forge.Human, http.MethodGet, fmt.Sprintf("/issues/%d/comments", number), nil, &talk)
	for _, one := range talk {
		comments = append(comments, one.Body)
	}
	return pr.Title, pr.Body, pr.State, comments
}

// file returns a file of a branch.
func (c chain) file(branch, path string) string {
	c.t.Helper()
	var file struct{ Content []byte }
	if status := c.repo.Do(c.t, c.forge.Human, http.MethodGet, "/contents/"+path+"?ref="+branch, nil, &file); status != http.StatusOK {
		c.t.Fatalf("%s of %s: status %d", path, branch, status)
	}
	return string(file.Content)
}

func holds(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s lacks %q:\n%s", what, word, text)
		}
	}
}

const (
	officeBranch  = "hedgehog-gitops/office"
	officeOverlay = "fabrics/office/overlays/10-nodes/kustomization.yaml"
	noPatches     = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: []\n"
	rackPatch     = `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- target: {kind: Server, name: web-2}
  patch: |
    - op: add
      path: /metadata/labels
      value: {rack: r1}
`
)

// The main job, on a real NetBox and a real forge: a record changes, a pull request
// says who did it and why, a person adds a patch to it and merges it, and the next run
// does nothing.
func TestARecordInNetBoxBecomesAMergedPullRequest(t *testing.T) {
	t.Parallel()
	office, ok := scenarios(t)["office"]
	if !ok {
		t.Fatal("the scenario office is gone")
	}
	c := chain{t: t, nb: office.start(t), forge: gitea.Start(t), config: filepath.Join(t.TempDir(), configFile)}
	c.repo = c.forge.Repository(t)
	config := fmt.Sprintf("netbox: {url: %q}\ngit: {url: %q}\nforge: {kind: gitea}\npullRequest: {labels: [netbox]}\nfabrics:\n  - {name: office, site: office}\n",
		c.nb.URL, c.repo.URL())
	if err := os.WriteFile(c.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c.repo.Commit(t, c.forge.Human, "main", officeOverlay, noPatches)

	first := c.publish()
	if first.Operation != gitsync.Opened || first.Number == 0 {
		t.Fatalf("the first run: %+v", first)
	}
	c.rests()
	c.repo.Merge(t, first.Number, "squash")
	c.publish() // removes the branch
	c.rests()

	// Alice changes a record, and says why.
	may := func(name string) string {
		return c.nb.User(t, name, netboxserver.Permission{Objects: []string{"dcim.device"}, Actions: []string{"view", "change"}})
	}
	alice, bob := may("alice"), may("bob")
	c.edits(alice, "web-1", map[string]any{"description": "the front", "changelog_message": "NET-42: name the front"})
	second := c.publish()
	if second.Operation != gitsync.Opened || second.Number == first.Number {
		t.Fatalf("after the change: %+v", second)
	}
	title, body, state, _ := c.pull(second.Number)
	if state != "open" {
		t.Errorf("the pull request is %s", state)
	}
	holds(t, "the title", title, "(office): ", "web-1")
	holds(t, "the text", body, "`alice`", "NET-42: name the front", c.nb.URL+"/core/changelog/", "the front", "the highest risk is **low**")
	if strings.Contains(body, "`admin`") {
		t.Errorf("the text names who filled NetBox long before:\n%s", body)
	}
	c.rests()

	// A person adds a patch, which the tool neither loses nor minds.
	c.repo.Commit(t, c.forge.Human, officeBranch, officeOverlay, rackPatch)
	c.rests()
	c.repo.Merge(t, second.Number, "merge")
	if after := c.publish(); after.Operation != gitsync.None {
		t.Errorf("after the merge: %+v", after)
	}
	c.rests()
	holds(t, "the merged server", c.file("main", "fabrics/office/base/10-nodes/all/servers/web-1.yaml"), "description: the front")
	holds(t, "the merged patch", c.file("main", officeOverlay), "rack: r1")

	// The next change is a pull request of its own; Bob takes it back.
	c.edits(alice, "web-1", map[string]any{"description": "the back", "changelog_message": "NET-43"})
	third := c.publish()
	if third.Operation != gitsync.Opened || third.Number == second.Number {
		t.Fatalf("after the next change: %+v", third)
	}
	_, body, _, _ = c.pull(third.Number)
	holds(t, "the text", body, "NET-43", "`alice`")
	if strings.Contains(body, "NET-42") {
		t.Errorf("the text names a change that was merged before:\n%s", body)
	}
	c.edits(bob, "web-1", map[string]any{"description": "the front", "changelog_message": "No: NET-43 is @everybody's"})
	if closed := c.publish(); closed.Operation != gitsync.ClosedObsolete || closed.Number != third.Number {
		t.Fatalf("after it was taken back: %+v", closed)
	}
	_, _, state, comments := c.pull(third.Number)
	if state != "closed" || len(comments) != 1 {
		t.Fatalf("the pull request is %s, with the comments %q", state, comments)
	}
	holds(t, "the comment", comments[0], "nothing is left", "`bob` updated", "web-1", "No: NET-43 is")
	if strings.Contains(comments[0], " @everybody") {
		t.Errorf("the comment calls somebody:\n%s", comments[0])
	}
	if head := c.repo.Head(t, officeBranch); head != "" {
		t.Errorf("the branch is still there: %s", head)
	}
	c.rests()

	// Who sees less of NetBox takes nothing away: all servers are gone from this view.
	half := c.nb.User(t, "half", netboxserver.Permission{Objects: []string{"dcim.device"}, Actions: []string{"view"}})
	var said strings.Builder
	getenv := env("NETBOX_URL", c.nb.URL, "NETBOX_TOKEN", half, "GITEA_TOKEN", c.forge.Bot.Token)
	if code := run(t.Context(), []string{"publish", "--config", c.config}, strings.NewReader(""), io.Discard, &said, getenv); code != exitFailed || !strings.Contains(said.String(), "permission") {
		t.Errorf("with a token that sees devices alone: exit code %d\n%s", code, &said)
	}
	c.rests()
}

// hostile is a text of NetBox's that would call people, close issues, and end whatever
// it stands in, if anything let it.
const hostile = "@acme/network fixes #1, closes acme/fabrics#2 ``` </details> <img src=x onerror=alert(1)> `code` [x](javascript:y) <!-- --> [skip ci]"

// hugeFabric returns a file with a NetBox of so many objects, each server with a
// hostile name and text.
func hugeFabric(t testing.TB, objects int) string {
	t.Helper()
	snapshot, config := generate.Fabric(min(objects, generate.Most))
	rows := &snapshot.Rows
	server := slices.IndexFunc(rows.DeviceRoles, func(r netbox.DeviceRole) bool { return r.Slug == "server" })
	like := rows.Devices[slices.IndexFunc(rows.Devices, func(d netbox.Device) bool { return d.Role == rows.DeviceRoles[server].ID })]
	for i := range rows.Devices {
		if rows.Devices[i].Role == like.Role {
			rows.Devices[i].Description = hostile
		}
	}
	for i := generate.Most; i < objects; i++ {
		like.ID = netbox.ID(len(rows.Devices) + 1)
		like.Name = fmt.Sprintf("@acme/network fixes #%d <b>`", i)
		like.Description = hostile
		rows.Devices = append(rows.Devices, like)
	}
	snapshot.ChangeID = 7
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "netbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := bufio.NewWriter(file)
	if _, err := snapshot.WriteTo(out); err != nil {
		t.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if config.Site != generate.Name {
		t.Fatalf("the fabric is the site %s", config.Site)
	}
	return file.Name()
}

// harmless reports what in a Markdown text would do something: outside of code there
// must be nothing that calls people, refers to issues or is HTML of somebody else's.
func harmless(text string) []string {
	text = regexp.MustCompile(`(?s)\A<!-- gitsync .*? -->`).ReplaceAllString(text, "")
	text = regexp.MustCompile("(?ms)^(`{3,}|~{3,}).*?^(`{3,}|~{3,})$").ReplaceAllString(text, "")
	text = regexp.MustCompile("(?s)(``+) .*? (``+)|`[^`]*`").ReplaceAllString(text, "")
	text = regexp.MustCompile(`</?(details|summary|b|code|sub|kbd)>|<br>`).ReplaceAllString(text, "")
	return regexp.MustCompile(`@[A-Za-z]\S*|(^|[^&\w])#\d+|(?i)\b(fixes|closes|resolves) [\w/]*#\d+|<[A-Za-z!/]\S*|javascript:`).FindAllString(text, -1)
}

// TestAHostileFabricMakesAHarmlessPullRequest: 70,000 objects, whose names and texts
// try everything.
func TestAHostileFabricMakesAHarmlessPullRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("70,000 objects take a while")
	}
	t.Parallel()
	const objects = 70_000
	hub := github.Start(t, github.Options{})
	file := hugeFabric(t, objects)
	getenv := env("GITHUB_TOKEN", hub.Token("netbot", github.Write()),
		"GITHUB_SERVER_URL", hub.WebURL, "GITHUB_API_URL", hub.URL, "GITHUB_GRAPHQL_URL", hub.GraphQLURL)
	began := time.Now()
	out, said := mustRun(t, getenv, "publish", "--fabric", generate.Name, "--snapshot", file, "--repo", hub.Repo.URL, "--json")
	t.Logf("publishing %d objects took %s", objects, time.Since(began).Round(time.Second))
	var view publishView
	if err := json.Unmarshal([]byte(out), &view); err != nil {
		t.Fatal(err)
	}
	if view.Fabrics[0].Objects != objects || view.Fabrics[0].Proposals[0].Operation != gitsync.Opened {
		t.Fatalf("%d objects, %s\n%s", view.Fabrics[0].Objects, view.Fabrics[0].Proposals[0].Operation, said)
	}
	pr := hub.PullRequests()[0]
	if n := len(pr.Body); n > 65536 || n < 2000 {
		t.Errorf("the text has %d bytes", n)
	}
	for what, text := range map[string]string{"title": pr.Title, "text": pr.Body} {
		for _, found := range harmless(text) {
			t.Errorf("the %s holds %q", what, found)
		}
	}
	holds(t, "the text", pr.Body, "70,000 objects change")
	if n := strings.Count(pr.Body, "<details>") - strings.Count(pr.Body, "</details>"); n != 0 {
		t.Errorf("%d sections do not end", n)
	}
	message := hub.Repo.Git(t, "log", "-1", "--format=%B", "hedgehog-gitops/"+generate.Name)
	if len(message) > 20_000 {
		t.Errorf("the commit's message has %d bytes", len(message))
	}
	for _, found := range regexp.MustCompile(`@acme|#\d|\[skip ci\]`).FindAllString(message, -1) {
		t.Errorf("the commit's message holds %q", found)
	}
	if files := strings.Count(hub.Repo.Git(t, "ls-tree", "-r", "--name-only", "hedgehog-gitops/"+generate.Name), "\n"); files < objects {
		t.Errorf("the branch has %d files", files)
	}
	hub.Requests()
	began = time.Now()
	mustRun(t, getenv, "publish", "--fabric", generate.Name, "--snapshot", file, "--repo", hub.Repo.URL, "--quiet")
	t.Logf("finding nothing new took %s", time.Since(began).Round(time.Second))
	for _, r := range hub.Requests() {
		if r.Writes {
			t.Errorf("the second run wrote: %s %s", r.Method, r.Path)
		}
	}
}
