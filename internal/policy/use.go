package policy

// A Use is one decision over a call: who may do what, as [Least] is told.
type Use struct {
	Action   string            // "bedrock:InvokeModel"
	Resource string            // an ARN, or "*" for an action without resource types
	Context  map[string]string // condition keys that the request had
	Allowed  bool
}
