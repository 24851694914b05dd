package netbox

func (w *writer) place() {}
