package awsfake

import "tegata/awsfake/wire"

func (s *Server) sts() wire.Service {
	return wire.Service{
		Name: "sts", Version: "2011-06-15", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/", Protocol: wire.Query,
		Operations: []wire.Operation{wire.Op("GetCallerIdentity", getCallerIdentity)},
	}
}

type identity struct {
	ARN     string `xml:"Arn"`
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity needs no permission: not even an explicit deny stops it.
func getCallerIdentity(c *wire.Call, _ wire.Empty) (identity, error) {
	return identity{c.Caller.ARN, c.Caller.UserID, c.Account}, nil
}
