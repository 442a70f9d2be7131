package imds

import (
	"context"
	"errors"
	"strings"
)

// list returns the names that a directory of the tree lists, those of
// directories with their slash.
func (c *Client) list(ctx context.Context, dir string) ([]string, error) {
	body, err := c.Get(ctx, dir)
	if err != nil {
		return nil, err
	}
	return lines(body), nil
}

// leaves reads every value directly in a directory. One that goes away between
// the list and the read counts as never having been there.
func (c *Client) leaves(ctx context.Context, dir string) (map[string]string, error) {
	names, err := c.list(ctx, dir)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(names))
	for _, name := range names {
		if strings.HasSuffix(name, "/") {
			continue
		}
		value, err := c.Get(ctx, dir+name)
		switch {
		case err == nil:
			values[name] = value
		case !errors.Is(err, ErrAbsent):
			return nil, err
		}
	}
	return values, nil
}

// lines takes a list apart: one value a line, empty lines dropped.
func lines(body string) []string {
	var list []string
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}
