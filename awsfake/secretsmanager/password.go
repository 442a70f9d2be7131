package secretsmanager

import (
	"strings"

	"tegata/awsfake/wire"
)

// The characters of a password
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html).
const (
	letters     = "abcdefghijklmnopqrstuvwxyz"
	capitals    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

type passwordIn struct {
	PasswordLength          *int
	ExcludeCharacters       string
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	ExcludeLowercase        bool
	IncludeSpace            bool
	RequireEachIncludedType *bool
}

type passwordOut struct{ RandomPassword string }

func (s *Service) getRandomPassword(c *wire.Call, in passwordIn) (passwordOut, error) {
	length := 32
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	var v wire.Checks
	v.Range("passwordLength", length, 1, 4096)
	v.Length("excludeCharacters", in.ExcludeCharacters, 0, 4096)
	if err := v.Err(c); err != nil {
		return passwordOut{}, err
	}
	if err := c.Authorize("secretsmanager:GetRandomPassword", "*", nil); err != nil {
		return passwordOut{}, err
	}
	kinds := in.kinds()
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	switch {
	case len(kinds) == 0:
		return passwordOut{}, wire.Refuse("InvalidParameterException", "All characters of the desired type have been excluded.")
	case each && length < len(kinds):
		return passwordOut{}, wire.Refuse("InvalidParameterException", "Password length is too short based on the required types.")
	}
	return passwordOut{password(kinds, length, each)}, nil
}

// kinds are the alphabets that are left.
func (in passwordIn) kinds() (kinds []string) {
	for _, kind := range []struct {
		alphabet string
		out      bool
	}{
		{letters, in.ExcludeLowercase}, {capitals, in.ExcludeUppercase}, {digits, in.ExcludeNumbers},
		{punctuation, in.ExcludePunctuation}, {" ", !in.IncludeSpace},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, kind.alphabet)
		if !kind.out && left != "" {
			kinds = append(kinds, left)
		}
	}
	return kinds
}

// password picks one of each kind if that is asked for, the rest of all kinds,
// and mixes them.
func password(kinds []string, length int, each bool) string {
	var picked []byte
	if each {
		for _, kind := range kinds {
			picked = append(picked, randomText(kind, 1)...)
		}
	}
	picked = append(picked, randomText(strings.Join(kinds, ""), length-len(picked))...)
	for i := range picked[:min(len(picked), 256)] { // those that were picked by kind lie here
		j := randomBelow(min(i+1, 256))
		picked[i], picked[j] = picked[j], picked[i]
	}
	return string(picked)
}
