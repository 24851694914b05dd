package netbox

func (w *writer) peerings() {}
