package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A page is one answer to GET, with its headers in the form that net/http
// keeps them, so that no request has to build them again.
type page struct {
	body         []byte
	length       []string
	mediaType    []string
	lastModified []string
	dynamic      func() []byte // gives the body instead, if not nil
	bare         func() []byte // that of dynamic for callers without a token, if not nil
}

var textPlain = []string{"text/plain"}

// A tree is what there is to read during a while.
type tree struct {
	pages       map[string]*page // by clean path, "" is the root
	from, until time.Time        // zero means that it has always been so, and will be
}

func (t *tree) holds(now time.Time) bool {
	return !now.Before(t.from) && (t.until.IsZero() || now.Before(t.until))
}

// page returns what is at a clean path now, or nil.
func (s *service) page(path string) *page {
	if len(s.dates) == 0 {
		return s.tree.Load().pages[path]
	}
	return s.treeAt(s.options.Now()).pages[path]
}

// treeAt grows a new tree when something has come or gone since the last one.
func (s *service) treeAt(now time.Time) *tree {
	if t := s.tree.Load(); t.holds(now) {
		return t
	}
	s.growing.Lock()
	defer s.growing.Unlock()
	if t := s.tree.Load(); t.holds(now) {
		return t
	}
	return s.grow(now)
}

func (s *service) grow(now time.Time) *tree {
	list := append(slices.Clip(s.fixed), s.options.Events.categories(now)...)
	t := &tree{pages: newTree(list, s.options.Instance.Launched)}
	for _, date := range s.dates {
		if now.Before(date) {
			t.until = date
			break
		}
		t.from = date
	}
	s.tree.Store(t)
	return t
}

// A treeBuilder gathers the pages of all versions by their clean path.
type treeBuilder struct {
	pages    map[string]*page
	names    map[string]map[string]bool // directory → names as it lists them
	launched []string
}

// newTree lays out the categories in every version that has them, and the
// directories above them. The names in a directory come in order, separated
// by LF and without one at the end; a directory among them ends in "/",
// except the versions and their three branches.
func newTree(list []category, launched time.Time) map[string]*page {
	b := treeBuilder{
		pages:    make(map[string]*page),
		names:    make(map[string]map[string]bool),
		launched: []string{launched.UTC().Format(http.TimeFormat)},
	}
	for n := range list {
		b.add(&list[n])
	}
	for dir, names := range b.names {
		b.pages[dir] = b.page(lines(sorted(names)))
	}
	b.pages[""] = b.page(lines(versions[:]))
	return b.pages
}

func (b *treeBuilder) add(c *category) {
	if c.body == "" && c.dynamic == nil && !c.empty {
		return
	}
	p := b.page(c.body)
	p.dynamic, p.bare = c.dynamic, c.bare
	if c.mediaType != "" {
		p.mediaType = []string{c.mediaType}
	}
	if !c.appeared.IsZero() {
		p.lastModified = []string{c.appeared.UTC().Format(http.TimeFormat)}
	}
	for _, v := range versions {
		if v < c.since { // "1.0" < dates < "latest"
			continue
		}
		path := "/" + v + "/" + c.path
		b.pages[path] = p
		if !c.hidden {
			b.list(path, c.label)
		}
	}
}

func (b *treeBuilder) page(body string) *page {
	return &page{
		body:         []byte(body),
		length:       []string{strconv.Itoa(len(body))},
		mediaType:    textPlain,
		lastModified: b.launched,
	}
}

// list enters path in its directory, and that in its own, up to the version.
// label is how the lowest directory is called in the one above it.
func (b *treeBuilder) list(path, label string) {
	dir, name := split(path)
	b.enter(dir, name)
	for {
		path = dir
		dir, name = split(path)
		if dir == "" {
			return
		}
		switch {
		case label != "":
			name, label = label, ""
		case strings.Count(dir, "/") > 1:
			name += "/"
		}
		b.enter(dir, name)
	}
}

func (b *treeBuilder) enter(dir, name string) {
	if b.names[dir] == nil {
		b.names[dir] = make(map[string]bool)
	}
	b.names[dir][name] = true
}

func split(path string) (dir, name string) {
	slash := strings.LastIndexByte(path, '/')
	return path[:slash], path[slash+1:]
}

// sorted orders names as the service does, without regard to a final slash.
func sorted(names map[string]bool) []string {
	return slices.SortedFunc(maps.Keys(names), func(a, b string) int {
		return strings.Compare(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
	})
}
