// Package hedgehog is the model in the waist of the tool: the objects of one
// Hedgehog Open Network Fabric, typed, with where each came from.
//
//	[Decode]   YAML, kind: List, JSON -> objects, and what was not understood
//	[Default]  an object as people write it -> an object as the cluster's webhooks store it
//	[Check]    objects -> every [Issue] that a schema can state
//	[Encode]   objects -> canonical YAML, the same bytes everywhere
//
// The canonical form of any input is Encode(Default(Decode(input))).
//
// The package imports nothing of ours and is pure: it sees no clock, no
// environment and no network.
package hedgehog
