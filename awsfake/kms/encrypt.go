package kms

import (
	"crypto/rand"

	"tegata/awsfake/wire"
)

// Sizes in bytes (https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html).
const (
	maxPlaintext  = 4096
	maxCiphertext = 6144
	maxDataKey    = 1024
)

// NoKey is what a caller reads whose ciphertext names a key that isn't
// there, or isn't for it.
const NoKey = "The ciphertext refers to a customer master key that does not exist, " +
	"does not exist in this region, or you are not allowed to access."

// Encrypt encrypts for a service on behalf of its caller, and tells the ARN of
// the key. Its errors are those of the operation Encrypt.
func (s *Service) Encrypt(c *wire.Call, id string, u Use, plaintext []byte) (blob []byte, arn string, err error) {
	return s.encryptAs(c, "kms:Encrypt", id, u, plaintext)
}

func (s *Service) encryptAs(c *wire.Call, action, id string, u Use, plaintext []byte) (blob []byte, arn string, err error) {
	k, err := s.key(c, id, action, u)
	if err != nil {
		return nil, "", err
	}
	if err := k.usable(); err != nil {
		return nil, "", err
	}
	return k.seal(plaintext, u.Context), k.ARN, nil
}

// EncryptData encrypts for a service that keeps more than Encrypt takes. AWS
// has such services encrypt under a data key: so the caller needs
// kms:GenerateDataKey, and kms:Decrypt, with which they read it back.
func (s *Service) EncryptData(c *wire.Call, id string, u Use, plaintext []byte) (blob []byte, arn string, err error) {
	if _, err := s.key(c, id, "kms:Decrypt", u); err != nil {
		return nil, "", err
	}
	return s.encryptAs(c, "kms:GenerateDataKey", id, u, plaintext)
}

// Decrypt decrypts for a service on behalf of its caller, and tells the ARN of
// the key. Its errors are those of the operation Decrypt.
func (s *Service) Decrypt(c *wire.Call, u Use, blob []byte) (plaintext []byte, arn string, err error) {
	return s.decryptAs(c, "kms:Decrypt", "", u, blob)
}

// decryptAs opens a ciphertext; a key id that is given must be that of its key.
func (s *Service) decryptAs(c *wire.Call, action, id string, u Use, blob []byte) (plaintext []byte, arn string, err error) {
	b, err := readBlob(blob)
	if err != nil {
		return nil, "", wire.Refuse("InvalidCiphertextException", "")
	}
	k, err := s.find(c, b.arn)
	if err != nil {
		return nil, "", wire.Refuse("AccessDeniedException", NoKey)
	}
	if id != "" {
		named, err := s.find(c, id)
		if err != nil {
			return nil, "", err
		}
		if named != k {
			return nil, "", wire.Refuse("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
		}
	}
	u.alias = aliasOf(id)
	if err := s.permit(c, k, action, u); err != nil {
		return nil, "", err
	}
	if err := k.usable(); err != nil {
		return nil, "", err
	}
	if plaintext, err = k.open(b, u.Context); err != nil {
		return nil, "", wire.Refuse("InvalidCiphertextException", "")
	}
	return plaintext, k.ARN, nil
}

type encryptIn struct {
	KeyID               *string `json:"KeyId"`
	Plaintext           []byte
	EncryptionContext   map[string]string
	EncryptionAlgorithm *string
	DryRun              bool
}

type encryptOut struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

func (s *Service) encrypt(c *wire.Call, in encryptIn) (encryptOut, error) {
	var v wire.Checks
	v.Required("keyId", in.KeyID != nil)
	checkBytes(&v, "plaintext", in.Plaintext, maxPlaintext)
	checkAlgorithm(&v, "encryptionAlgorithm", in.EncryptionAlgorithm)
	if err := v.Err(c); err != nil {
		return encryptOut{}, err
	}
	blob, arn, err := s.Encrypt(c, *in.KeyID, Use{Context: in.EncryptionContext}, in.Plaintext)
	if err == nil {
		err = dryRun(in.DryRun)
	}
	return encryptOut{blob, arn, symmetric}, err
}

type decryptIn struct {
	CiphertextBlob      []byte
	KeyID               *string `json:"KeyId"`
	EncryptionContext   map[string]string
	EncryptionAlgorithm *string
	DryRun              bool
}

type decryptOut struct {
	KeyID               string `json:"KeyId"`
	Plaintext           []byte
	EncryptionAlgorithm string
}

func (s *Service) decrypt(c *wire.Call, in decryptIn) (decryptOut, error) {
	var v wire.Checks
	checkBytes(&v, "ciphertextBlob", in.CiphertextBlob, maxCiphertext)
	checkAlgorithm(&v, "encryptionAlgorithm", in.EncryptionAlgorithm)
	if err := v.Err(c); err != nil {
		return decryptOut{}, err
	}
	plaintext, arn, err := s.decryptAs(c, "kms:Decrypt", orEmpty(in.KeyID), Use{Context: in.EncryptionContext}, in.CiphertextBlob)
	if err == nil {
		err = dryRun(in.DryRun)
	}
	return decryptOut{arn, plaintext, symmetric}, err
}

type reEncryptIn struct {
	CiphertextBlob               []byte
	SourceEncryptionContext      map[string]string
	SourceKeyID                  *string `json:"SourceKeyId"`
	DestinationKeyID             *string `json:"DestinationKeyId"`
	DestinationEncryptionContext map[string]string
	DryRun                       bool
}

type reEncryptOut struct {
	CiphertextBlob                 []byte
	SourceKeyID                    string `json:"SourceKeyId"`
	KeyID                          string `json:"KeyId"`
	SourceEncryptionAlgorithm      string
	DestinationEncryptionAlgorithm string
}

func (s *Service) reEncrypt(c *wire.Call, in reEncryptIn) (reEncryptOut, error) {
	var v wire.Checks
	checkBytes(&v, "ciphertextBlob", in.CiphertextBlob, maxCiphertext)
	v.Required("destinationKeyId", in.DestinationKeyID != nil)
	if err := v.Err(c); err != nil {
		return reEncryptOut{}, err
	}
	plaintext, from, err := s.decryptAs(c, "kms:ReEncryptFrom", orEmpty(in.SourceKeyID), Use{Context: in.SourceEncryptionContext}, in.CiphertextBlob)
	if err != nil {
		return reEncryptOut{}, err
	}
	blob, to, err := s.encryptAs(c, "kms:ReEncryptTo", *in.DestinationKeyID, Use{Context: in.DestinationEncryptionContext}, plaintext)
	if err == nil {
		err = dryRun(in.DryRun)
	}
	return reEncryptOut{blob, from, to, symmetric, symmetric}, err
}

type dataKeyIn struct {
	KeyID             *string `json:"KeyId"`
	KeySpec           *string
	NumberOfBytes     *int
	EncryptionContext map[string]string
	DryRun            bool
}

type dataKeyOut struct {
	CiphertextBlob []byte
	Plaintext      []byte `json:",omitempty"`
	KeyID          string `json:"KeyId"`
}

func (s *Service) generateDataKey(c *wire.Call, in dataKeyIn) (dataKeyOut, error) {
	return s.dataKey(c, "kms:GenerateDataKey", in)
}

func (s *Service) generateDataKeyWithoutPlaintext(c *wire.Call, in dataKeyIn) (dataKeyOut, error) {
	out, err := s.dataKey(c, "kms:GenerateDataKeyWithoutPlaintext", in)
	out.Plaintext = nil
	return out, err
}

func (s *Service) dataKey(c *wire.Call, action string, in dataKeyIn) (dataKeyOut, error) {
	size, err := in.size(c)
	if err != nil {
		return dataKeyOut{}, err
	}
	plaintext := make([]byte, size)
	rand.Read(plaintext)
	blob, arn, err := s.encryptAs(c, action, *in.KeyID, Use{Context: in.EncryptionContext}, plaintext)
	if err == nil {
		err = dryRun(in.DryRun)
	}
	return dataKeyOut{blob, plaintext, arn}, err
}

// size is the length of the data key that is asked for.
func (in dataKeyIn) size(c *wire.Call) (int, error) {
	var v wire.Checks
	v.Required("keyId", in.KeyID != nil)
	if in.KeySpec != nil {
		v.Enum("keySpec", *in.KeySpec, "AES_256", "AES_128")
	}
	if in.NumberOfBytes != nil {
		v.Range("numberOfBytes", *in.NumberOfBytes, 1, maxDataKey)
	}
	if err := v.Err(c); err != nil {
		return 0, err
	}
	switch {
	case (in.KeySpec == nil) == (in.NumberOfBytes == nil):
		return 0, wire.Refuse("ValidationException", "Please specify either number of bytes or key spec.")
	case in.NumberOfBytes != nil:
		return *in.NumberOfBytes, nil
	case *in.KeySpec == "AES_128":
		return 16, nil
	}
	return materialSize, nil
}

func checkBytes(v *wire.Checks, member string, b []byte, most int) {
	v.Required(member, b != nil)
	switch {
	case b == nil:
	case len(b) == 0:
		v.Length(member, "", 1, most)
	case len(b) > most:
		v.TooLong(member, most)
	}
}

func checkAlgorithm(v *wire.Checks, member string, algorithm *string) {
	if algorithm != nil {
		v.Enum(member, *algorithm, symmetric, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE")
	}
}

func dryRun(asked bool) error {
	if asked {
		return wire.Refuse("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	return nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
