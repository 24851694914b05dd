package netbox

func (w *writer) links() {}

func (w *writer) connectionNames() {}
