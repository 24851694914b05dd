package netbox

func (w *writer) vpcs() {}
