package wire

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"tegata/internal/policy"
)

// A Denial is what an encoded authorization message tells of a refused call
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html).
type Denial struct {
	ExplicitDeny bool
	Matched      []policy.Statement // that decided
	PrincipalID  string             // AIDA…, or AROA…:SESSION
	Principal    string             // ARN
	Action       string             // ec2:RunInstances
	Resource     string             // an ARN, or *
	Conditions   map[string]string  // keys of the request
}

// ErrMessage is a message that no account has encoded, or another one.
var ErrMessage = errors.New("decode an authorization message: it is none of this account's")

// EncodeDenial seals a denial as the account's services append it to their
// refusals. The form is this package's own: JSON as STS decodes it, deflated,
// AES-GCM, base64 for URLs. The key follows from the account's number, so that
// a message can be decoded after the account has been stopped and started; it
// keeps nothing secret from who reads this, only from who reads the message.
func EncodeDenial(account string, d Denial) string {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // fails only for a level that does not exist
	w.Write(Marshal(d.message()))
	w.Close()
	seal := denialSeal(account)
	nonce := make([]byte, seal.NonceSize())
	rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(seal.Seal(nonce, nonce, packed.Bytes(), nil))
}

// maxDenial bounds the JSON of a denial in bytes, whatever a message claims to
// unfold to.
const maxDenial = 1 << 20

// DecodeDenial opens what [EncodeDenial] has sealed for the account: the
// DecodedMessage of STS, which is JSON. Any failure is [ErrMessage].
func DecodeDenial(account, encoded string) (decoded string, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(encoded)
	seal := denialSeal(account)
	if err != nil || len(sealed) < seal.NonceSize() {
		return "", ErrMessage
	}
	packed, err := seal.Open(nil, sealed[:seal.NonceSize()], sealed[seal.NonceSize():], nil)
	if err != nil {
		return "", ErrMessage
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxDenial))
	if err != nil || !json.Valid(text) {
		return "", ErrMessage
	}
	return string(text), nil
}

func denialSeal(account string) cipher.AEAD {
	key := sha256.Sum256([]byte("authorization messages of " + account))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(fmt.Sprintf("a key of %d bytes: %v", len(key), err))
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("AES in GCM: %v", err))
	}
	return seal
}

// The message wraps every list in items and every text in value.
type (
	items[T any] struct {
		Items []T `json:"items"`
	}
	textItem struct {
		Value string `json:"value"`
	}
	conditionItem struct {
		Key    string          `json:"key"`
		Values items[textItem] `json:"values"`
	}
	statementItem struct {
		ID              string               `json:"statementId"`
		Effect          string               `json:"effect"`
		Principals      items[textItem]      `json:"principals"`
		PrincipalGroups items[textItem]      `json:"principalGroups"`
		Actions         items[textItem]      `json:"actions"`
		Resources       items[textItem]      `json:"resources"`
		Conditions      items[conditionItem] `json:"conditions"`
	}
	denialPrincipal struct {
		ID  string `json:"id"`
		ARN string `json:"arn"`
	}
	denialContext struct {
		Principal  denialPrincipal      `json:"principal"`
		Action     string               `json:"action"`
		Resource   string               `json:"resource"`
		Conditions items[conditionItem] `json:"conditions"`
	}
	denialMessage struct {
		Allowed      bool                 `json:"allowed"`
		ExplicitDeny bool                 `json:"explicitDeny"`
		Matched      items[statementItem] `json:"matchedStatements"`
		Failures     items[textItem]      `json:"failures"`
		Context      denialContext        `json:"context"`
	}
)

func (d Denial) message() denialMessage {
	m := denialMessage{
		ExplicitDeny: d.ExplicitDeny,
		Matched:      items[statementItem]{[]statementItem{}},
		Failures:     texts(nil),
		Context: denialContext{
			Principal: denialPrincipal{d.PrincipalID, d.Principal}, Action: d.Action, Resource: d.Resource, Conditions: d.conditions(),
		},
	}
	for _, s := range d.Matched {
		m.Matched.Items = append(m.Matched.Items, d.statement(s))
	}
	return m
}

func (d Denial) conditions() items[conditionItem] {
	all := []conditionItem{}
	for _, key := range slices.Sorted(maps.Keys(d.Conditions)) {
		all = append(all, conditionItem{key, texts([]string{d.Conditions[key]})})
	}
	return items[conditionItem]{all}
}

func (d Denial) statement(s policy.Statement) statementItem {
	effect := "ALLOW"
	if s.Effect == "Deny" {
		effect = "DENY"
	}
	conditions := []conditionItem{}
	for _, c := range s.Conditions {
		conditions = append(conditions, conditionItem{c.Key, texts(c.Values)})
	}
	return statementItem{
		ID: s.SID, Effect: effect, Principals: texts([]string{d.PrincipalID}), PrincipalGroups: texts(nil),
		Actions: texts(s.Actions), Resources: texts(s.Resources), Conditions: items[conditionItem]{conditions},
	}
}

func texts(values []string) items[textItem] {
	all := []textItem{}
	for _, v := range values {
		all = append(all, textItem{v})
	}
	return items[textItem]{all}
}
