// Package render lays the objects of a fabric out as the files of the user's
// repository, and judges what the repository then gives a cluster. It is where
// the two pipes meet that the packages below it are made of:
//
//	forward  netbox/rest -> netbox -> hedgehog -> tree -> overlay -> gitsync/git -> gitsync/forge
//	reverse  tree (or a cluster export) -> hedgehog -> netbox (Plan) -> netbox/rest
//
// Of the forward pipe, this package is the middle:
//
//	[Plan]   objects + the merged tree -> the wanted tree, its changes, and what people did to our files
//	[Check]  the wanted tree -> kustomize -> the objects that the cluster gets
//
// Files are laid out in stages, so that no object refers to another of its own
// stage (see [StageOf]), and in shards, because kustomize is quadratic. A stage
// and a shard are a root: a folder with a kustomization.yaml that Argo CD or Flux
// builds on its own, and a lock (see [Lock]) that says which bytes are ours.
//
// The package is pure: equal input gives equal bytes, everywhere.
package render
