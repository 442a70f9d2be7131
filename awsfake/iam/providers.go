package iam

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

func (s *Service) providerOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateOpenIDConnectProvider", s.createProvider),
		wire.Op("GetOpenIDConnectProvider", s.getProvider),
		wire.Op("ListOpenIDConnectProviders", s.listProviders),
		wire.Op("DeleteOpenIDConnectProvider", s.deleteProvider),
		wire.Op("AddClientIDToOpenIDConnectProvider", s.addClientID),
		wire.Op("RemoveClientIDFromOpenIDConnectProvider", s.removeClientID),
		wire.Op("UpdateOpenIDConnectProviderThumbprint", s.updateThumbprints),
		wire.Op("TagOpenIDConnectProvider", s.tagProvider),
		wire.Op("UntagOpenIDConnectProvider", s.untagProvider),
		wire.Op("ListOpenIDConnectProviderTags", s.listProviderTags),
	}
}

// The quotas of a provider.
const (
	maxProviders   = 100
	maxClientIDs   = 100
	maxThumbprints = 5
)

type createProviderInput struct {
	URL         string   `query:"Url"`
	ClientIDs   []string `query:"ClientIDList"`
	Thumbprints []string `query:"ThumbprintList"`
	Tags        []wire.Tag
}

type createProviderAnswer struct {
	ARN  string          `xml:"OpenIDConnectProviderArn"`
	Tags *list[wire.Tag] `xml:",omitempty"`
}

// issuerOf is an issuer without https://, as providers are named. IAM wants an
// address by HTTPS without query and fragment.
func issuerOf(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", false
	}
	issuer := text[len("https://"):]
	return issuer, issuer == u.Host+u.EscapedPath()
}

// thumbprints wants SHA-1 in hex.
func (v *checks) thumbprints(all []string) {
	for _, t := range all {
		v.Length("thumbprintList", t, 40, 40)
		if strings.Trim(strings.ToLower(t), "0123456789abcdef") != "" {
			v.own = wire.Refuse("InvalidInput", "Thumbprint "+t+" is not valid.")
		}
	}
	if len(all) > maxThumbprints {
		v.own = wire.Refuse("InvalidInput", "Thumbprint list must contain 5 entries or fewer.")
	}
}

func (v *checks) clientIDs(all ...string) {
	for _, id := range all {
		v.Length("clientID", id, 1, 255)
	}
}

// createProvider lets the account trust an identity provider
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html).
// Where AWS looks up a thumbprint that is not told, this one stays without.
func (s *Service) createProvider(c *wire.Call, in createProviderInput) (createProviderAnswer, error) {
	var v checks
	v.Required("url", in.URL != "")
	v.Length("url", in.URL, 0, 255)
	v.clientIDs(in.ClientIDs...)
	v.thumbprints(in.Thumbprints)
	v.tags(in.Tags)
	issuer, ok := issuerOf(in.URL)
	if !ok {
		v.refuse("Invalid Open ID Connect Provider URL")
	}
	if err := v.err(c); err != nil {
		return createProviderAnswer{}, err
	}
	arn := c.GlobalARN("iam", "oidc-provider/"+issuer)
	if err := c.Authorize("iam:CreateOpenIDConnectProvider", arn, wire.RequestTags(in.Tags)); err != nil {
		return createProviderAnswer{}, err
	}
	switch _, taken := s.State.Providers[issuer]; {
	case taken:
		return createProviderAnswer{}, wire.Conflict("EntityAlreadyExists", "Provider with url "+in.URL+" already exists.")
	case len(s.State.Providers) >= maxProviders:
		return createProviderAnswer{}, limit("Cannot exceed quota for OpenIdConnectProvidersPerAccount: %d", maxProviders)
	case len(in.ClientIDs) > maxClientIDs:
		return createProviderAnswer{}, tooManyClients()
	}
	put(&s.State.Providers, issuer, &Provider{
		ARN: arn, URL: issuer, ClientIDs: in.ClientIDs, Thumbprints: lower(in.Thumbprints),
		Created: c.Now().Truncate(time.Second), Tags: append([]wire.Tag(nil), in.Tags...),
	})
	return createProviderAnswer{arn, tagList(in.Tags)}, nil
}

func tooManyClients() error {
	return limit("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClientIDs)
}

func lower(all []string) []string {
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return all
}

type providerInput struct {
	ARN         string `query:"OpenIDConnectProviderArn"`
	ClientID    string
	Thumbprints []string `query:"ThumbprintList"`
	Tags        []wire.Tag
	TagKeys     []string
	paging
}

// provider is begin for an operation on a provider.
func (s *Service) provider(c *wire.Call, in providerInput, v *checks) (*Provider, error) {
	v.arn("openIDConnectProviderArn", in.ARN)
	if err := v.err(c); err != nil {
		return nil, err
	}
	_, issuer, _ := strings.Cut(in.ARN, ":oidc-provider/")
	p, ok := s.State.Providers[issuer]
	keys := wire.RequestTags(in.Tags)
	if ok {
		for key, value := range resourceTags(p.Tags) {
			keys[key] = value
		}
	}
	if err := c.Authorize("iam:"+c.Operation, in.ARN, keys); err != nil {
		return nil, err
	}
	if !ok || p.ARN != in.ARN {
		return nil, wire.NotFound("NoSuchEntity", "OpenIDConnect Provider not found for arn "+in.ARN)
	}
	return p, nil
}

type providerAnswer struct {
	URL            string `xml:"Url"`
	ClientIDList   list[string]
	ThumbprintList list[string]
	CreateDate     wire.Time
	Tags           list[wire.Tag]
}

func (s *Service) getProvider(c *wire.Call, in providerInput) (providerAnswer, error) {
	p, err := s.provider(c, in, new(checks))
	if err != nil {
		return providerAnswer{}, err
	}
	return providerAnswer{p.URL, listed(p.ClientIDs, same), listed(p.Thumbprints, same), wire.Time{Time: p.Created}, listed(p.Tags, same)}, nil
}

type providerEntry struct {
	ARN string `xml:"Arn"`
}

type providersAnswer struct {
	OpenIDConnectProviderList list[providerEntry]
}

func (s *Service) listProviders(c *wire.Call, _ wire.Empty) (providersAnswer, error) {
	err := c.Authorize("iam:ListOpenIDConnectProviders", "*", nil)
	return providersAnswer{listed(sorted(s.State.Providers), func(p *Provider) providerEntry { return providerEntry{p.ARN} })}, err
}

func (s *Service) deleteProvider(c *wire.Call, in providerInput) (wire.Empty, error) {
	p, err := s.provider(c, in, new(checks))
	if err == nil {
		delete(s.State.Providers, p.URL)
	}
	return wire.Empty{}, err
}

// addClientID adds an audience; one that is there already stays there.
func (s *Service) addClientID(c *wire.Call, in providerInput) (wire.Empty, error) {
	var v checks
	v.Required("clientID", in.ClientID != "")
	v.Length("clientID", in.ClientID, 0, 255)
	p, err := s.provider(c, in, &v)
	switch {
	case err != nil || slices.Contains(p.ClientIDs, in.ClientID):
		return wire.Empty{}, err
	case len(p.ClientIDs) >= maxClientIDs:
		return wire.Empty{}, tooManyClients()
	}
	p.ClientIDs = append(p.ClientIDs, in.ClientID)
	return wire.Empty{}, nil
}

func (s *Service) removeClientID(c *wire.Call, in providerInput) (wire.Empty, error) {
	var v checks
	v.Required("clientID", in.ClientID != "")
	p, err := s.provider(c, in, &v)
	if err == nil {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == in.ClientID })
	}
	return wire.Empty{}, err
}

func (s *Service) updateThumbprints(c *wire.Call, in providerInput) (wire.Empty, error) {
	var v checks
	v.Required("thumbprintList", in.Thumbprints != nil)
	v.thumbprints(in.Thumbprints)
	p, err := s.provider(c, in, &v)
	if err == nil {
		p.Thumbprints = lower(in.Thumbprints)
	}
	return wire.Empty{}, err
}

func (s *Service) tagProvider(c *wire.Call, in providerInput) (wire.Empty, error) {
	var v checks
	v.tags(in.Tags)
	p, err := s.provider(c, in, &v)
	if err != nil {
		return wire.Empty{}, err
	}
	all, err := tagged(p.Tags, in.Tags)
	if err == nil {
		p.Tags = all
	}
	return wire.Empty{}, err
}

func (s *Service) untagProvider(c *wire.Call, in providerInput) (wire.Empty, error) {
	p, err := s.provider(c, in, new(checks))
	if err == nil {
		p.Tags = untagged(p.Tags, in.TagKeys)
	}
	return wire.Empty{}, err
}

func (s *Service) listProviderTags(c *wire.Call, in providerInput) (tagsAnswer, error) {
	var v checks
	in.check(&v.Checks)
	p, err := s.provider(c, in, &v)
	if err != nil {
		return tagsAnswer{}, err
	}
	part, more, err := page(in.paging, p.Tags)
	return tagsAnswer{listed(part, same), more}, err
}
