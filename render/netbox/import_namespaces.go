package netbox

func (w *writer) namespaces() {}
