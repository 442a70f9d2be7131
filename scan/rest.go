package scan

import "slices"

// rest reads line by line what the detector of a file has handed to nobody: a
// key that it does not know may hold a command all the same.
func (o *Options) rest(s source, found []*Result, within map[*Text][]*Result) (more []*Result) {
	detect := o.detector(Plain)
	if detect == nil || !isStructured(s.lang) {
		return nil
	}
	var read []Span
	for t := range within {
		if !isStructured(t.Lang) {
			read = append(read, t.InFile(Span{0, len(t.Body)}))
		}
	}
	for _, r := range found {
		read = append(read, r.At)
	}
	if !addressOutside(s.data, read) {
		return nil
	}
	t := File(s.path, Plain, s.data)
	for _, f := range detect(t).Findings {
		f.Fix, f.Why = nil, "it was read line by line, which is not enough to rewrite it"
		if f.Confidence == Sure {
			f.Confidence = Likely
		}
		r := resolve(t, f)
		if !overlap(r.At, read) {
			more = append(more, r)
		}
	}
	return more
}

// isStructured reports whether files of a kind hold texts of other languages
// in places that their detector has to know.
func isStructured(l Lang) bool {
	switch l {
	case CloudInit, CloudFormation, Terraform, Packer, Ansible, Kubernetes, Compose, Workflow, Docker, Systemd, Template, IAM:
		return true
	}
	return false
}

// addressOutside reports whether an address stands where nobody has read.
func addressOutside(data []byte, read []Span) bool {
	for at := 0; ; {
		i := address(data[at:])
		if i < 0 {
			return false
		}
		at += i + 1
		if !overlap(Span{at - 1, at}, read) {
			return true
		}
	}
}

func overlap(s Span, with []Span) bool {
	return slices.ContainsFunc(with, func(o Span) bool { return s.Start < o.End && o.Start < s.End })
}
