package netbox

func (w *writer) externals() {}

func (w *writer) externalAttachments() {}
