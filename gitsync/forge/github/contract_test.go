package github_test

import (
	"testing"

	hub "hedgehog-gitops/fixtures/github"
	"hedgehog-gitops/gitsync/forge/forgetest"
	"hedgehog-gitops/gitsync/forge/github"
)

// options are those for the server, with no pauses.
func options(s *hub.Server, token string) github.Options {
	return github.Options{
		Repository: s.Owner + "/" + s.Name, ServerURL: s.WebURL, APIURL: s.URL, GraphQLURL: s.GraphQLURL,
		Token: token, FirstWait: 1, Pace: -1,
	}
}

func connect(t *testing.T, o github.Options) *github.Forge {
	t.Helper()
	f, err := github.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// identities are those who a forge can be: each makes the options.
func identities() map[string]func(*hub.Server) github.Options {
	return map[string]func(*hub.Server) github.Options{
		"a person's token": func(s *hub.Server) github.Options { return options(s, s.Token("robot", hub.Write())) },
		"GITHUB_TOKEN":     func(s *hub.Server) github.Options { return options(s, s.ActionsToken(hub.Write())) },
		"an App": func(s *hub.Server) github.Options {
			app := s.App("hedgehog", hub.Write())
			o := options(s, "")
			o.App = github.App{ID: app.ID, Key: app.Key}
			return o
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, func(t *testing.T) forgetest.Setup { return setup(t, hub.Options{}, identities()["an App"]) })
}

// Enterprise servers have the API elsewhere; some plans have neither drafts nor
// auto-merge.
func TestContractOnAnEnterpriseServer(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, func(t *testing.T) forgetest.Setup {
		return setup(t, hub.Options{Enterprise: true, Private: true, NoDrafts: true, NoAutoMerge: true}, identities()["a person's token"])
	})
}

func setup(t *testing.T, serverOptions hub.Options, identity func(*hub.Server) github.Options) forgetest.Setup {
	s := hub.Start(t, serverOptions)
	s.Invite("alice", "admin")
	alice, people := s.Person("alice"), map[string]hub.Person{"bob": s.Person("bob"), "carol": s.Person("carol")}
	s.Protect("main", 1)
	o := identity(s)
	reader := s.Token("reader", hub.Read())
	missing := options(s, s.Token("robot", hub.Write())) // an App cannot even ask
	missing.Repository = s.Owner + "/missing"
	return forgetest.Setup{
		Forge:     connect(t, o),
		Remote:    s.Repo.Dir,
		Base:      "main",
		Users:     [2]string{"bob", "carol"},
		Stranger:  "mallory",
		Review:    func(_ testing.TB, number int, user string) { people[user].Approve(number) },
		Merge:     func(_ testing.TB, number int, method string) { alice.Merge(number, method) },
		Drafts:    !serverOptions.NoDrafts,
		AutoMerge: !serverOptions.NoAutoMerge,
		ReadOnly:  connect(t, options(s, reader)),
		Missing:   connect(t, missing),
		Secrets:   []string{"SECRET"},
	}
}

func TestWriterContract(t *testing.T) {
	t.Parallel()
	for name, verified := range map[string]bool{"a person's token": false, "GITHUB_TOKEN": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forgetest.RunWriter(t, func(t *testing.T) forgetest.WriterSetup {
				return setupWriter(t, hub.Options{}, identities()[name], verified)
			})
		})
	}
}

// A tree that GitHub does not tell in one answer is read folder by folder.
func TestWriterContractWithCutTrees(t *testing.T) {
	t.Parallel()
	forgetest.RunWriter(t, func(t *testing.T) forgetest.WriterSetup {
		return setupWriter(t, hub.Options{TreeLimit: 8}, identities()["an App"], true)
	})
}

func setupWriter(t *testing.T, serverOptions hub.Options, identity func(*hub.Server) github.Options, verified bool) forgetest.WriterSetup {
	s := hub.Start(t, serverOptions)
	s.Invite("alice", "admin")
	return forgetest.WriterSetup{
		Writer:   connect(t, identity(s)).Writer(),
		Remote:   s.Repo.Dir,
		Base:     "main",
		Protect:  func(_ testing.TB, branch string) { s.Protect(branch, 0) },
		ReadOnly: connect(t, options(s, s.Token("reader", hub.Read()))).Writer(),
		Verified: verified,
		Secrets:  []string{"SECRET"},
	}
}
