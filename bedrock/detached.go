package bedrock

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// detached sends requests whose bodies nobody but net/http closes.
//
// The SDK closes the body of a request as soon as the answer's headers are
// there. When the far side is quick, net/http is still in its last read of
// that body, takes the close for a failed write and drops the connection with
// the answer on it: "use of closed network connection" in the middle of a
// stream.
type detached struct{ client bedrockruntime.HTTPClient }

func (d detached) Do(req *http.Request) (*http.Response, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return d.client.Do(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	own := req.WithContext(req.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	own.ContentLength = int64(len(body))
	return d.client.Do(own)
}
