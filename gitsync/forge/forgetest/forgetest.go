// Package forgetest is the contract of a forge as a suite of tests: what every
// gitsync.Forge does, whatever the server behind it.
//
//	func TestContract(t *testing.T) { forgetest.Run(t, setup) }
//	func TestWriterContract(t *testing.T) { forgetest.RunWriter(t, setupWriter) }
//
// A server plays the people too: who pushes, reviews and merges is told by a
// [Setup]. Branches are read and pushed with the real git.
package forgetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hedgehog-gitops/gitsync"
)

// Setup is a forge to be tested, a repository on it that no other test uses, and
// the people around it.
type Setup struct {
	Forge gitsync.Forge
	// Remote is what git pushes to and fetches from, with the credentials of
	// somebody who may do both.
	Remote string
	// Base is the default branch. It has at least one commit.
	Base string
	// Users are two people who may be assigned and asked for a review; neither is
	// who the forge's credentials belong to. Stranger may not.
	Users    [2]string
	Stranger string
	// Review approves the pull request as the user.
	Review func(t testing.TB, number int, user string)
	// Merge merges the pull request as somebody who may; method is merge, squash or
	// rebase.
	Merge func(t testing.TB, number int, method string)
	// Drafts and AutoMerge are whether the forge has them; where it has not, it says
	// ErrUnsupported. With AutoMerge, something is required of a pull request into
	// Base that a new one does not have.
	Drafts, AutoMerge bool
	// ReadOnly is the same forge with credentials that may read and nothing else.
	ReadOnly gitsync.Forge
	// Missing is the forge of a repository that does not exist.
	Missing gitsync.Forge
	// Secrets may stand in no error.
	Secrets []string
}

// Run tests a forge; setup is called for each test.
func Run(t *testing.T, setup func(*testing.T) Setup) {
	for name, test := range map[string]func(*testing.T, bench){
		"a pull request is opened and found":                   opens,
		"a second one for the same branches exists already":    exists,
		"only those of exactly this branch are found":          findsExactly,
		"closed and merged ones are found, newest first":       findsEnded,
		"one is found whose branch is deleted":                 findsDeleted,
		"what is not there cannot be opened":                   opensNothing,
		"its head is where the branch stands":                  followsHead,
		"an edit changes what it names":                        edits,
		"it is closed and opened again":                        closesAndReopens,
		"text survives byte for byte":                          keepsText,
		"the limit of a body is a limit":                       limitsBodies,
		"comments are added, listed and edited":                comments,
		"more comments than a page":                            manyComments,
		"labels are added to those that are there":             labels,
		"assignees are added to those that are there":          assignees,
		"reviewers are asked, once":                            reviewers,
		"who has reviewed is known":                            reviewed,
		"it is merged by a merge commit":                       merges("merge"),
		"it is merged as one commit":                           merges("squash"),
		"it is merged by a rebase":                             merges("rebase"),
		"it is a draft, and ready":                             drafts,
		"it waits to be merged":                                autoMerges,
		"what does not exist is not found":                     missing,
		"who may only read is told so":                         denied,
		"it says who it is and how much text it takes in once": traits,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			test(t, bench{s, clone(t, s.Remote)})
		})
	}
}

// bench is a setup with the repository at hand.
type bench struct {
	Setup
	repository
}

// branch is the usual name of a branch of ours.
const branch = "hedgehog-gitops/fabric-a"

// open pushes a change to the branch and opens a pull request for it.
func (b bench) open(t *testing.T, branch string) gitsync.PullRequest {
	t.Helper()
	b.change(t, branch)
	pr, err := b.Forge.Open(t.Context(), gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: "feat: a change", Body: "the body"})
	if err != nil {
		t.Fatalf("opening a pull request: %v", err)
	}
	return pr
}

// change puts a commit on top of the base at the branch.
func (b bench) change(t *testing.T, branch string) gitsync.Hash {
	t.Helper()
	return b.push(t, branch, b.head(t, b.Base), map[string]string{"fabrics/a.yaml": branch + "\n"})
}

// find returns the pull request of the number as the branch's list has it.
func (b bench) find(t *testing.T, branch string, number int) gitsync.PullRequest {
	t.Helper()
	all := b.list(t, branch)
	i := slices.IndexFunc(all, func(pr gitsync.PullRequest) bool { return pr.Number == number })
	if i < 0 {
		t.Fatalf("the pull requests of %s have no #%d: %+v", branch, number, all)
	}
	return all[i]
}

func (b bench) list(t *testing.T, branch string) []gitsync.PullRequest {
	t.Helper()
	all, err := b.Forge.PullRequests(t.Context(), branch)
	if err != nil {
		t.Fatalf("listing the pull requests of %s: %v", branch, err)
	}
	return all
}

func numbers(all []gitsync.PullRequest) []int {
	n := []int{}
	for _, pr := range all {
		n = append(n, pr.Number)
	}
	return n
}

// want fails the test unless err is of the kind, and shows no secret.
func (b bench) want(t *testing.T, doing string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error %v, want one that is %q", doing, err, kind)
	}
	b.noSecret(t, err)
}

func (b bench) noSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range b.Secrets {
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("an error shows a secret: %v", err)
		}
	}
}

func traits(t *testing.T, b bench) {
	traits := b.Forge.Traits()
	if traits.Name == "" {
		t.Error("the forge has no name")
	}
	if traits.BodyLimit < 10_000 {
		t.Errorf("a body may have %d characters: nobody can work with that", traits.BodyLimit)
	}
	if diff := cmp.Diff(traits, b.Forge.Traits()); diff != "" {
		t.Errorf("it says something else the second time (-first +second):\n%s", diff)
	}
}

func opens(t *testing.T, b bench) {
	head := b.change(t, branch)
	want := gitsync.PullRequest{
		State: gitsync.Open, Title: "feat(fabric-a): add VPC web", Body: "what changes\n", Base: b.Base, Head: branch,
		HeadCommit: head, Author: b.Forge.Traits().Login,
	}
	opened, err := b.Forge.Open(t.Context(), gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: want.Title, Body: want.Body})
	if err != nil {
		t.Fatal(err)
	}
	if opened.Number < 1 || !strings.HasPrefix(opened.URL, "http") {
		t.Errorf("it has the number %d and the address %q", opened.Number, opened.URL)
	}
	want.Number, want.URL, want.ID = opened.Number, opened.URL, opened.ID
	if want.Author == "" { // the forge does not tell who we are
		want.Author = opened.Author
	}
	if diff := cmp.Diff(want, emptied(opened)); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	if all := b.list(t, branch); len(all) != 1 {
		t.Errorf("%d pull requests are found, want 1", len(all))
	}
	if diff := cmp.Diff(want, emptied(b.find(t, branch, opened.Number))); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

// emptied has no lists that are not nil and empty: they mean the same.
func emptied(pr gitsync.PullRequest) gitsync.PullRequest {
	for _, list := range []*[]string{&pr.Labels, &pr.Assignees, &pr.Reviewers, &pr.Reviewed} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	return pr
}

func exists(t *testing.T, b bench) {
	first := b.open(t, branch)
	again := gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: "again", Body: "again"}
	_, err := b.Forge.Open(t.Context(), again)
	b.want(t, "opening a second one", err, gitsync.ErrExists)
	if pr := b.find(t, branch, first.Number); pr.Title != first.Title || len(b.list(t, branch)) != 1 {
		t.Errorf("the second one changed something: %+v", pr)
	}
	closed := gitsync.Closed
	if err := b.Forge.Edit(t.Context(), first.Number, gitsync.Edit{State: &closed}); err != nil {
		t.Fatal(err)
	}
	second, err := b.Forge.Open(t.Context(), again)
	if err != nil || second.Number == first.Number {
		t.Errorf("after the first is closed: #%d, %v; want a new one", second.Number, err)
	}
}

func findsExactly(t *testing.T, b bench) {
	all := map[string]int{}
	for _, name := range []string{branch, branch + "-upgrade", "Hedgehog-gitops/fabric-a", "x/" + branch, "fabric-a", "größe/漢字"} {
		all[name] = b.open(t, name).Number
	}
	for name, number := range all {
		if diff := cmp.Diff([]int{number}, numbers(b.list(t, name))); diff != "" {
			t.Errorf("pull requests of %s (-want +got):\n%s", name, diff)
		}
	}
	for _, name := range []string{"hedgehog-gitops", "hedgehog-gitops/", "hedgehog-gitops/fabric", b.Base, "none"} {
		if got := b.list(t, name); len(got) != 0 {
			t.Errorf("pull requests of %s: %+v, want none", name, got)
		}
	}
}

func findsEnded(t *testing.T, b bench) {
	closed, first := gitsync.Closed, b.open(t, branch)
	if err := b.Forge.Edit(t.Context(), first.Number, gitsync.Edit{State: &closed}); err != nil {
		t.Fatal(err)
	}
	second := b.open(t, branch)
	b.Merge(t, second.Number, "merge")
	b.push(t, branch, b.head(t, b.Base), map[string]string{"fabrics/b.yaml": "b\n"})
	third, err := b.Forge.Open(t.Context(), gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: "third", Body: "3"})
	if err != nil {
		t.Fatal(err)
	}
	all := b.list(t, branch)
	if diff := cmp.Diff([]int{third.Number, second.Number, first.Number}, numbers(all)); diff != "" {
		t.Fatalf("the pull requests (-want +got):\n%s", diff)
	}
	for i, want := range []string{gitsync.Open, gitsync.Merged, gitsync.Closed} {
		if all[i].State != want {
			t.Errorf("#%d is %s, want %s", all[i].Number, all[i].State, want)
		}
	}
}

func findsDeleted(t *testing.T, b bench) {
	pr := b.open(t, branch)
	b.Merge(t, pr.Number, "squash")
	b.remove(t, branch)
	got := b.find(t, branch, pr.Number)
	if got.State != gitsync.Merged || got.Head != branch || got.HeadCommit != pr.HeadCommit {
		t.Errorf("found %+v, want it merged, with the head it had", got)
	}
}

func opensNothing(t *testing.T, b bench) {
	b.change(t, branch)
	for name, want := range map[string]gitsync.NewPullRequest{
		"a head that does not exist": {Base: b.Base, Head: "no/such/branch"},
		"a base that does not exist": {Base: "no/such/base", Head: branch},
	} {
		want.Title, want.Body = "t", "b"
		_, err := b.Forge.Open(t.Context(), want)
		b.want(t, name, err, gitsync.ErrNotFound)
		if err != nil && !strings.Contains(err.Error(), "no/such/b") {
			t.Errorf("%s: %v, which does not name it", name, err)
		}
	}
	if all := b.list(t, branch); len(all) != 0 {
		t.Errorf("there are pull requests now: %+v", all)
	}
}

func followsHead(t *testing.T, b bench) {
	pr := b.open(t, branch)
	head := b.push(t, branch, pr.HeadCommit, map[string]string{"fabrics/b.yaml": "b\n"})
	if got := b.find(t, branch, pr.Number).HeadCommit; got != head {
		t.Errorf("after a push its head is %s, want %s", got, head)
	}
	head = b.push(t, branch, b.head(t, b.Base), map[string]string{"fabrics/c.yaml": "c\n"})
	if got := b.find(t, branch, pr.Number).HeadCommit; got != head {
		t.Errorf("after a forced push its head is %s, want %s", got, head)
	}
}

func edits(t *testing.T, b bench) {
	pr := b.open(t, branch)
	title, body, empty := "fix: another title", "another\nbody", ""
	for _, step := range []struct {
		name string
		edit gitsync.Edit
		want [2]string
	}{
		{"nothing", gitsync.Edit{}, [2]string{pr.Title, pr.Body}},
		{"the title", gitsync.Edit{Title: &title}, [2]string{title, pr.Body}},
		{"the body", gitsync.Edit{Body: &body}, [2]string{title, body}},
		{"an empty body", gitsync.Edit{Body: &empty}, [2]string{title, ""}},
		{"both", gitsync.Edit{Title: &pr.Title, Body: &pr.Body}, [2]string{pr.Title, pr.Body}},
	} {
		if err := b.Forge.Edit(t.Context(), pr.Number, step.edit); err != nil {
			t.Fatalf("editing %s: %v", step.name, err)
		}
		got := b.find(t, branch, pr.Number)
		if diff := cmp.Diff(step.want, [2]string{got.Title, got.Body}); diff != "" {
			t.Errorf("after editing %s (-want +got):\n%s", step.name, diff)
		}
		if got.State != gitsync.Open {
			t.Errorf("after editing %s it is %s", step.name, got.State)
		}
	}
}

func closesAndReopens(t *testing.T, b bench) {
	pr := b.open(t, branch)
	for _, state := range []string{gitsync.Closed, gitsync.Closed, gitsync.Open, gitsync.Open} {
		if err := b.Forge.Edit(t.Context(), pr.Number, gitsync.Edit{State: &state}); err != nil {
			t.Fatalf("making it %s: %v", state, err)
		}
		if got := b.find(t, branch, pr.Number); got.State != state || got.Title != pr.Title || got.Body != pr.Body {
			t.Errorf("it is %+v, want it %s and else as it was", got, state)
		}
	}
}

// text is what people and their tools write, and what they should not.
const text = "<!-- hedgehog-gitops: {\"digest\":\"0a1b\"} -->\n" +
	"# Größe, 漢字, עברית \u202e, e\u0301, 👩‍👩‍👧 🦔\u00a0\n\n" +
	"@org/team fixes #1, closes org/repo#2 <script>alert(1)</script> &amp; & < > \" ' \\ \\n %s %20 {{.}} ${HOME} $(id)\n\n" +
	"````yaml\na: |\n\t`b`\n```\n````\n\n<details><summary>s</summary>\n\n| a | b |\n|---|---|\n| 1 \\| 2 | 3 |\n\n</details>\n" +
	"trailing  \n\n\n\u2028 the end"

func keepsText(t *testing.T, b bench) {
	b.change(t, branch)
	title := `feat(größe): "漢字" 🦔 <b>@org/team</b> fixes #1 \n %s & &amp; ` + "`x`"
	pr, err := b.Forge.Open(t.Context(), gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: title, Body: text})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([2]string{title, text}, [2]string{pr.Title, pr.Body}); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	found := b.find(t, branch, pr.Number)
	if diff := cmp.Diff([2]string{title, text}, [2]string{found.Title, found.Body}); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	comment, err := b.Forge.Comment(t.Context(), pr.Number, text)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := b.Forge.Comments(t.Context(), pr.Number)
	if err != nil || len(listed) != 1 {
		t.Fatalf("comments: %v, %v", listed, err)
	}
	if diff := cmp.Diff([2]string{text, text}, [2]string{comment.Body, listed[0].Body}); diff != "" {
		t.Errorf("comment (-want +got):\n%s", diff)
	}
}

func limitsBodies(t *testing.T, b bench) {
	limit := b.Forge.Traits().BodyLimit
	b.change(t, branch)
	full := strings.Repeat("0123456789abcde\n", limit/16+1)[:limit-1] + "."
	pr, err := b.Forge.Open(t.Context(), gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: "full", Body: full})
	if err != nil {
		t.Fatalf("opening one with a body of %d: %v", limit, err)
	}
	if got := b.find(t, branch, pr.Number).Body; got != full {
		t.Errorf("a body of %d came back with %d", limit, len(got))
	}
	if _, err := b.Forge.Comment(t.Context(), pr.Number, full); err != nil {
		t.Errorf("a comment of %d: %v", limit, err)
	}
	over := full + "x"
	if err := b.Forge.Edit(t.Context(), pr.Number, gitsync.Edit{Body: &over}); err == nil {
		t.Errorf("a body of %d was taken", len(over))
	}
	if _, err := b.Forge.Comment(t.Context(), pr.Number, over); err == nil {
		t.Errorf("a comment of %d was taken", len(over))
	}
	if got := b.find(t, branch, pr.Number).Body; got != full {
		t.Errorf("what was refused has changed the body: it has %d", len(got))
	}
}

func comments(t *testing.T, b bench) {
	pr, other := b.open(t, branch), b.open(t, "other")
	if all, err := b.Forge.Comments(t.Context(), pr.Number); err != nil || len(all) != 0 {
		t.Fatalf("a new one has the comments %v, %v", all, err)
	}
	want := []gitsync.Comment{}
	for _, body := range []string{"first", "second", "third"} {
		c, err := b.Forge.Comment(t.Context(), pr.Number, body)
		if err != nil {
			t.Fatal(err)
		}
		if c.ID == 0 || c.Body != body || c.Author != pr.Author {
			t.Errorf("commented %+v, want %s by %s, and an id", c, body, pr.Author)
		}
		want = append(want, c)
	}
	if err := b.Forge.EditComment(t.Context(), want[1].ID, "edited"); err != nil {
		t.Fatal(err)
	}
	want[1].Body = "edited"
	got, err := b.Forge.Comments(t.Context(), pr.Number)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("comments: %v (-want +got):\n%s", err, diff)
	}
	if all, err := b.Forge.Comments(t.Context(), other.Number); err != nil || len(all) != 0 {
		t.Errorf("another pull request has the comments %v, %v", all, err)
	}
	err = b.Forge.EditComment(t.Context(), want[2].ID+1_000_000, "x")
	b.want(t, "editing a comment that is not there", err, gitsync.ErrNotFound)
}

func manyComments(t *testing.T, b bench) {
	pr := b.open(t, branch)
	var want []string
	for i := range 103 { // no forge has larger pages than 100
		body := fmt.Sprintf("comment %d", i)
		if _, err := b.Forge.Comment(t.Context(), pr.Number, body); err != nil {
			t.Fatal(err)
		}
		want = append(want, body)
	}
	all, err := b.Forge.Comments(t.Context(), pr.Number)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, c.Body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
}

// sorted is a copy, so that lists can be compared as sets.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func labels(t *testing.T, b bench) {
	pr := b.open(t, branch)
	add := func(names ...string) {
		t.Helper()
		if err := b.Forge.AddLabels(t.Context(), pr.Number, names); err != nil {
			t.Errorf("adding the labels %q: %v", names, err)
		}
	}
	expect := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(sorted(want), sorted(b.find(t, branch, pr.Number).Labels)); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
	}
	add("people's own")
	add("netbox", "größe: 漢字 🦔")
	expect("people's own", "netbox", "größe: 漢字 🦔")
	add("netbox", "people's own")
	add()
	expect("people's own", "netbox", "größe: 漢字 🦔")

	long := strings.Repeat("long", 30)
	err := b.Forge.AddLabels(t.Context(), pr.Number, []string{"before", long, "after"})
	if err == nil || !strings.Contains(err.Error(), long[:20]) {
		t.Errorf("a label that is too long: %v, want an error that names it", err)
	}
	expect("people's own", "netbox", "größe: 漢字 🦔", "before", "after")

	// Another pull request may have the same.
	second := b.open(t, "second")
	if err := b.Forge.AddLabels(t.Context(), second.Number, []string{"netbox"}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"netbox"}, b.find(t, "second", second.Number).Labels); diff != "" {
		t.Errorf("labels of the second (-want +got):\n%s", diff)
	}
}

func assignees(t *testing.T, b bench) {
	pr := b.open(t, branch)
	expect := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(sorted(want), sorted(b.find(t, branch, pr.Number).Assignees)); diff != "" {
			t.Errorf("assignees (-want +got):\n%s", diff)
		}
	}
	for range 2 {
		if err := b.Forge.AddAssignees(t.Context(), pr.Number, []string{b.Users[0]}); err != nil {
			t.Fatal(err)
		}
		expect(b.Users[0])
	}
	err := b.Forge.AddAssignees(t.Context(), pr.Number, []string{b.Stranger, b.Users[1]})
	if err == nil || !strings.Contains(err.Error(), b.Stranger) {
		t.Errorf("assigning %s: %v, want an error that names it", b.Stranger, err)
	}
	b.noSecret(t, err)
	expect(b.Users[0], b.Users[1])
}

func reviewers(t *testing.T, b bench) {
	pr := b.open(t, branch)
	expect := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(sorted(want), sorted(b.find(t, branch, pr.Number).Reviewers)); diff != "" {
			t.Errorf("reviewers (-want +got):\n%s", diff)
		}
	}
	for range 2 {
		if err := b.Forge.RequestReviewers(t.Context(), pr.Number, []string{b.Users[0]}); err != nil {
			t.Fatal(err)
		}
		expect(b.Users[0])
	}
	err := b.Forge.RequestReviewers(t.Context(), pr.Number, []string{b.Stranger, b.Users[1]})
	if err == nil || !strings.Contains(err.Error(), b.Stranger) {
		t.Errorf("asking %s: %v, want an error that names it", b.Stranger, err)
	}
	b.noSecret(t, err)
	expect(b.Users[0], b.Users[1])
}

func reviewed(t *testing.T, b bench) {
	pr := b.open(t, branch)
	if got := b.find(t, branch, pr.Number).Reviewed; len(got) != 0 {
		t.Errorf("a new one is reviewed by %v", got)
	}
	if err := b.Forge.RequestReviewers(t.Context(), pr.Number, b.Users[:1]); err != nil {
		t.Fatal(err)
	}
	b.Review(t, pr.Number, b.Users[0])
	if diff := cmp.Diff(b.Users[:1], b.find(t, branch, pr.Number).Reviewed); diff != "" {
		t.Errorf("reviewed by (-want +got):\n%s", diff)
	}
}

func merges(method string) func(*testing.T, bench) {
	return func(t *testing.T, b bench) {
		pr := b.open(t, branch)
		before := b.head(t, b.Base)
		b.Merge(t, pr.Number, method)
		got := b.find(t, branch, pr.Number)
		if got.State != gitsync.Merged {
			t.Fatalf("it is %s, want %s", got.State, gitsync.Merged)
		}
		if head := b.head(t, b.Base); got.MergeCommit != head || head == before {
			t.Errorf("it became %q, and %s went from %s to %s", got.MergeCommit, b.Base, before, head)
		}
		if got.Draft || got.Title != pr.Title || got.Body != pr.Body {
			t.Errorf("merging changed it: %+v", got)
		}
	}
}

func drafts(t *testing.T, b bench) {
	b.change(t, branch)
	pr, err := b.Forge.Open(t.Context(), gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: "feat: step 1 of 2", Body: "b", Draft: true})
	if !b.Drafts {
		b.want(t, "opening a draft", err, gitsync.ErrUnsupported)
		b.want(t, "making it a draft", b.Forge.SetDraft(t.Context(), b.open(t, branch), true), gitsync.ErrUnsupported)
		return
	}
	if err != nil {
		t.Fatalf("opening a draft: %v", err)
	}
	if !pr.Draft || pr.Title != "feat: step 1 of 2" {
		t.Errorf("opened %+v, want a draft with its title", pr)
	}
	for _, draft := range []bool{true, false, false, true} {
		if err := b.Forge.SetDraft(t.Context(), b.find(t, branch, pr.Number), draft); err != nil {
			t.Fatalf("draft %v: %v", draft, err)
		}
		got := b.find(t, branch, pr.Number)
		if got.Draft != draft || got.Title != "feat: step 1 of 2" || got.State != gitsync.Open {
			t.Errorf("it is %+v, want it open, draft %v, with its title", got, draft)
		}
	}
	title := "feat: another"
	if err := b.Forge.Edit(t.Context(), pr.Number, gitsync.Edit{Title: &title}); err != nil {
		t.Fatal(err)
	}
	if got := b.find(t, branch, pr.Number); !got.Draft || got.Title != title {
		t.Errorf("a new title made it %+v, want a draft with the title", got)
	}
}

func autoMerges(t *testing.T, b bench) {
	pr := b.open(t, branch)
	err := b.Forge.AutoMerge(t.Context(), pr, "squash")
	if !b.AutoMerge {
		b.want(t, "merging when all is there", err, gitsync.ErrUnsupported)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := b.find(t, branch, pr.Number)
	if !got.AutoMerge || got.State != gitsync.Open {
		t.Errorf("it is %+v, want it to wait", got)
	}
	for range 2 { // the second time there is nothing to take back
		if err := b.Forge.AutoMerge(t.Context(), got, ""); err != nil {
			t.Errorf("taking it back: %v", err)
		}
		if now := b.find(t, branch, pr.Number); now.AutoMerge {
			t.Errorf("it still waits: %+v", now)
		}
	}
}

func missing(t *testing.T, b bench) {
	const number = 4242
	ctx, closed := t.Context(), gitsync.Closed
	_, err := b.Forge.Comments(ctx, number)
	b.want(t, "comments", err, gitsync.ErrNotFound)
	_, err = b.Forge.Comment(ctx, number, "x")
	b.want(t, "a comment", err, gitsync.ErrNotFound)
	b.want(t, "an edit", b.Forge.Edit(ctx, number, gitsync.Edit{State: &closed}), gitsync.ErrNotFound)
	b.want(t, "labels", b.Forge.AddLabels(ctx, number, []string{"x"}), gitsync.ErrNotFound)
	b.want(t, "assignees", b.Forge.AddAssignees(ctx, number, b.Users[:1]), gitsync.ErrNotFound)
	b.want(t, "reviewers", b.Forge.RequestReviewers(ctx, number, b.Users[:1]), gitsync.ErrNotFound)

	_, err = b.Missing.PullRequests(ctx, branch)
	b.want(t, "listing in a repository that is not there", err, gitsync.ErrNotFound)
	_, err = b.Missing.Open(ctx, gitsync.NewPullRequest{Base: b.Base, Head: branch, Title: "t", Body: "b"})
	b.want(t, "opening in a repository that is not there", err, gitsync.ErrNotFound)
}

func denied(t *testing.T, b bench) {
	ctx, pr := t.Context(), b.open(t, branch)
	c, err := b.Forge.Comment(ctx, pr.Number, "hello")
	if err != nil {
		t.Fatal(err)
	}
	b.change(t, "other")
	title := "x"
	if all, err := b.ReadOnly.PullRequests(ctx, branch); err != nil || len(all) != 1 {
		t.Errorf("who may read lists %v, %v", all, err)
	}
	_, err = b.ReadOnly.Open(ctx, gitsync.NewPullRequest{Base: b.Base, Head: "other", Title: "t", Body: "b"})
	b.want(t, "opening", err, gitsync.ErrDenied)
	_, err = b.ReadOnly.Comment(ctx, pr.Number, "x")
	b.want(t, "a comment", err, gitsync.ErrDenied)
	b.want(t, "an edit", b.ReadOnly.Edit(ctx, pr.Number, gitsync.Edit{Title: &title}), gitsync.ErrDenied)
	b.want(t, "an edit of a comment", b.ReadOnly.EditComment(ctx, c.ID, "x"), gitsync.ErrDenied)
	b.want(t, "labels", b.ReadOnly.AddLabels(ctx, pr.Number, []string{"x"}), gitsync.ErrDenied)
	b.want(t, "assignees", b.ReadOnly.AddAssignees(ctx, pr.Number, b.Users[:1]), gitsync.ErrDenied)
	b.want(t, "reviewers", b.ReadOnly.RequestReviewers(ctx, pr.Number, b.Users[:1]), gitsync.ErrDenied)
	if got := b.find(t, branch, pr.Number); got.Title != pr.Title || len(got.Labels)+len(got.Assignees)+len(got.Reviewers) != 0 || len(b.list(t, "other")) != 0 {
		t.Errorf("who may only read has changed something: %+v", got)
	}
}
