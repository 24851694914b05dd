// Package netbox turns NetBox records into Hedgehog objects.
//
//	[Map]  Snapshot + Config -> hedgehog.Fabric, and every Issue on the way
//
// It is pure: rest/ does the reading. What a record means is fixed in
// docs/netbox.md. Ambiguity is never guessed away: it is an Issue that names
// the NetBox object and the field to fill in.
package netbox
