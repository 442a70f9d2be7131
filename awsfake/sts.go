package awsfake

import (
	"encoding/xml"
	"net/http"
)

const stsVersion = "2011-06-15"

// getCallerIdentity needs no permission: not even an explicit deny stops it.
func (s *Server) getCallerIdentity(w http.ResponseWriter, c *call) error {
	if c.form.Get("Version") != stsVersion {
		return c.unknownOperation()
	}
	type identity struct {
		ARN     string `xml:"Arn"`
		UserID  string `xml:"UserId"`
		Account string
	}
	answer := struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result    identity `xml:"GetCallerIdentityResult"`
		RequestID string   `xml:"ResponseMetadata>RequestId"`
	}{Result: identity{c.caller.ARN, c.caller.UserID, s.options.Account}, RequestID: c.id}
	write(w, http.StatusOK, "text/xml", marshalXML(answer))
	return nil
}
