package imds

import "context"

// UserData returns the user data, byte for byte, up to 16 KiB of anything: it
// may be a script, a cloud-init document or an archive. It fails with
// [ErrAbsent] if the instance was launched without any.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
func (c *Client) UserData(ctx context.Context) ([]byte, error) {
	body, err := c.Get(ctx, "user-data")
	if err != nil {
		return nil, err
	}
	return []byte(body), nil
}
