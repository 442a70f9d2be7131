// Package aemm reads the settings of amazon-ec2-metadata-mock
// (https://github.com/aws/amazon-ec2-metadata-mock, release 1.13), so that
// what somebody wrote for that mock starts this emulator. Start with [Parse].
//
// One instance comes of them, which does not contradict itself as the mock's
// may: the identity document, the names and the ranges follow from the values,
// and keys are made anew. [Settings.Warnings] names what that leaves out.
package aemm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/internal/nearest"
)

// A Config is what the mock has been told: by its file, its variables and its
// flags. The zero value stands for the mock's defaults.
type Config struct {
	said map[string]string // by the dotted key in lower case
}

// Parse reads a configuration file; name is for errors. Keys count in any
// case, and null says nothing, as for the mock. Unlike there, a key that
// nobody knows is an error, and so is a value that is none.
func Parse(name string, data []byte) (*Config, error) {
	c := new(Config)
	if err := c.read(data); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if _, err := c.Settings(time.Time{}); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return c, nil
}

// Set says one thing more, in the form of a flag or a variable: key is as in
// the file with dots between the levels (spot.action). Whoever says it last
// wins; the mock's order is file, variables, flags.
func (c *Config) Set(key, text string) error {
	changed := &Config{said: maps.Clone(c.said)}
	if err := changed.say(strings.ToLower(key), text); err != nil {
		return err
	}
	if _, err := changed.Settings(time.Time{}); err != nil {
		return err
	}
	*c = *changed
	return nil
}

// Variable returns the key that an environment variable of the mock speaks
// of: AEMM_SPOT_ACTION of spot.action. It is "" for one that is not the mock's.
func Variable(name string) string {
	rest, ok := strings.CutPrefix(name, "AEMM_")
	if !ok {
		return ""
	}
	for key := range entries() {
		if strings.NewReplacer("-", "_", ".", "_").Replace(key) == strings.ToLower(rest) {
			return key
		}
	}
	return ""
}

// FlagKey returns the key that a flag of the mock sets, by the flag's long
// name and the subcommand before it, or "" for none: action after spot is
// spot.action, and port server.port everywhere.
func FlagKey(subcommand, flag string) string {
	for _, key := range []string{subcommand + "." + flag, "server." + flag, flag} {
		if _, ok := entries()[key]; ok {
			return key
		}
	}
	return ""
}

func (c *Config) read(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var file map[string]any
	if err := decoder.Decode(&file); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return c.readObject("", file)
}

// readObject takes what stands in an object below prefix, which ends in a dot.
func (c *Config) readObject(prefix string, object map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		key := prefix + strings.ToLower(name)
		if inner, ok := object[name].(map[string]any); ok {
			if err := c.readObject(key+".", inner); err != nil {
				return err
			}
			continue
		}
		if object[name] == nil && holds(key) {
			continue
		}
		text, err := textOf(object[name])
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if _, twice := c.said[key]; twice {
			return fmt.Errorf("%s stands there twice", key)
		}
		if err := c.say(key, text); err != nil {
			return err
		}
		if object[name] == nil {
			delete(c.said, key)
		}
	}
	return nil
}

// holds reports whether keys lie below key.
func holds(key string) bool {
	for k := range entries() {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// textOf is the text of a value. A list has a line for each.
func textOf(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []any:
		lines := make([]string, len(v))
		for n, item := range v {
			text, ok := item.(string)
			if !ok {
				return "", errors.New("want a list of texts")
			}
			lines[n] = text
		}
		return strings.Join(lines, "\n"), nil
	default: // numbers and booleans, as the mock takes "8" for 8 and 8 for "8"
		return fmt.Sprint(v), nil
	}
}

func (c *Config) say(key, text string) error {
	if _, known := entries()[key]; !known {
		return unknown(key)
	}
	if c.said == nil {
		c.said = map[string]string{}
	}
	c.said[key] = text
	return nil
}

// unknown is the error for a key. One at another level is like it, too:
// "port" means server.port.
func unknown(key string) error {
	known := slices.Sorted(maps.Keys(entries()))
	near := nearest.Names(key, known)
	for _, k := range known {
		if near == nil && strings.HasSuffix(k, "."+key) {
			near = []string{k}
		}
	}
	if near == nil {
		return fmt.Errorf("unknown key %q", key)
	}
	return fmt.Errorf("unknown key %q: did you mean %s?", key, near[0])
}
