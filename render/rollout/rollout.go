// Package rollout decides what of a change can be merged at once: a controller
// applies roots one by one, and some changes get stuck when the new objects meet
// the old ones.
//
//	[Next]  what is merged + what is wanted -> the next [Step]
//
// The package is pure.
package rollout

import (
	"hedgehog-gitops/render/hedgehog"
	"hedgehog-gitops/render/tree"
)

// Step is one merge of those that a change takes.
type Step struct {
	// Tree is the base folder after it.
	Tree tree.Tree
	// Number counts from 1 to Of.
	Number, Of int
	// Gone must no longer be in the cluster before the step is merged, Present must be.
	Gone, Present []hedgehog.Key
}

// Next returns the next step from what is merged to what is wanted. Every change
// is one step: which ones need more is not decided yet, and a change that a
// cluster refuses shows there.
func Next(_, wanted tree.Tree) Step {
	return Step{Tree: wanted, Number: 1, Of: 1}
}
