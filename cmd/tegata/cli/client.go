package cli

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"time"

	"tegata/login"
	"tegata/store"
)

// runClient looks after the keys of programs, also while a server runs on the
// same data.
func runClient(ctx context.Context, s *session) error {
	fs := s.flags()
	data := fs.String("data", "", "")
	output := oneOf("text", "json")
	fs.Var(output, "o", "")
	args, err := s.parse(fs)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usagef("nothing to do; verbs are add, list, remove")
	}
	verb, names := args[0], args[1:]
	if err := checkVerb(fs, verb, len(names)); err != nil {
		return err
	}
	db, err := s.joinStore(ctx, *data)
	if err != nil {
		return err
	}
	switch verb {
	case "add":
		err = s.addClient(ctx, db, names[0])
	case "remove":
		err = removeClient(ctx, db, names[0])
	default:
		err = s.listClients(ctx, db, output.value)
	}
	return errors.Join(err, db.Close())
}

// checkVerb holds a command line of client against what each verb takes.
func checkVerb(fs *flag.FlagSet, verb string, names int) error {
	switch verb {
	case "add", "remove":
		if names != 1 {
			return usagef("%s takes one name", verb)
		}
	case "list":
		if names != 0 {
			return usagef("list takes no name")
		}
		return nil
	default:
		return usagef("unknown verb %q: want one of add, list, remove", verb)
	}
	formatted := false
	fs.Visit(func(f *flag.Flag) { formatted = formatted || f.Name == "o" })
	if formatted {
		return usagef("-o is a flag of list, not of %s", verb)
	}
	return nil
}

// joinStore opens the store in a data directory, or in the default one for "".
func (s *session) joinStore(ctx context.Context, data string) (*store.DB, error) {
	if data == "" {
		var err error
		if data, err = dataDir(s); err != nil {
			return nil, err
		}
	}
	return store.Join(ctx, storePath(data))
}

// dataDir is where conversations and keys are kept when nobody says where.
//
// Source: https://specifications.freedesktop.org/basedir-spec/latest/
func dataDir(s *session) (string, error) {
	if data := s.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "tegata"), nil
	}
	if home := s.Getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "tegata"), nil
	}
	return "", hintf(errors.New("find a place for conversations and keys: neither XDG_DATA_HOME nor HOME is set"), "say where with --data DIR")
}

// addClient prints the key of a new client. A key that could not be printed
// is not kept: nobody will ever know it.
func (s *session) addClient(ctx context.Context, db *store.DB, name string) error {
	key, err := login.AddClient(ctx, db, name)
	switch {
	case errors.Is(err, login.ErrName):
		return hintf(usagef("%q is not a name for a client", name), "use 1 to 64 letters, digits, dots, hyphens and underscores, such as build-server")
	case errors.Is(err, store.ErrExists):
		return hintf(err, "choose another name, or take the key back first: tegata client remove %s", name)
	case err != nil:
		return err
	}
	if err := line(s.Stdout, "%s", key); err != nil {
		return errors.Join(err, db.RemoveClient(context.WithoutCancel(ctx), name))
	}
	s.warn("this key is shown this once; programs send it as Authorization: Bearer KEY")
	return nil
}

func removeClient(ctx context.Context, db *store.DB, name string) error {
	err := db.RemoveClient(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return hintf(err, "names that exist: tegata client list")
	}
	return err
}

// listedClient is a client as `tegata client list -o json` prints it.
type listedClient struct {
	Name     string     `json:"name"`
	Created  time.Time  `json:"created"`
	LastUsed *time.Time `json:"last_used"` // null for never; up to a minute early
}

func (s *session) listClients(ctx context.Context, db *store.DB, format string) error {
	clients, err := db.Clients(ctx)
	if err != nil {
		return err
	}
	if format == "json" {
		return s.printJSON(listed(clients))
	}
	widest := 0
	for _, c := range clients {
		widest = max(widest, len(c.Name))
	}
	for _, c := range clients {
		if err := line(s.Stdout, "%-*s  %s", widest, c.Name, s.useOf(c)); err != nil {
			return err
		}
	}
	if len(clients) == 0 {
		s.warn("no program has a key yet; make one with tegata client add NAME")
	}
	return nil
}

func listed(clients []store.Client) []listedClient {
	list := make([]listedClient, 0, len(clients))
	for _, c := range clients {
		l := listedClient{Name: c.Name, Created: c.Created.Truncate(time.Second)}
		if !c.LastUsed.IsZero() {
			used := c.LastUsed.Truncate(time.Second)
			l.LastUsed = &used
		}
		list = append(list, l)
	}
	return list
}

// useOf says since when a client has a key and when it used it last.
func (s *session) useOf(c store.Client) string {
	added := c.Created.Format(time.RFC3339)
	if c.LastUsed.IsZero() {
		return s.lang.T("added %s, never used", added)
	}
	return s.lang.T("added %s, last used %s", added, c.LastUsed.Format(time.RFC3339))
}
