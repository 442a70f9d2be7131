package wire

// A Tag is a key with its value, as most services write one.
type Tag struct{ Key, Value string }

// RequestTags are the condition keys of tags that come with a request
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requesttag).
// Those of aws:TagKeys follow from them.
func RequestTags(tags []Tag) map[string]string {
	keys := map[string]string{}
	for _, t := range tags {
		keys["aws:RequestTag/"+t.Key] = t.Value
	}
	return keys
}
