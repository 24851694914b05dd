package review

import (
	"slices"

	"hedgehog-gitops/render/hedgehog"
)

// Step is the place of a pull request among those that one change takes; its zero
// value is a change that takes one and waits for nothing.
type Step struct {
	Number, Of int
	// Because says why what comes later does.
	Because []Because
	// Gone must no longer be in the cluster before this is merged, Present must be as they
	// are merged, Protected must be protected.
	Gone, Present, Protected []hedgehog.Key
	// Unpruned are those of Gone that nobody deletes by itself, whatever is said of
	// pruning.
	Unpruned []hedgehog.Key
	// Roots are the folders of Present in the repository.
	Roots map[hedgehog.Key]string
}

// Because is a reason why something comes in a later step.
type Because struct {
	// Rule is what kind of reason it is, a rule of rollout.
	Rule          string
	Object, Other hedgehog.Key
	// What is had, or said, as people call it.
	What string
	// More are how many further objects it is true of.
	More int
}

// says is the reason in words.
func (b Because) says() Words {
	o, other := object(b.Object), object(b.Other)
	switch b.Rule {
	case "takes":
		return say(o, " takes over ", name(b.What), " of ", other, ", and the cluster refuses that while the other has it")
	case "recreated":
		return say(o, " takes over ", name(b.What), " of ", other, ", which is deleted: created too soon, it gets the other's VNI as well, which the switches still use")
	case "fixed":
		return say(o, " cannot change in place (", name(b.What), "), so it is deleted and created again")
	case "stands":
		return say(o, " stands on ", other, ", so it goes with it and comes again")
	case "moves":
		if b.More > 0 {
			return say(o, " and ", number(b.More), " more move to other roots, and are protected first: else a controller could delete them on the way")
		}
		return say(o, " moves to another root, and is protected first: else a controller could delete it on the way")
	case "needs":
		return say(o, " needs ", other, " as it shall be, which has to be in the cluster first")
	case "holds":
		return say(o, " is deleted once ", other, " uses it no more")
	case "shrinks":
		return say(o, " gives up what ", name(b.What), " has, and the cluster refuses that while it has it")
	case "widens":
		return say(o, " gives up some pools and gets others while VPCs move, so it has both meanwhile")
	case "roce":
		return say(o, " changes its breakouts, which the cluster refuses while RoCE is on")
	}
	return say(o, " changes in two steps")
}

// stepSection says what must be true of the cluster before the merge, and why the change
// takes more than one.
func (r Request) stepSection() section {
	s := section{rank: 1, whole: true}
	step := r.Step
	waits := len(step.Gone)+len(step.Present)+len(step.Protected) > 0
	if step.Of < 2 && !waits {
		return s
	}
	if step.Of > 1 {
		text := "**Step " + number(step.Number) + " of " + number(step.Of) + ",**"
		const most = 3
		switch because := step.Because; {
		case len(because) > 0:
			var reasons []Words
			for _, b := range because[:min(most, len(because))] {
				reasons = append(reasons, b.says())
			}
			if left := len(because) - most; left > 0 {
				reasons = append(reasons, say(number(left)+" more "+plural("reason")))
			}
			text += " because " + and(reasons, "; ").markdown() + "."
		case step.Number == step.Of:
			text += " the rest of what the cluster could not take in one merge."
		default:
			text += " because the cluster cannot take this change in one merge."
		}
		if step.Number < step.Of {
			text += " What is still missing comes as a pull request of its own after this one is merged."
		}
		s.add(text + "\n")
	}
	list := func(what string, keys []hedgehog.Key, lines []string) {
		if len(keys) == 0 {
			return
		}
		shown := keys[:min(5, len(keys))]
		var objects []Words
		for _, key := range shown {
			objects = append(objects, object(key))
		}
		if len(keys) > len(shown) {
			objects = append(objects, say(number(len(keys)-len(shown))+" more"))
		}
		s.add("\n**Do not merge before** " + and(objects, ", ").markdown() + what + ":\n")
		if len(lines) > 0 {
			s.add("\n" + fenced("sh", lines))
		}
	}
	list(is(len(step.Gone))+" gone from the cluster, which this shows by finding nothing", step.Gone, kubectl("get --ignore-not-found", step.Gone, 2))
	unpruned := step.Unpruned
	if r.Merge.Pruning == PruningOff {
		unpruned = step.Gone
	}
	if lines := kubectl("delete", unpruned, 4); len(lines) > 0 {
		s.add("\nNo controller deletes " + pronoun(len(unpruned)) + ", so somebody has to:\n\n" + fenced("sh", lines))
	}
	if slices.ContainsFunc(step.Gone, func(key hedgehog.Key) bool { return key.Kind == hedgehog.KindVPC }) {
		s.add("\nThe switches must be done with that too, which this shows by equal numbers:\n\n" +
			fenced("sh", []string{"kubectl get -n " + hedgehog.Namespace + " agents.agent.githedgehog.com -o custom-columns=NAME:.metadata.name,WANTED:.metadata.generation,APPLIED:.status.lastAppliedGen"}))
	}
	list(is(len(step.Present))+" in the cluster as merged, which this shows by no difference", step.Present, step.diff(2))
	list(is(len(step.Protected))+" protected in the cluster, which this shows by `disabled`", step.Protected,
		kubectl(`get -o 'custom-columns=NAME:.metadata.name,PRUNE:.metadata.annotations.kustomize\.toolkit\.fluxcd\.io/prune'`, step.Protected, 2))
	return s
}

// diff returns commands that compare the cluster with the roots of what must be there.
func (s Step) diff(most int) []string {
	var lines []string
	for _, key := range s.Present {
		line := "kubectl diff -k " + s.Roots[key]
		if s.Roots[key] != "" && !slices.Contains(lines, line) && len(lines) < most {
			lines = append(lines, line)
		}
	}
	return lines
}
