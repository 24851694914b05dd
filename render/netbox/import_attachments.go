package netbox

func (w *writer) attachments() {}
