package scan

import (
	"path"
	"slices"
	"strconv"
)

// join brings units together with what runs on them, also where that is in
// other files, and judges their settings by it.
func (s *scan) join() {
	named := s.named()
	for _, name := range s.paths() {
		r := s.readings[name]
		if r.large {
			continue
		}
		for _, u := range r.units {
			for _, ref := range u.References {
				if other := named[target(r, ref)]; other != nil {
					u.callers = append(u.callers, other.callers()...)
				}
			}
			u.judge(r)
		}
		r.results = inOrder(r.results)
		place(r.data, r.results)
	}
}

// target returns the file that a reference means.
func target(r *reading, ref Reference) string {
	if path.IsAbs(ref.Path) {
		return path.Clean(ref.Path)
	}
	return path.Join(path.Dir(r.path), ref.Path)
}

// A use is how a file is read by those who name it.
type use struct{ template, asIs bool }

// named reads all files that units name, in the way they do. Those that are
// part of the scan are from then on what these readings say.
func (s *scan) named() map[string]*reading {
	uses := map[string]use{}
	for _, r := range s.readings {
		for _, u := range r.units {
			for _, ref := range u.References {
				name := target(r, ref)
				old := uses[name]
				uses[name] = use{old.template || ref.Template, old.asIs || !ref.Template}
			}
		}
	}
	all := map[string]*reading{}
	for name, use := range uses {
		if r := s.readAs(name, use); r != nil {
			all[name] = r
		}
	}
	return all
}

// readAs reads a file as it is used. It returns nil if nothing is found.
func (s *scan) readAs(name string, use use) *reading {
	known := s.readings[name]
	if known != nil && (!use.template || known.template && !use.asIs) {
		return known
	}
	var data []byte
	if known != nil {
		data = known.data
	} else if loaded, err := load(name); err == nil && worthReading(loaded, classOf(name)) {
		data = loaded
	} else {
		return nil // what is named but not there is not the scan's business
	}
	r, err := s.read(source{path: name, lang: CloudInit, template: use.template, data: data})
	if err != nil {
		s.problem(name, err)
		return nil
	}
	s.verify(r, r.mendable())
	if use.template && use.asIs {
		s.agree(r, known)
	}
	if known != nil {
		s.readings[name] = r
	}
	return r
}

// agree withholds what would mend a file in one of the two ways in which it is
// read, and break it in the other.
func (s *scan) agree(asTemplate, asIs *reading) {
	if asIs == nil || asIs.template {
		var err error
		if asIs, err = s.read(source{path: asTemplate.path, lang: CloudInit, data: asTemplate.data}); err != nil {
			return
		}
	}
	for _, r := range asTemplate.results {
		same := func(other *Result) bool {
			return other.ID == r.ID && other.At.Start == r.At.Start && slices.Equal(other.Edits, r.Edits)
		}
		if len(r.Edits) > 0 && !slices.ContainsFunc(asIs.results, same) {
			r.Edits, r.Why = nil, "the file is used as a template and as it is"
		}
	}
}

func (r *reading) callers() (all []*Result) {
	for _, f := range r.results {
		if f.isCall() {
			all = append(all, f)
		}
	}
	return all
}

// judge tells of a unit that requires tokens which a caller on it does not
// send, and keeps one from becoming so.
func (u *joined) judge(r *reading) {
	if u.required != nil && len(u.callers) > 0 {
		for _, c := range u.callers[:min(len(u.callers), 5)] {
			u.required.Evidence = append(u.required.Evidence, Field{"caller", c.Path + ":" + strconv.Itoa(c.Start.Line)})
		}
		r.results = append(r.results, u.required)
	}
}

// clean reports whether every caller on a unit sends tokens after the changes.
func (u *joined) clean(write bool) bool {
	return !slices.ContainsFunc(u.callers, func(c *Result) bool {
		return len(c.Edits) == 0 || !c.told || write && c.onlyShown()
	})
}
