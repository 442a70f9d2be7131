package emulator_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	sdkimds "github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"tegata/emulator"
	"tegata/emulator/imdstest"
)

// sdkClient is the client of the AWS SDK, bound to the emulator alone.
func sdkClient(s *imdstest.Server) *sdkimds.Client {
	return sdkimds.New(sdkimds.Options{Endpoint: s.URL, ClientEnableState: sdkimds.ClientEnabled})
}

// What the AWS SDK for Go reads, with tokens required and optional.
func TestSDKReads(t *testing.T) {
	for _, tokens := range []string{"required", "optional"} {
		t.Run(tokens, func(t *testing.T) {
			o := full()
			o.Tokens = tokens
			c, ctx := sdkClient(imdstest.NewServer(t, o)), t.Context()

			region, err := c.GetRegion(ctx, nil)
			if err != nil || region.Region != "eu-west-1" {
				t.Errorf("region: %+v, %v", region, err)
			}
			document, err := c.GetInstanceIdentityDocument(ctx, nil)
			if err != nil || document.InstanceID != "i-0aa" || !document.PendingTime.Equal(o.Instance.Launched) {
				t.Errorf("identity document: %+v, %v", document, err)
			}
			info, err := c.GetIAMInfo(ctx, nil)
			if err != nil || info.InstanceProfileArn != "arn:aws:iam::111122223333:instance-profile/app-profile" {
				t.Errorf("IAM info: %+v, %v", info, err)
			}
			data, err := c.GetUserData(ctx, nil)
			if err != nil || read(t, data.Content) != o.Instance.UserData {
				t.Errorf("user data: %v", err)
			}
			id, err := c.GetMetadata(ctx, &sdkimds.GetMetadataInput{Path: "instance-id"})
			if err != nil || read(t, id.Content) != "i-0aa" {
				t.Errorf("instance id: %v", err)
			}
			var status interface{ HTTPStatusCode() int }
			_, err = c.GetMetadata(ctx, &sdkimds.GetMetadataInput{Path: "spot/instance-action"})
			if !errors.As(err, &status) || status.HTTPStatusCode() != http.StatusNotFound {
				t.Errorf("absent category: %v", err)
			}
		})
	}
}

func TestSDKRefused(t *testing.T) {
	c := sdkClient(imdstest.NewServer(t, emulator.Options{Disabled: true}))
	var status interface{ HTTPStatusCode() int }
	_, err := c.GetMetadata(t.Context(), &sdkimds.GetMetadataInput{Path: "instance-id"})
	if !errors.As(err, &status) || status.HTTPStatusCode() != http.StatusForbidden {
		t.Errorf("disabled endpoint: %v", err)
	}
}

func read(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}
