// Package review says what a change of a fabric means, to people who have two
// minutes for it.
//
//	[Diff]        two fabrics -> [Changes]: a class and a risk for each object, its fields, the hazards
//	[WriteText]   changes -> text for a terminal; as JSON they marshal themselves
//	[Request]     changes, who asked for them, what a merge does -> the texts of a pull request
//	[Annotations] issues -> the lines that make a CI show them beside the files
//
// A hazard is something that interrupts what runs, or opens what was closed. It
// stands in the first lines of every text. Which field of which kind does what to
// a running network is a table, see [Fields], and docs/review.md is made from it.
//
// What comes from NetBox is anybody's text. [Code], [Plain] and [Line] take the
// power from it: nothing in it becomes a link, a mention, a heading, a reference
// to an issue, a trailer of a commit or an end of what it stands in.
//
// The package is pure, and linear in the number of objects.
package review
