package scan

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// around is how much of a large file is read before and after an address: a
// command with all of its lines, and not more, for a line may have no end.
const around = 4 << 10

// chunk is how much of a large file is in memory at once.
const chunk = 1 << 20

// large reads a file that is too large to be taken as a whole: what stands
// around each address in it, line by line. Nothing of it is rewritten.
func (s *scan) large(name string) error {
	f, err := os.Open(filepath.FromSlash(name))
	if err != nil {
		return err
	}
	defer f.Close()
	first := Position{1, 1}
	l := &largeFile{scan: s, name: name, first: first, mark: mark{0, first}}
	buffer := make([]byte, 0, chunk+2*around)
	for {
		n, err := io.ReadFull(f, buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return err
		}
		keep := l.chunk(buffer, last)
		buffer = buffer[:copy(buffer, buffer[keep:])]
		if last {
			break
		}
	}
	if len(l.results) > 0 {
		s.mu.Lock()
		s.readings[name] = &reading{source: source{path: name, lang: Plain}, results: inOrder(l.results), large: true}
		s.mu.Unlock()
	}
	return nil
}

// A largeFile is where the reading of a large file has come to.
type largeFile struct {
	*scan
	name    string
	offset  int      // of the chunk in the file
	done    int      // offset up to which the file was searched
	first   Position // of the chunk
	mark    mark
	results []*Result
}

// A mark is a place of the chunk that has been counted up to.
type mark struct {
	offset int // in the chunk
	Position
}

// chunk searches a part of the file and returns how many bytes of it are not
// needed any more.
func (l *largeFile) chunk(data []byte, last bool) (gone int) {
	end := len(data)
	if !last {
		end = max(0, len(data)-around) // what follows an address belongs to it
	}
	for at := max(0, l.done-l.offset); at < end; {
		n := address(data[at:])
		if n < 0 || at+n >= end {
			break
		}
		at = l.window(data, at+n, cluster(data[:end], at+n))
	}
	l.done = l.offset + end
	gone = max(0, end-around)
	l.first = l.from(data, gone).Position
	l.mark = mark{0, l.first}
	l.offset += gone
	return gone
}

// cluster returns the last of the addresses that follow each other closely
// from one on, so that they are read together.
func cluster(data []byte, first int) (last int) {
	for last = first; last-first < 16*around; {
		next := address(data[last+1 : min(len(data), last+around)])
		if next < 0 {
			break
		}
		last += 1 + next
	}
	return last
}

// window reads what stands around the addresses from one to another, and
// returns where to go on. Only what begins in the middle is taken: at the ends,
// half a command may look like another one.
func (l *largeFile) window(data []byte, first, last int) (next int) {
	start, end := max(0, first-around), min(len(data), last+around)
	if i := bytes.IndexByte(data[start:first], '\n'); start > 0 && i >= 0 {
		start += i + 1
	}
	if i := bytes.LastIndexByte(data[last:end], '\n'); i >= 0 {
		end = last + i
	}
	middle := Span{first - around/2, last + around/2}
	detect := l.detector(Plain)
	if detect == nil {
		return middle.End
	}
	body := string(data[start:end])
	at := l.offset + start
	t := &Text{Path: l.name, Lang: Plain, Body: body, parts: []part{{from: Span{at, at + len(body)}, kind: verbatim}}}
	for _, f := range detect(t).Findings {
		if from := start + f.At.Start; from < middle.Start || from >= middle.End {
			continue
		}
		f.Fix, f.Why = nil, "the file is too large to be rewritten"
		r := resolve(t, f)
		r.Source = sourceLine(body, f.At.Start)
		l.mark = l.from(data, start+f.At.Start)
		r.Start, r.End = l.mark.Position, l.from(data, start+f.At.End).Position
		l.results = append(l.results, r)
	}
	return middle.End
}

// from returns the mark at an offset of the chunk, counting on from the last
// one, or from the start where that one lies further on.
func (l *largeFile) from(data []byte, offset int) mark {
	m := l.mark
	if offset < m.offset {
		m = mark{0, l.first}
	}
	between := data[m.offset:offset]
	m.offset = offset
	m.Line += bytes.Count(between, []byte("\n"))
	if i := bytes.LastIndexByte(between, '\n'); i >= 0 {
		between, m.Column = between[i+1:], 1
	}
	m.Column += utf8.RuneCount(between)
	return m
}
