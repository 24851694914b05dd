package main

type snapshotView struct {
	FormatVersion string      `json:"format_version"`
	File          string      `json:"file"`
	Changed       bool        `json:"changed"`
	Digest        string      `json:"digest"`
	ChangeID      int64       `json:"change_id"`
	Rows          int         `json:"rows"`
	Issues        []issueView `json:"issues"`
}

func (a *app) showSnapshot(r snapshotResult, f format, quiet bool) error {
	if f == formatJSON {
		return a.printJSON(snapshotView{jsonVersion, r.File, r.Changed, r.Digest, r.ChangeID, r.Rows, newIssueViews(r.Issues, r.NetBoxURL)})
	}
	a.printIssues(heard(r.Issues, quiet), r.NetBoxURL)
	if quiet || !r.Read {
		return nil
	}
	if !r.Changed {
		a.say("%s: nothing new in NetBox (%s, digest %.12s)", r.File, plural(r.Rows, "row"), r.Digest)
		return nil
	}
	a.say("%s: %s, digest %.12s, change %d of NetBox", r.File, plural(r.Rows, "row"), r.Digest, r.ChangeID)
	return nil
}
