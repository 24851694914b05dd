// Package rest is the HTTP edge to NetBox, the only package that knows the
// generated client go-netbox.
//
//	[Read]       NetBox -> netbox.Snapshot
//	[Bootstrap]  what the mapping needs -> NetBox
//
// go-netbox builds the requests; answers are read by our own tolerant types,
// row by row while they arrive, because the generated ones refuse whole pages
// of a newer NetBox.
//
// A snapshot is proved before it is handed out: the rows agree with NetBox's
// own counts, what changed during the read was read again, filters were seen to
// filter, and no row refers to one that is not there. Whatever is in doubt is
// an error, because a smaller fabric would be rendered from it without a word.
package rest
