package hedgehog

// isBuiltin reports whether a SwitchProfile is one of the built-in ones, which
// the fabric's controllers create: of the same name, features and ports.
func isBuiltin(n *node) bool {
	_, ok := ProfileByName(n.get("metadata").get("name").text())
	return ok
}
