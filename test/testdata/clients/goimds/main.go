// Command goimds is an application that asks aws-sdk-go-v2 about its instance.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func main() {
	ctx := context.Background()
	if err := errors.Join(instance(ctx), chain(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// instance prints what the client for the metadata service finds.
func instance(ctx context.Context) error {
	client := imds.New(imds.Options{})
	region, err := client.GetRegion(ctx, nil)
	if err != nil {
		return err
	}
	document, err := client.GetInstanceIdentityDocument(ctx, nil)
	if err != nil {
		return err
	}
	text, err := json.Marshal(document.InstanceIdentityDocument)
	if err != nil {
		return err
	}
	info, err := client.GetIAMInfo(ctx, nil)
	if err != nil {
		return err
	}
	data, err := client.GetUserData(ctx, nil)
	if err != nil {
		return err
	}
	defer data.Content.Close()
	userData, err := io.ReadAll(data.Content)
	if err != nil {
		return err
	}
	fmt.Printf("region: %s\ndocument: %s\nprofile: %s %s\nuser data: %q\n", region.Region, text, info.Code, info.InstanceProfileArn, userData)
	return absent(ctx, client)
}

// absent asks for what no instance has.
func absent(ctx context.Context, client *imds.Client) error {
	_, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "no-such-thing"})
	var answered *smithyhttp.ResponseError
	if !errors.As(err, &answered) {
		return fmt.Errorf("absent: %w", err)
	}
	fmt.Println("absent:", answered.HTTPStatusCode())
	return nil
}

// chain prints what the default configuration takes from the instance.
func chain(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithEC2IMDSRegion())
	if err != nil {
		return err
	}
	found, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("default chain: %s in %s, they end: %t\n", found.Source, cfg.Region, found.CanExpire)
	return nil
}
