package policy

type Named struct {
	Name     string
	Document Document
}

type Layers struct {
	Identity []Named
	Resource *Named
	Boundary *Named
	Session  []Named
	SCPs     [][]Named
}
