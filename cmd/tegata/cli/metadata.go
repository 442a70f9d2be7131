package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tegata/imds"
	"tegata/internal/nearest"
)

// A reader reads the metadata of one instance, each path once.
type reader struct {
	client *imds.Client
	served map[string]string // by path
}

// A branch is a folder of the metadata: by name a value, a branch, or nil for
// what is there and not shown.
type branch map[string]any

// get returns the value at a path, as it was served.
func (r *reader) get(ctx context.Context, path string) (string, error) {
	if value, ok := r.served[path]; ok {
		return value, nil
	}
	value, err := r.client.Get(ctx, path)
	if err != nil {
		return "", err
	}
	if r.served == nil {
		r.served = make(map[string]string)
	}
	r.served[path] = value
	return value, nil
}

// field returns what a field holds: a string, a []string or a [branch].
func (r *reader) field(ctx context.Context, f field) (any, error) {
	switch {
	case f.member != "":
		return r.member(ctx, f.path, f.member)
	case f.form == lines:
		value, err := r.get(ctx, f.path)
		return splitLines(value), err
	case f.form == entries:
		return filled(f.path)(r.branch(ctx, f.path, 1))
	case f.form == keys:
		return r.keys(ctx, f.path)
	default:
		return r.get(ctx, f.path)
	}
}

// member returns a member of a JSON document: a string as it is, all else as
// the JSON that it is.
func (r *reader) member(ctx context.Context, path, name string) (string, error) {
	value, err := r.get(ctx, path)
	if err != nil {
		return "", err
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal([]byte(value), &document); err != nil {
		return "", fmt.Errorf("read %s: it is no JSON object: %w", path, err)
	}
	member, ok := document[name]
	if !ok || string(member) == "null" {
		return "", absent(path, fmt.Errorf("the document has no %s", name))
	}
	var text string
	if json.Unmarshal(member, &text) == nil {
		return text, nil
	}
	return string(member), nil
}

func absent(path string, err error) error {
	version, rest := cutVersion(path)
	path = "/" + cmp.Or(version, "latest/") + rest
	return &imds.Error{Kind: imds.ErrAbsent, Method: "GET", Path: path, Status: http.StatusOK, Err: err}
}

// filled makes an empty branch an absence: tags that are switched off are
// served so.
func filled(path string) func(branch, error) (any, error) {
	return func(b branch, err error) (any, error) {
		if err == nil && len(b) == 0 {
			err = absent(path, errors.New("the list is empty"))
		}
		return b, err
	}
}

// splitLines takes a list apart. A security group may have spaces in its name.
func splitLines(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return c == '\n' || c == '\r' })
}

// keys returns the public keys, each as authorized_keys has it.
func (r *reader) keys(ctx context.Context, path string) (any, error) {
	names, err := r.list(ctx, path)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, name := range names {
		key, err := r.get(ctx, path+name+"openssh-key")
		if err != nil {
			return nil, err
		}
		list = append(list, strings.TrimSpace(key))
	}
	return list, nil
}

// list returns the names in a folder, those of folders with a slash at their
// end. A public key is listed as 0=name, and its folder is 0/.
func (r *reader) list(ctx context.Context, folder string) (names []string, err error) {
	text, err := r.get(ctx, folder)
	if err != nil {
		return nil, err
	}
	for _, name := range splitLines(text) {
		if number, _, ok := strings.Cut(name, "="); ok && strings.HasSuffix(folder, "/public-keys/") {
			name = number + "/"
		}
		names = append(names, name)
	}
	return names, nil
}

// No instance has as much: the deepest value of an interface lies 7 folders
// down, and 15 interfaces, the most there are, have a few hundred values.
const (
	maxDepth = 10
	maxReads = 1 << 12
)

// branch reads a folder with all that lies below it, down to a depth, but no
// credentials. What is listed and not there is left out: it went meanwhile.
func (r *reader) branch(ctx context.Context, folder string, depth int) (branch, error) {
	names, err := r.list(ctx, folder)
	if err != nil {
		return nil, err
	}
	b := branch{}
	for _, name := range names {
		path := folder + name
		value, err := r.leaf(ctx, path, depth)
		switch {
		case errors.Is(err, imds.ErrAbsent):
		case err != nil:
			return nil, err
		default:
			b[strings.TrimSuffix(name, "/")] = value
		}
	}
	return b, nil
}

func (r *reader) leaf(ctx context.Context, path string, depth int) (any, error) {
	switch {
	case len(r.served) > maxReads:
		return nil, fmt.Errorf("read %s: the metadata have no end", path)
	case isCredentials(path):
		return nil, nil
	case !strings.HasSuffix(path, "/"):
		return r.get(ctx, path)
	case depth <= 1:
		return nil, fmt.Errorf("read %s: the folders have no end", path)
	default:
		return r.branch(ctx, path, depth-1)
	}
}

// isCredentials reports whether a path leads to keys, of the role or of those
// that EC2 has on the instance for itself.
func isCredentials(path string) bool {
	_, below, ok := strings.Cut(path, "/security-credentials/")
	return ok && below != ""
}

// tree returns all that the instance tells about itself.
func (r *reader) tree(ctx context.Context) (branch, error) {
	all := branch{}
	for _, name := range branches {
		path := name + "/"
		if name == userDataPath {
			path = name
		}
		value, err := r.leaf(ctx, path, maxDepth)
		if err != nil && !errors.Is(err, imds.ErrAbsent) {
			return nil, err
		}
		if err == nil {
			all[name] = value
		}
	}
	return all, nil
}

// nearestPath returns the path that is there and most like one that is not,
// or "". It goes down from folder to folder, as far as the lists lead.
func (r *reader) nearestPath(ctx context.Context, path string) string {
	version, rest := cutVersion(path)
	segments := strings.Split(strings.Trim(rest, "/"), "/")
	near := version + segments[0] + "/"
	for _, segment := range segments[1:] {
		if !strings.HasSuffix(near, "/") {
			return "" // a value, and nothing lies below it
		}
		names, err := r.list(ctx, near)
		if err != nil {
			return ""
		}
		name := nearestName(segment, names)
		if name == "" {
			return ""
		}
		near += name
	}
	if strings.TrimSuffix(near, "/") == version+strings.Trim(rest, "/") {
		return ""
	}
	return near
}

// nearestName returns the name in a list that a segment stands for, or is
// most like.
func nearestName(segment string, names []string) string {
	if i := slices.IndexFunc(names, func(n string) bool { return strings.TrimSuffix(n, "/") == segment }); i >= 0 {
		return names[i]
	}
	if near := nearest.Names(segment, names); near != nil {
		return near[0]
	}
	return ""
}
