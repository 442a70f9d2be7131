package scan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       map[string]Lang // bodies
	}{
		{"none", "a text\n", map[string]Lang{"a text\n": Plain}},
		{"blocks", "a\n```bash\nls\n```\nb\n~~~ yaml title=x\napiVersion: v1\nkind: Pod\n~~~\n", map[string]Lang{"ls\n": Bash, "apiVersion: v1\nkind: Pod\n": Kubernetes}},
		{"indented", "- a\n  ```py\n  if a:\n    b\n c\n  ```\n", map[string]Lang{"if a:\n  b\nc\n": Python}},
		{"in a list", "2. ```sh\n   ls\n   ```\n", map[string]Lang{"ls\n": Shell}},
		{"scripts in a list", "```yaml\n# do\n- |\n  ls\n```\n", map[string]Lang{"# do\n- |\n  ls\n": CloudInit}},
		{"a list", "```yaml\n- a\n```\n", map[string]Lang{"- a\n": Plain}},
		{"longer fence", "````\n```\n#!/bin/sh\n````\n", map[string]Lang{"```\n#!/bin/sh\n": Plain}},
		{"not closed", "```\n#!/bin/sh\nls", map[string]Lang{"#!/bin/sh\nls": Shell}},
		{"inline", "``` a ``` b\n", map[string]Lang{"``` a ``` b\n": Plain}},
	} {
		got := map[string]Lang{}
		for _, block := range document(File("a.md", Document, []byte(tt.text))).Texts {
			got[block.Body] = block.Lang
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

// A document is read if it is asked for, and its blocks are rewritten in place.
func TestDocumentByName(t *testing.T) {
	t.Parallel()
	const text = "Run\n\n   ```\n   " + v1 + "\n   ```\n"
	r := Source(toys(), "README.md", []byte(text))
	if len(r.Changes) != 1 || string(r.Changes[0].After) != "Run\n\n   ```\n   "+v1+"+token\n   ```\n" {
		t.Errorf("%+v", r.Changes)
	}
}
