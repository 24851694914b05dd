package render

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/overlay"
	"hedgehog-gitops/render/tree"
)

// Input is what [Plan] decides from.
type Input struct {
	// Fabric is the name of the fabric, one path element.
	Fabric string
	// Objects are the fabric's objects in canonical form, see [hedgehog.Default].
	Objects *hedgehog.Fabric
	// Settings are those of the installation, which [Checked.Validate] judges with.
	Settings hedgehog.Settings
	// Contents are the files of the objects, see [hedgehog.Marshal], where the caller has
	// them already; the others are made here.
	Contents map[hedgehog.Key][]byte
	// Merged is the repository as it is, from the folder in which fabrics/ stands.
	// Nothing outside the fabric's folder is looked at.
	Merged tree.Tree
	// Rows returns the digest of the rows of NetBox that an object was made of; nil
	// when it was not made of rows.
	Rows func([]hedgehog.Origin) string
	// Deploy says which objects of Argo CD and Flux lead to the roots.
	Deploy Deploy
	// Shards maps a stage to the number of hex digits that name its shards. A stage
	// that is not in it keeps the number it has, or gets the smallest that keeps
	// every root at 500 objects or fewer.
	Shards map[string]int
	// Overwrite takes people's changes to generated files back instead of leaving
	// them or refusing to go on.
	Overwrite bool
	// Reverted are files of the base folder that a merge brought and that somebody took
	// back since: path -> the content that was merged, nil when the merge removed the
	// file. They stay as they are while that is what NetBox wants.
	Reverted map[string][]byte
	// Later leaves files as they are merged that the tool alone changes: those whose
	// rows are what they were. [Output.Later] names them.
	Later bool
	// Standing are the objects that are not to become what Objects say yet, as a change
	// takes several steps.
	Standing map[hedgehog.Key]Standing
}

// Standing is what stands of an object until a later step.
type Standing struct {
	// Object is written, nil for no file.
	Object *hedgehog.Object
	// Root is the root of its file, as 10-nodes/all below the base folder.
	Root string
	// Keep leaves the file that is merged, and what the lock says of it, to the byte.
	Keep bool
}

// Output is what [Plan] decided.
type Output struct {
	// Tree is the fabric's base folder as it should be, with what people put there.
	Tree tree.Tree
	// Changes lead from the merged base folder to Tree. There are none while there
	// is an error among the issues: a fabric is never rendered in part.
	Changes []tree.Change
	// Issues are sorted.
	Issues hedgehog.Issues
	// Places maps every object to the path of its file.
	Places map[hedgehog.Key]string
	// Edited, Held and Foreign are the paths of generated files that people changed,
	// generated files that they deleted, and files that are theirs, sorted. All of
	// them are left alone.
	Edited, Held, Foreign []string
	// Later are the paths of generated files that the tool alone would change, sorted;
	// [Input.Later] left them.
	Later []string
}

// Plan lays out the objects as files and decides, against what is merged, which
// files change. Only paths that it wrote and nobody touched since are ever
// changed, and never one outside the fabric's base folder.
func Plan(in Input) Output {
	if in.Objects == nil {
		in.Objects = &hedgehog.Fabric{}
	}
	p := plan(in, false)
	if p.refusals && len(p.out.Changes) > 0 {
		// What was taken back is no reason to write, but it is written down together
		// with what is one: the next merge hides this one.
		p = plan(in, true)
	}
	return p.out
}

// plan carries out a Plan. Record is whether locks say what people took back.
func plan(in Input, record bool) planner {
	p := planner{
		in:     in,
		record: record,
		base:   BaseFolder(in.Fabric),
		merged: map[string]*mergedRoot{},
		wanted: map[string]map[string]wantedFile{},
		prior:  map[string]priorFile{},
		out:    Output{Places: map[hedgehog.Key]string{}},
	}
	if err := tree.Check(p.base); err != nil || path.Dir(path.Dir(p.base)) != "fabrics" {
		p.complain(hedgehog.Issue{Rule: "fabric-name", Severity: hedgehog.Error,
			Summary: fmt.Sprintf("%q is no name for a fabric, so there is no folder for it", in.Fabric),
			Hint:    "use lower-case letters, digits and hyphens"})
		p.finish(tree.Tree{}, tree.Tree{})
		return p
	}
	before := in.Merged.Below(p.base)
	p.readMerged(before)
	p.layOut()
	p.stand()
	after := p.reconcile(before)
	p.checkCollisions(after)
	p.finish(before, after)
	return p
}

// planner carries out one Plan.
type planner struct {
	in   Input
	base string
	out  Output
	// record is whether locks are to say what people took back, refusals whether there
	// is any of that which they do not say yet.
	record, refusals bool

	// merged holds the roots of the repository, wanted those of NetBox with their
	// object files; both by "stage/shard".
	merged map[string]*mergedRoot
	// deploy is what is merged of base/deploy, nil for nothing.
	deploy *mergedRoot
	wanted map[string]map[string]wantedFile
	// prior maps the path of an object's file within its root to where it last was:
	// an object keeps its file's name when it moves to another root.
	prior map[string]priorFile
}

type mergedRoot struct {
	// files are by their path within the root, without the lock.
	files map[string][]byte
	// lock is nil when there is none, or none that can be read.
	lock *Lock
	// lockBytes is nil when there is no lock.
	lockBytes []byte
	lockError error
}

type wantedFile struct {
	key     hedgehog.Key
	content []byte
	origins []string
	rows    string
	origin  hedgehog.Origin
	// keep leaves what is merged, whatever it is.
	keep bool
}

type priorFile struct {
	locked LockedFile
	// render is the version that wrote the lock.
	render int
	// there is whether the file is still in the repository.
	there bool
}

func (p *planner) complain(issue hedgehog.Issue) { p.out.Issues = append(p.out.Issues, issue) }

// finish sorts what was found. With an error nothing changes.
func (p *planner) finish(before, after tree.Tree) {
	p.out.Issues.Sort()
	for _, list := range []*[]string{&p.out.Edited, &p.out.Held, &p.out.Foreign, &p.out.Later} {
		slices.Sort(*list)
	}
	if p.out.Issues.Worst() == hedgehog.Error {
		after = before
	}
	p.out.Tree = after
	p.out.Changes = tree.Diff(before, after)
}

// readMerged sorts the files of the base folder into roots.
func (p *planner) readMerged(before tree.Tree) {
	for name, content := range before.All() {
		parts := strings.SplitN(strings.TrimPrefix(name, p.base+"/"), "/", 3)
		if parts[0] == deployFolder && len(parts) > 1 {
			if p.deploy == nil {
				p.deploy = &mergedRoot{files: map[string][]byte{}}
			}
			p.deploy.add(strings.TrimPrefix(name, path.Join(p.base, deployFolder)+"/"), content)
			continue
		}
		if len(parts) < 3 {
			p.leave(foreign, concern{path: name})
			continue
		}
		root := parts[0] + "/" + parts[1]
		if p.merged[root] == nil {
			p.merged[root] = &mergedRoot{files: map[string][]byte{}}
		}
		p.merged[root].add(parts[2], content)
	}
	if p.deploy != nil {
		p.checkVersion(deployFolder, p.deploy)
	}
	for _, root := range slices.Sorted(maps.Keys(p.merged)) {
		m := p.merged[root]
		if m.lock == nil {
			continue
		}
		p.checkVersion(root, m)
		for name, locked := range m.lock.Files {
			_, there := m.files[name]
			// While an object moves, two roots can list its file: the one that has it counts.
			if first, ok := p.prior[name]; name != kustomizationName && (!ok || there && !first.there) {
				p.prior[name] = priorFile{locked, m.lock.Render, there}
			}
		}
	}
}

// add notes a file by its path within the root.
func (m *mergedRoot) add(name string, content []byte) {
	if name != LockName {
		m.files[name] = content
		return
	}
	m.lockBytes = content
	m.lock, m.lockError = ParseLock(content)
}

// checkVersion warns about a root that a newer version wrote.
func (p *planner) checkVersion(root string, m *mergedRoot) {
	if m.lock == nil || m.lock.Render <= Version {
		return
	}
	p.complain(hedgehog.Issue{Rule: "lock-newer", Severity: hedgehog.Warning,
		Origin:  hedgehog.Origin{File: path.Join(p.base, root, LockName)},
		Summary: fmt.Sprintf("a newer version of hedgehog-gitops wrote %s", path.Join(p.base, root)),
		Hint:    "update hedgehog-gitops, or the files will change back and forth"})
}

// layOut gives every object its root and file.
func (p *planner) layOut() {
	byStage := map[string][]*hedgehog.Object{}
	relaying := map[string]bool{}
	files := map[hedgehog.Key]string{}
	taken := map[string]hedgehog.Key{}
	for o := range p.in.Objects.All() {
		file, issue := fileOf(o)
		if issue != nil {
			p.complain(*issue)
			continue
		}
		if first, ok := taken[file]; ok {
			p.complain(hedgehog.Issue{Rule: "object-path", Severity: hedgehog.Error, Object: o.Key(), Origin: o.Origin(),
				Summary: fmt.Sprintf("%s and %s would be the same file %s", first, o.Key(), file),
				Hint:    "rename one of the two"})
			continue
		}
		taken[file], files[o.Key()] = o.Key(), file
		stage := StageOf(o)
		byStage[stage] = append(byStage[stage], o)
		if stage == StageRelays {
			relaying[o.Name] = true
		}
	}
	for _, o := range byStage[StageRelays] {
		for _, name := range relaysThrough(o) {
			if relaying[name] {
				p.complain(hedgehog.Issue{Rule: "vpc-relay-chain", Severity: hedgehog.Warning, Object: o.Key(), Origin: o.Origin(),
					Summary: fmt.Sprintf("the VPC relays DHCP through VPC/%s, which relays through another VPC itself: Flux cannot apply the two to an empty cluster", name),
					Hint:    "relay through a VPC that does not relay"})
			}
		}
	}
	p.checkShards()
	for _, stage := range Stages() {
		objects := byStage[stage]
		keys := make([]hedgehog.Key, len(objects))
		for i, o := range objects {
			keys[i] = o.Key()
		}
		digits := p.digits(stage, keys)
		for i, content := range p.marshal(objects) {
			if content == nil {
				continue
			}
			o := objects[i]
			root := stage + "/" + shardOf(o.Key(), digits)
			if p.wanted[root] == nil {
				p.wanted[root] = map[string]wantedFile{}
			}
			w := wantedFile{key: o.Key(), content: content, origins: originPaths(o.Origins), origin: o.Origin()}
			if p.in.Rows != nil {
				w.rows = p.in.Rows(o.Origins)
			}
			p.wanted[root][files[o.Key()]] = w
			p.out.Places[o.Key()] = path.Join(p.base, root, files[o.Key()])
		}
		p.checkSizes(stage, keys)
	}
}

// stand puts what stands for now in the place of what is wanted in the end.
func (p *planner) stand() {
	for _, key := range slices.SortedFunc(maps.Keys(p.in.Standing), hedgehog.Key.Compare) {
		s := p.in.Standing[key]
		file := key.Kind.Plural() + "/" + key.Name + ".yaml"
		wanted := wantedFile{}
		if place, ok := p.out.Places[key]; ok {
			root := strings.TrimSuffix(strings.TrimPrefix(place, p.base+"/"), "/"+file)
			wanted = p.wanted[root][file]
			if delete(p.wanted[root], file); len(p.wanted[root]) == 0 {
				delete(p.wanted, root)
			}
			delete(p.out.Places, key)
		}
		w := wantedFile{key: key, origins: wanted.origins, origin: wanted.origin, keep: s.Keep}
		switch {
		case s.Keep:
		case s.Object == nil:
			continue
		default:
			// It has no digest of rows: it is not what these say, so that the next run writes
			// it whatever becomes of them.
			if w.content = p.marshal([]*hedgehog.Object{s.Object})[0]; w.content == nil {
				continue
			}
		}
		if p.wanted[s.Root] == nil {
			p.wanted[s.Root] = map[string]wantedFile{}
		}
		p.wanted[s.Root][file] = w
		p.out.Places[key] = path.Join(p.base, s.Root, file)
	}
}

// marshal returns the content of each object's file, nil for one that cannot be
// written, which becomes an issue.
func (p *planner) marshal(objects []*hedgehog.Object) [][]byte {
	contents := make([][]byte, len(objects))
	errs := make([]error, len(objects))
	workers := min(runtime.GOMAXPROCS(0), len(objects))
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < len(objects); i += workers {
				if content, ok := p.in.Contents[objects[i].Key()]; ok && p.in.Objects.Get(objects[i].Kind, objects[i].Name) == objects[i] {
					contents[i] = content
					continue
				}
				contents[i], errs[i] = hedgehog.Marshal(objects[i])
			}
		})
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			contents[i] = nil
			o := objects[i]
			p.complain(hedgehog.Issue{Rule: "object-encoding", Severity: hedgehog.Error, Object: o.Key(), Origin: o.Origin(),
				Summary: fmt.Sprintf("the object cannot be written as YAML: %v", err),
				Hint:    "correct the text in NetBox"})
		}
	}
	return contents
}

// checkShards complains about a configuration that names no stage or no number
// of digits.
func (p *planner) checkShards() {
	for _, stage := range slices.Sorted(maps.Keys(p.in.Shards)) {
		digits := p.in.Shards[stage]
		if !slices.Contains(Stages(), stage) || digits < 0 || digits > maxShardDigits {
			p.complain(hedgehog.Issue{Rule: "shards", Severity: hedgehog.Error, Field: "shards." + stage,
				Summary: fmt.Sprintf("shards: %s: %d is no number of digits for a stage", stage, digits),
				Hint:    fmt.Sprintf("use one of %s with a number from 0 to %d", strings.Join(Stages(), ", "), maxShardDigits)})
		}
	}
}

// digits returns how many hex digits name the shards of the stage.
func (p *planner) digits(stage string, keys []hedgehog.Key) int {
	if digits, ok := p.in.Shards[stage]; ok {
		return min(max(digits, 0), maxShardDigits)
	}
	// What is merged: the roots that hold objects count before those that were
	// emptied, and more digits before fewer.
	filled, emptied := -1, -1
	for root, m := range p.merged {
		digits, ok := digitsOf(path.Base(root))
		if path.Dir(root) != stage || m.lock == nil || !ok {
			continue
		}
		if holdsObjects(m.lock) {
			filled = max(filled, digits)
		} else {
			emptied = max(emptied, digits)
		}
	}
	switch {
	case filled >= 0:
		return filled
	case emptied >= 0 && largestShard(keys, emptied) <= comfortableRoot:
		return emptied
	}
	return smallestDigits(keys, comfortableRoot)
}

func holdsObjects(lock *Lock) bool {
	for name := range lock.Files {
		if name != kustomizationName {
			return true
		}
	}
	return false
}

// checkSizes tells about roots that hold more objects than kustomize builds
// quickly.
func (p *planner) checkSizes(stage string, keys []hedgehog.Key) {
	for root, files := range p.wanted {
		if path.Dir(root) != stage || len(files) <= comfortableRoot {
			continue
		}
		issue := hedgehog.Issue{Rule: "root-size", Severity: hedgehog.Notice, Field: "shards." + stage,
			Origin:  hedgehog.Origin{File: path.Join(p.base, root)},
			Summary: fmt.Sprintf("%s holds %d objects; above %d builds get slow", path.Join(p.base, root), len(files), comfortableRoot),
			Hint: fmt.Sprintf("set shards: {%s: %d} in hedgehog-gitops.yaml to spread them over more roots",
				stage, smallestDigits(keys, comfortableRoot))}
		if len(files) > largestRoot {
			issue.Severity = hedgehog.Error
			issue.Summary = fmt.Sprintf("%s holds %d objects; more than %d cannot be built in time",
				path.Join(p.base, root), len(files), largestRoot)
		}
		p.complain(issue)
	}
}

// reconcile returns the base folder as it should be.
func (p *planner) reconcile(before tree.Tree) tree.Tree {
	after := before.Clone()
	var emptied []*rootPlan
	for _, root := range slices.Sorted(maps.Keys(p.roots())) {
		r := p.planRoot(root)
		if r == nil {
			continue
		}
		if r.gone {
			emptied = append(emptied, r)
			continue
		}
		r.apply(&after)
	}
	// A root that was emptied stays until something else changes: its last build
	// is what removes its objects from the cluster.
	if !after.Equal(before) {
		for _, r := range emptied {
			r.apply(&after)
		}
	}
	p.planDeploy(&after)
	return after
}

// roots is the set of all roots, merged and wanted.
func (p *planner) roots() map[string]bool {
	roots := map[string]bool{}
	for root := range p.merged {
		roots[root] = true
	}
	for root := range p.wanted {
		roots[root] = true
	}
	return roots
}

// rootPlan is what happens to one root.
type rootPlan struct {
	folder string
	writes map[string][]byte
	drops  []string
	// gone is whether the whole root goes.
	gone bool
	// later is whether a file of it was left because the tool alone changes it.
	later bool
}

func (r *rootPlan) apply(t *tree.Tree) {
	for _, name := range r.drops {
		t.Remove(path.Join(r.folder, name))
	}
	for name, content := range r.writes {
		if err := t.Set(path.Join(r.folder, name), content); err != nil {
			panic(err) // every part of the path was checked
		}
	}
}

// planRoot decides about the files of one root; nil when it is not ours at all.
func (p *planner) planRoot(root string) *rootPlan {
	m, wanted := p.merged[root], p.wanted[root]
	if m == nil {
		m = &mergedRoot{files: map[string][]byte{}}
	}
	plan := &rootPlan{folder: path.Join(p.base, root), writes: map[string][]byte{}}
	if m.lockError != nil && !p.in.Overwrite {
		p.brokenLock(root, m, wanted)
		return nil
	}
	locked := map[string]LockedFile{}
	if m.lock != nil {
		locked = m.lock.Files
	}
	next := &Lock{Files: map[string]LockedFile{}, Render: Version}

	names := map[string]bool{}
	for name := range wanted {
		names[name] = true
	}
	for name := range locked {
		names[name] = true
	}
	for name := range m.files {
		names[name] = true
	}
	delete(names, kustomizationName)
	var listed []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		w, ok := wanted[name]
		if p.settle(plan, next, m, name, w, ok, locked) {
			listed = append(listed, name)
		}
	}

	if m.lock == nil && len(next.Files)+len(plan.writes) == 0 && len(wanted) > 0 {
		return nil // all of it was taken back
	}
	if len(wanted) == 0 && m.lock == nil {
		if content, ok := m.files[kustomizationName]; ok {
			p.settle(plan, next, &mergedRoot{files: map[string][]byte{kustomizationName: content}}, kustomizationName, wantedFile{}, false, locked)
		}
		if m.lockError == nil {
			return nil // nothing in it was ever ours
		}
		plan.drops = append(plan.drops, LockName) // overwriting a lock that says nothing
		return plan
	}
	stage := path.Dir(root)
	component := overlay.IsKustomization(p.in.Merged, OverlayFolder(p.in.Fabric, stage))
	content := kustomization(stage, listed, component)
	if len(wanted) == 0 && !holdsObjects(m.lock) && !wasEdited(m, content, p.in.Overwrite) {
		// It was emptied before: now it may go.
		plan.gone = true
		plan.drops = append(plan.drops, kustomizationName, LockName)
		return plan
	}
	k := wantedFile{content: content}
	if m.lock != nil && slices.Equal(listed, m.lock.listed()) {
		k.rows = sameList
	}
	p.settle(plan, next, m, kustomizationName, k, true, locked)
	if plan.later {
		next.Render = m.lock.Render
	}

	if m.lock == nil || !next.sameFiles(m.lock) {
		plan.writes[LockName] = next.Bytes()
	}
	return plan
}

// wasEdited reports whether people changed the kustomization of a root that is to
// list nothing.
func wasEdited(m *mergedRoot, content []byte, overwrite bool) bool {
	f := file{wanted: content, merged: m.files[kustomizationName]}
	if locked, ok := m.lock.Files[kustomizationName]; ok {
		f.locked = &locked
	}
	switch judge(f, overwrite) {
	case fine, write, held:
		return false
	}
	return true
}

// settle decides about one file of a root, notes in plan and next what follows,
// and reports whether the kustomization lists it.
func (p *planner) settle(plan *rootPlan, next *Lock, m *mergedRoot, name string, w wantedFile, isWanted bool, locked map[string]LockedFile) bool {
	f := file{merged: m.files[name]}
	if w.keep {
		entry, ok := locked[name]
		if ok {
			plan.later = plan.later || entry.Digest != "" && m.lock.Render != Version
			next.Files[name] = entry
		}
		return f.merged != nil && ok
	}
	if isWanted {
		f.wanted = w.content
	}
	version := Version
	if l, ok := locked[name]; ok {
		f.locked, version = &l, m.lock.Render
	} else if prior, ok := p.prior[name]; ok && isWanted && !prior.there {
		// It was deleted by hand in the root where the object was before.
		f.locked, version = &prior.locked, prior.render
	}
	if f.locked != nil {
		f.sameRows = version != Version && w.rows != "" && w.rows == f.locked.Rows
	}
	c := concern{path: path.Join(plan.folder, name), key: w.key, origins: w.origins, gone: !isWanted, there: f.merged != nil}
	c.deploys = plan.folder == path.Join(p.base, deployFolder)
	if f.locked != nil && !isWanted {
		c.key, c.origins = keyOf(name), f.locked.Origins
	}
	back, isBack := p.in.Reverted[c.path]
	if entry := f.refusal(back, isBack, w); entry != nil && !p.in.Overwrite {
		p.leave(reverted, c)
		switch {
		case f.locked != nil && f.locked.Held == HeldReverted, p.record:
			next.Files[name] = *entry
		default:
			p.refusals = true
			if f.locked != nil {
				next.Files[name] = *f.locked
			}
		}
		return c.there
	}
	f.locked = f.locked.standing()
	v := judge(f, p.in.Overwrite)
	if p.in.Later && v == write && f.merged != nil && f.locked != nil && toolAlone(f, w, version) {
		p.out.Later = append(p.out.Later, path.Join(plan.folder, name))
		plan.later = true
		next.Files[name] = *f.locked
		return true
	}
	p.leave(v, c)

	entry := LockedFile{Digest: digest(w.content), Origins: w.origins, Rows: w.rows}
	if w.rows == sameList {
		entry.Rows = ""
	}
	switch v {
	case fine:
		next.Files[name] = entry
	case write:
		plan.writes[name] = w.content
		next.Files[name] = entry
	case remove:
		plan.drops = append(plan.drops, name)
		return false
	case edited:
		// The digest is of what would stand there: the edit stays one.
		next.Files[name] = entry
	case held:
		entry.Held = HeldDeleted
		next.Files[name] = entry
		return false
	case nothing, foreign, reverted:
		return false
	}
	return true
}

// sameList stands for the rows of a kustomization that lists the files that it
// listed before.
const sameList = "same list"

// toolAlone reports whether a file that is to be written again was made of the
// rows that it is made of now.
func toolAlone(f file, w wantedFile, version int) bool {
	if w.rows == sameList {
		return version != Version
	}
	return w.rows != "" && w.rows == f.locked.Rows && slices.Equal(w.origins, f.locked.Origins)
}

// leave notes a file that is left alone, or in the way, and tells people.
func (p *planner) leave(v verdict, c concern) {
	switch v {
	case edited:
		p.out.Edited = append(p.out.Edited, c.path)
	case reverted:
		if c.there {
			p.out.Edited = append(p.out.Edited, c.path)
		} else {
			p.out.Held = append(p.out.Held, c.path)
		}
	case held:
		p.out.Held = append(p.out.Held, c.path)
	case foreign:
		p.out.Foreign = append(p.out.Foreign, c.path)
	}
	if issue := v.issue(c); issue != nil {
		p.complain(*issue)
	}
}

// brokenLock tells about a root whose lock cannot be read: nothing in it is known
// to be ours, so all of it is left, which is an error as soon as it is not what
// NetBox wants.
func (p *planner) brokenLock(root string, m *mergedRoot, wanted map[string]wantedFile) {
	folder := path.Join(p.base, root)
	issue := hedgehog.Issue{Rule: "lock-broken", Severity: hedgehog.Warning,
		Origin:  hedgehog.Origin{File: path.Join(folder, LockName)},
		Summary: fmt.Sprintf("%s cannot be read (%v), so %s is left as it is", path.Join(folder, LockName), m.lockError, folder),
		Hint:    "restore it from Git, or run with --overwrite to write it anew"}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if w := wanted[name]; digest(m.files[name]) != digest(w.content) {
			issue.Severity = hedgehog.Error
			issue.Object = w.key
			issue.Summary = fmt.Sprintf("%s cannot be read (%v), and %s is not what %s says",
				path.Join(folder, LockName), m.lockError, path.Join(folder, name), concern{key: w.key, origins: w.origins}.netbox())
			break
		}
	}
	if len(wanted) == 0 && root != deployFolder {
		issue.Severity = hedgehog.Error
		issue.Summary = fmt.Sprintf("%s cannot be read (%v), and no object in NetBox belongs into %s any more",
			path.Join(folder, LockName), m.lockError, folder)
	}
	p.complain(issue)
}

// checkCollisions tells about paths that cannot stand next to each other on every
// file system: only people's files can cause them.
func (p *planner) checkCollisions(after tree.Tree) {
	for _, group := range after.Collisions() {
		p.complain(hedgehog.Issue{Rule: "path-collision", Severity: hedgehog.Error,
			Origin:  hedgehog.Origin{File: group[0]},
			Summary: strings.Join(group, " and ") + " cannot both be there on every file system",
			Hint:    "remove the one that is not generated"})
	}
}
