package iam

import "testing"

func TestProviders(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:iam::123456789012:oidc-provider/token.example/ci"
	const print = "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDD"
	o := open(t)
	o.run(t, []step{
		{"CreateOpenIDConnectProvider Url=https://token.example/ci ClientIDList.member.1=sts ThumbprintList.member.1=" + print, arn},
		{"CreateOpenIDConnectProvider Url=https://token.example/ci", "EntityAlreadyExists: Provider with url https://token.example/ci already exists."},
		{"CreateOpenIDConnectProvider Url=http://token.example", "ValidationError: Invalid Open ID Connect Provider URL"},
		{"CreateOpenIDConnectProvider Url=https://token.example/?a", "ValidationError: Invalid Open ID Connect Provider URL"},
		{"CreateOpenIDConnectProvider Url=https://other.example ThumbprintList.member.1=aa",
			"ValidationError: 1 validation error detected: Value 'aa' at 'thumbprintList' failed to satisfy constraint: Member must have length greater than or equal to 40"},
		{"GetOpenIDConnectProvider OpenIDConnectProviderArn=" + arn,
			"<Url>token.example/ci</Url><ClientIDList><member>sts</member></ClientIDList><ThumbprintList><member>aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd</member></ThumbprintList>"},
		{"GetOpenIDConnectProvider OpenIDConnectProviderArn=" + arn + "x", "NoSuchEntity: OpenIDConnect Provider not found for arn " + arn + "x"},
		{"ListOpenIDConnectProviders", "<member><Arn>" + arn + "</Arn></member>"},
		{"AddClientIDToOpenIDConnectProvider ClientID=app OpenIDConnectProviderArn=" + arn, ""},
		{"RemoveClientIDFromOpenIDConnectProvider ClientID=sts OpenIDConnectProviderArn=" + arn, ""},
		{"UpdateOpenIDConnectProviderThumbprint ThumbprintList.member.1=0000000000000000000000000000000000000000 OpenIDConnectProviderArn=" + arn, ""},
		{"GetOpenIDConnectProvider OpenIDConnectProviderArn=" + arn, "<ClientIDList><member>app</member></ClientIDList><ThumbprintList><member>0000000000000000000000000000000000000000</member></ThumbprintList>"},
		{"TagOpenIDConnectProvider Tags.member.1.Key=k Tags.member.1.Value=v OpenIDConnectProviderArn=" + arn, ""},
		{"ListOpenIDConnectProviderTags OpenIDConnectProviderArn=" + arn, "<Key>k</Key>"},
	})
	roundTrip(t, o.State)
	if p, ok := o.State.Provider("token.example/ci"); !ok || p.ARN != arn {
		t.Errorf("%+v", p)
	}
	o.run(t, []step{
		{"DeleteOpenIDConnectProvider OpenIDConnectProviderArn=" + arn, ""},
		{"ListOpenIDConnectProviders", "<OpenIDConnectProviderList></OpenIDConnectProviderList>"},
	})
}

// An issuer that passes is an address by HTTPS again, and itself no address.
func FuzzIssuer(f *testing.F) {
	for _, url := range []string{"https://token.example/ci", "https://token.example:8443", "http://token.example", "https://a@token.example", "https://", "https://token.example/%2F?#"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		issuer, ok := issuerOf(url)
		if !ok {
			return
		}
		if again, ok := issuerOf("https://" + issuer); !ok || again != issuer {
			t.Errorf("%q is %q, and then %q, %t", url, issuer, again, ok)
		}
	})
}
