package sts

import (
	"time"

	"tegata/awsfake/wire"
)

type identity struct {
	ARN     string `xml:"Arn"`
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity needs no permission: not even an explicit deny stops it
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
func getCallerIdentity(c *wire.Call, _ wire.Empty) (identity, error) {
	return identity{c.Caller.ARN, c.Caller.UserID, c.Account}, nil
}

type getAccessKeyInfoInput struct {
	AccessKeyID string `query:"AccessKeyId"`
}

type accountOf struct{ Account string }

// getAccessKeyInfo tells whose a key is; any account may ask about any key.
func (s *Service) getAccessKeyInfo(c *wire.Call, in getAccessKeyInfoInput) (accountOf, error) {
	var v wire.Checks
	v.Required("accessKeyId", in.AccessKeyID != "")
	if in.AccessKeyID != "" {
		v.Length("accessKeyId", in.AccessKeyID, 16, 128)
	}
	if err := v.Err(c); err != nil {
		return accountOf{}, err
	}
	if err := c.Authorize("sts:GetAccessKeyInfo", "*", nil); err != nil {
		return accountOf{}, err
	}
	if _, ok := s.State.Session(in.AccessKeyID); ok {
		return accountOf{c.Account}, nil
	}
	if account, ok := s.Directory.KeyAccount(in.AccessKeyID); ok {
		return accountOf{account}, nil
	}
	return accountOf{}, wire.Refuse("ValidationError", "Invalid AccessKeyId: no account has it")
}

type getSessionTokenInput struct {
	DurationSeconds *int
	SerialNumber    string
	TokenCode       string
}

type sessionToken struct{ Credentials credentials }

// getSessionToken needs no permission, but a user's own key
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html).
func (s *Service) getSessionToken(c *wire.Call, in getSessionTokenInput) (sessionToken, error) {
	lifetime := 12 * time.Hour
	if in.DurationSeconds != nil {
		var v wire.Checks
		v.Range("durationSeconds", *in.DurationSeconds, 900, 129600)
		if err := v.Err(c); err != nil {
			return sessionToken{}, err
		}
		lifetime = time.Duration(*in.DurationSeconds) * time.Second
	}
	if !c.Caller.LongTerm {
		return sessionToken{}, wire.Forbidden("AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	if in.SerialNumber != "" || in.TokenCode != "" {
		return sessionToken{}, wire.Forbidden("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")
	}
	return sessionToken{s.begin(c, Session{ARN: c.Caller.ARN, UserID: c.Caller.UserID, User: c.Caller.User}, lifetime)}, nil
}

type encodedMessage struct{ EncodedMessage string }

type decodedMessage struct{ DecodedMessage string }

// decodeAuthorizationMessage opens what EC2 appends to its refusals
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html).
func decodeAuthorizationMessage(c *wire.Call, in encodedMessage) (decodedMessage, error) {
	var v wire.Checks
	v.Required("encodedMessage", in.EncodedMessage != "")
	if err := v.Err(c); err != nil {
		return decodedMessage{}, err
	}
	if err := c.Authorize("sts:DecodeAuthorizationMessage", "*", nil); err != nil {
		return decodedMessage{}, err
	}
	text, err := wire.DecodeDenial(c.Account, in.EncodedMessage)
	if err != nil {
		return decodedMessage{}, wire.Refuse("InvalidAuthorizationMessageException", "Message is not valid")
	}
	return decodedMessage{text}, nil
}
