package emulator

import (
	"fmt"
	"net/http"
	"strconv"
)

// refuse answers with a status and the body that the service has for it.
func (s *service) refuse(w http.ResponseWriter, r *http.Request, status int) {
	mediaType, body, _ := s.errorBody(status, "", "")
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// errorBody is the form that [fault.Reply.Serve] asks for. The service has no
// error codes: refusals of access or method are empty, all else is a page; the
// legacy front end has one for 401 too.
func (s *service) errorBody(status int, _, _ string) (mediaType string, body []byte, header http.Header) {
	switch status {
	case http.StatusUnauthorized:
		if s.options.Profile != ProfileLegacy {
			return "text/plain", nil, nil
		}
	case http.StatusOK, http.StatusForbidden, http.StatusMethodNotAllowed:
		return "text/plain", nil, nil
	}
	title := fmt.Sprintf("%d - %s", status, http.StatusText(status))
	return "text/html", fmt.Appendf(nil, errorPage, title, title), nil
}

// errorPage is 339 bytes long with "404 - Not Found" in it, as clients have
// recorded it.
const errorPage = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
` + "\t\t" + ` "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>%s</title>
 </head>
 <body>
  <h1>%s</h1>
 </body>
</html>
`
