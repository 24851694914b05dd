package main

// deployDoc says how a cluster gets what is merged. Under a fabric it replaces, key by
// key, what stands at the top.
type deployDoc struct {
	// Prune is whether what leaves the repository is deleted from the cluster.
	Prune bool `yaml:"prune"`
}

// deploy returns what is configured of deploying every fabric.
func (c *config) deploy() (deployDoc, error) {
	var doc deployDoc
	err := c.use(&doc, "deploy")
	return doc, err
}
