package netbox

func (w *writer) nodes() {}
