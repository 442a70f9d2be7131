package imds

import (
	"context"
	"errors"
)

const tagsPath = "/latest/meta-data/tags/instance/"

// Tags reads the tags of the instance, values as they were given. It fails
// with [ErrAbsent] if tags in instance metadata are switched off, as they are
// by default; an empty list means the same, because the real service gives
// one then.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html
func (c *Client) Tags(ctx context.Context) (map[string]string, error) {
	tags, err := c.leaves(ctx, tagsPath)
	if err == nil && len(tags) == 0 {
		return nil, &Error{Kind: ErrAbsent, Method: "GET", Path: tagsPath, Status: 200, Err: errors.New("the list of tags is empty")}
	}
	return tags, err
}
