package render

import (
	"bytes"
	"fmt"
	"strings"

	"hedgehog-gitops/render/hedgehog"
)

// verdict is what happens to one file of ours, or of somebody else.
type verdict int

const (
	// nothing: there is no file and none is wanted.
	nothing verdict = iota
	// fine: the file is what is wanted, whoever wrote it.
	fine
	// write: the wanted bytes are written.
	write
	// remove: the file is ours and no longer wanted.
	remove
	// edited: somebody changed the file and NetBox still says what it said: left.
	edited
	// held: somebody deleted the file and NetBox still says what it said: left.
	held
	// foreign: nobody of ours wrote the file, and its path is not wanted: left.
	foreign
	// conflictEdited, conflictDeleted and conflictForeign: somebody changed,
	// deleted or put there a file that NetBox changed or wants: only people can
	// tell who is right.
	conflictEdited
	conflictDeleted
	conflictForeign
	// reverted: it was merged, somebody took the merge back, and NetBox still says what
	// was merged: left.
	reverted
)

// file is all that decides about one path.
type file struct {
	// wanted is what NetBox gives, nil when it gives no such file.
	wanted []byte
	// merged is what the repository holds, nil when it holds no such file.
	merged []byte
	// locked is what the lock says was written, nil when it does not list the path.
	locked *LockedFile
	// sameRows says that the rows of NetBox are those of the last time, so that
	// other bytes are the tool's own change.
	sameRows bool
}

// judge decides about one file. Only paths that a lock lists with the bytes they
// hold are ever rewritten or removed, unless overwrite is set, which takes
// people's changes back; a file that no lock lists and nothing wants stays even
// then.
func judge(f file, overwrite bool) verdict {
	if f.wanted == nil && f.merged == nil {
		return nothing
	}
	if f.wanted != nil && f.merged != nil && bytes.Equal(f.wanted, f.merged) {
		return fine
	}
	if f.locked == nil {
		switch {
		case f.wanted == nil:
			return foreign
		case f.merged == nil, overwrite:
			return write
		}
		return conflictForeign
	}

	ours := f.merged != nil && digest(f.merged) == f.locked.Digest
	if ours || overwrite {
		if f.wanted == nil {
			return remove
		}
		return write
	}
	same := f.wanted != nil && (digest(f.wanted) == f.locked.Digest || f.sameRows)
	switch {
	case f.merged == nil && same:
		return held
	case f.merged == nil:
		return conflictDeleted
	case same:
		return edited
	}
	return conflictEdited
}

// refusal returns what the lock should say of a file that people took back, nil when
// they did not, or when NetBox wants something else there by now. Back is the content
// that was merged, nil for a removal, if isBack.
func (f file) refusal(back []byte, isBack bool, w wantedFile) *LockedFile {
	wanted := digestOrNone(f.wanted)
	switch {
	case f.wanted == nil && f.merged == nil, digestOrNone(f.merged) == wanted:
	case f.locked != nil && f.locked.Held == HeldReverted && (f.locked.Digest == wanted || f.sameRows):
		return f.locked
	case isBack && digestOrNone(back) == wanted:
		return &LockedFile{Digest: wanted, Held: HeldReverted, Stands: digestOrNone(f.merged), Origins: w.origins, Rows: w.rows}
	}
	return nil
}

// standing returns the lock of what stands in the place of a file that was taken back,
// nil when nothing does: from there on it is a file like any other.
func (l *LockedFile) standing() *LockedFile {
	switch {
	case l == nil || l.Held != HeldReverted:
		return l
	case l.Stands == "":
		return nil
	}
	return &LockedFile{Digest: l.Stands, Origins: l.Origins, Rows: l.Rows}
}

// concern is a file that an issue is about.
type concern struct {
	path string
	key  hedgehog.Key
	// origins are the NetBox objects that the file is made of.
	origins []string
	// gone is whether NetBox no longer has the object.
	gone bool
	// there is whether there is a file.
	there bool
	// deploys is whether the file is in base/deploy.
	deploys bool
}

// netbox names what the file comes from, in the middle of a sentence.
func (c concern) netbox() string {
	text := "what is rendered"
	if c.deploys {
		text = "the object that leads to one of the fabric's roots"
	}
	if c.key != (hedgehog.Key{}) {
		text = c.key.String() + " in NetBox"
	}
	if len(c.origins) > 0 {
		text += " (" + strings.Join(c.origins, ", ") + ")"
	}
	return text
}

// drop says how the file is no longer wanted.
func (c concern) drop() string {
	if c.deploys {
		return "turn the tool off under deploy in hedgehog-gitops.yaml"
	}
	return "remove the object from NetBox"
}

// issue returns what to tell about the verdict; nil when there is nothing to tell.
func (v verdict) issue(c concern) *hedgehog.Issue {
	instead := "put the change into NetBox, or as a patch into overlays/, "
	if c.deploys {
		instead = "say under deploy in hedgehog-gitops.yaml what it should be, "
	}
	issue := hedgehog.Issue{Severity: hedgehog.Error, Object: c.key, Origin: hedgehog.Origin{File: c.path}}
	did := "changed"
	if c.gone {
		did = "dropped"
	}
	switch v {
	case edited:
		issue.Rule, issue.Severity = "file-edited", hedgehog.Warning
		issue.Summary = c.path + " was edited by hand and is left as it is"
		issue.Hint = instead + "and run with --overwrite to take the edit back"
	case held:
		issue.Rule, issue.Severity = "file-deleted", hedgehog.Warning
		issue.Summary = fmt.Sprintf("%s was deleted by hand and stays deleted, although %s is still there", c.path, c.netbox())
		issue.Hint = c.drop() + ", or run with --overwrite to write the file again"
	case reverted:
		issue.Rule, issue.Severity = "file-reverted", hedgehog.Warning
		issue.Hint = "put NetBox right, or run with --overwrite to write what it says"
		switch {
		case c.gone:
			issue.Summary = fmt.Sprintf("%s was removed, which somebody took back in Git, and is left there, although %s is gone", c.path, c.netbox())
		case c.there:
			issue.Summary = fmt.Sprintf("%s was changed, which somebody took back in Git, and is left as it is, although %s still says so", c.path, c.netbox())
		default:
			issue.Summary = fmt.Sprintf("%s was added, which somebody took back in Git, and is left out, although %s is still there", c.path, c.netbox())
		}
	case foreign:
		issue.Rule, issue.Severity = "file-foreign", hedgehog.Warning
		issue.Summary = c.path + " is not a file of hedgehog-gitops and is left as it is; nothing in base/ uses it"
		issue.Hint = "move it to extra/ if the cluster should get it, or remove it; --overwrite leaves it too"
	case conflictEdited:
		issue.Rule = "file-edited-and-changed"
		issue.Summary = fmt.Sprintf("%s was edited by hand, and meanwhile %s was %s", c.path, c.netbox(), did)
		issue.Hint = instead + "then run with --overwrite to replace the file"
	case conflictDeleted:
		issue.Rule = "file-deleted-and-changed"
		issue.Summary = fmt.Sprintf("%s was deleted by hand, and meanwhile %s was %s", c.path, c.netbox(), did)
		issue.Hint = c.drop() + ", or run with --overwrite to write the file again"
	case conflictForeign:
		issue.Rule = "file-in-the-way"
		issue.Summary = fmt.Sprintf("%s is not a file of hedgehog-gitops, and %s wants to be written there", c.path, c.netbox())
		issue.Hint = "move the file away, or run with --overwrite to replace it"
	default:
		return nil
	}
	return &issue
}
