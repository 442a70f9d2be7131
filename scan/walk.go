package scan

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// maxWhole is how large a file may be that is read as a whole; larger ones are
// read in pieces, line by line.
const maxWhole = 8 << 20

// A Problem is a file that could not be read, or not be written.
type Problem struct {
	Path string
	Err  error
}

func (p Problem) Error() string { return p.Path + ": " + p.reason() }

func (p Problem) reason() string {
	var at *fs.PathError
	if errors.As(p.Err, &at) {
		return at.Err.Error() // the path is told already
	}
	return p.Err.Error()
}

// A walker goes through trees of files with a few goroutines, and shows each
// file that is worth reading to visit. Folders and runs of files are one kind
// of work; whoever has nothing to do takes the newest.
type walker struct {
	everything bool     // .gitignore or not
	exclude    []string // globs of what is passed over
	visit      func(name string, data []byte, asked bool)
	large      func(name string) error
	problem    func(name string, err error)

	mu    sync.Mutex
	ready sync.Cond
	work  []job
	busy  int
	files int
}

// A job is a folder to be listed, or some files of one to be looked at.
type job struct {
	dir   string // as the user writes it, slash-separated, ending in a slash if not empty
	rel   string // relative to the root of rules
	rules *ignoreRules
	files []string // nil for the folder itself
	asked bool     // the file is an argument
}

// filesPerJob keeps a folder with very many files from being one worker's.
const filesPerJob = 128

// walk goes through what was asked for, and returns how many files there were.
func (w *walker) walk(ctx context.Context, roots []string) int {
	w.ready.L = &w.mu
	for _, root := range roots {
		w.start(root)
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			buffer := make([]byte, 256<<10)
			for j, ok := w.next(ctx); ok; j, ok = w.next(ctx) {
				w.do(ctx, j, &buffer)
				w.finished()
			}
		})
	}
	workers.Wait()
	return w.files
}

// start takes up one argument: a folder, or a file, which is read whatever it
// is called.
func (w *walker) start(root string) {
	info, err := os.Stat(root)
	if err != nil {
		w.problem(filepath.ToSlash(root), err)
		return
	}
	name := filepath.ToSlash(filepath.Clean(root))
	if !info.IsDir() {
		dir, base := path.Split(name)
		w.files++
		w.work = append(w.work, job{dir: dir, files: []string{base}, asked: true})
		return
	}
	j := job{dir: strings.TrimSuffix(name, "/") + "/"}
	if name == "." {
		j.dir = ""
	}
	if !w.everything {
		j.rules, j.rel = ignoresAbove(root)
	}
	w.work = append(w.work, j)
}

// next waits for work until there is none left and nobody can make more.
func (w *walker) next(ctx context.Context) (j job, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.work) == 0 && w.busy > 0 {
		w.ready.Wait()
	}
	if len(w.work) == 0 || ctx.Err() != nil {
		return j, false
	}
	j = w.work[len(w.work)-1]
	w.work = w.work[:len(w.work)-1]
	w.busy++
	return j, true
}

func (w *walker) add(jobs []job, files int) {
	w.mu.Lock()
	w.work = append(w.work, jobs...)
	w.files += files
	w.mu.Unlock()
	w.ready.Broadcast()
}

func (w *walker) finished() {
	w.mu.Lock()
	w.busy--
	w.mu.Unlock()
	w.ready.Broadcast()
}

func (w *walker) do(ctx context.Context, j job, buffer *[]byte) {
	if j.files == nil {
		w.list(j)
		return
	}
	for _, name := range j.files {
		if ctx.Err() != nil {
			return
		}
		if err := w.file(j.dir+name, j.asked, buffer); err != nil {
			w.problem(j.dir+name, err)
		}
	}
}

// list turns a folder into jobs. What a directory tells about its entries is
// enough; none is looked at by itself, and links are not followed.
func (w *walker) list(j job) {
	dir := cmp.Or(j.dir, ".")
	f, err := os.Open(filepath.FromSlash(dir))
	if err != nil {
		w.problem(dir, err)
		return
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		w.problem(dir, err)
	}
	if !w.everything {
		j.rules = w.ownRules(j, entries)
	}
	var jobs []job
	var files []string
	count := 0
	for _, e := range entries {
		switch {
		case e.IsDir() && e.Name() != ".git" && !w.passesOver(j, e.Name(), true):
			jobs = append(jobs, job{dir: j.dir + e.Name() + "/", rel: path.Join(j.rel, e.Name()), rules: j.rules})
		case e.Type().IsRegular() && !w.passesOver(j, e.Name(), false):
			count++
			if classOf(e.Name()) != unread {
				files = append(files, e.Name())
			}
		}
	}
	for len(files) > 0 {
		n := min(filesPerJob, len(files))
		jobs = append(jobs, job{dir: j.dir, files: files[:n]})
		files = files[n:]
	}
	w.add(jobs, count)
}

func (w *walker) ownRules(j job, entries []fs.DirEntry) *ignoreRules {
	for _, e := range entries {
		if e.Name() == ".gitignore" && e.Type().IsRegular() {
			return j.rules.below(j.rel, filepath.FromSlash(j.dir+".gitignore"))
		}
	}
	return j.rules
}

// passesOver reports whether an entry of a folder is not wanted.
func (w *walker) passesOver(j job, name string, folder bool) bool {
	for _, glob := range w.exclude {
		if p, ok := parseIgnoreLine(glob); ok && p.match(j.dir+name, folder) {
			return true
		}
	}
	return j.rules != nil && j.rules.ignores(path.Join(j.rel, name), folder)
}

// file reads one file and shows it, if it is worth it. The data are the
// buffer's, and good until visit returns.
func (w *walker) file(name string, asked bool, buffer *[]byte) error {
	f, err := openFile(filepath.FromSlash(name))
	if err != nil {
		return err
	}
	n, err := fill(f, buffer)
	f.Close()
	if err != nil {
		return err
	}
	data := (*buffer)[:n]
	switch class := classOf(name); {
	case isBinary(data):
		return nil
	case n > maxWhole:
		return w.large(name)
	case asked || worthReading(data, class):
		w.visit(name, data, asked)
	}
	return nil
}

// fill reads a file up to its end or to a little more than maxWhole, and makes
// the buffer larger for it. It stops early in what is not text.
func fill(f io.Reader, buffer *[]byte) (n int, err error) {
	for {
		if n == len(*buffer) {
			if n > maxWhole || isBinary(*buffer) {
				return n, nil
			}
			*buffer = append(*buffer, make([]byte, min(3*len(*buffer), maxWhole+1-n))...)
		}
		m, err := f.Read((*buffer)[n:])
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
