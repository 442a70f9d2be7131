package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tegata/imds"
)

// A variable is one line of what env and credentials print.
type variable struct{ name, value string }

func runEnv(ctx context.Context, s *session) error {
	client, format, err := s.openInstance(ctx, "sh", "fish", "powershell", "windows-cmd", "dotenv", "json")
	if err != nil {
		return err
	}
	defer client.Close()
	defer s.tellVersion(client)
	variables, err := instanceVariables(ctx, client)
	if err != nil {
		return cause(ctx, err)
	}
	if format == "json" {
		return s.printJSON(object(variables))
	}
	return printVariables(s.Stdout, format, variables)
}

func object(variables []variable) map[string]string {
	object := make(map[string]string, len(variables))
	for _, v := range variables {
		object[v.name] = v.value
	}
	return object
}

// instanceVariables reads what an application wants to know about the
// instance that it runs on. None of it is secret. Both names of the region
// are there because botocore reads AWS_DEFAULT_REGION only. What the instance
// lacks, as the private IPv4 address in a subnet of IPv6, is left out.
func instanceVariables(ctx context.Context, client *imds.Client) ([]variable, error) {
	document, err := client.IdentityDocument(ctx)
	if err != nil {
		return nil, err
	}
	variables := []variable{
		{"AWS_REGION", document.Region},
		{"AWS_DEFAULT_REGION", document.Region},
		{"AWS_ACCOUNT_ID", document.AccountID},
		{"EC2_INSTANCE_ID", document.InstanceID},
		{"EC2_INSTANCE_TYPE", document.InstanceType},
		{"EC2_AVAILABILITY_ZONE", document.AvailabilityZone},
		{"EC2_AMI_ID", document.ImageID},
		{"EC2_ARCHITECTURE", document.Architecture},
		{"EC2_LOCAL_IPV4", document.PrivateIP},
	}
	variables = slices.DeleteFunc(variables, func(v variable) bool { return v.value == "" })
	switch role, err := client.Role(ctx); {
	case err == nil:
		variables = append(variables, variable{"EC2_IAM_ROLE", role})
	case !errors.Is(err, imds.ErrAbsent): // an instance without a role is no error here
		return nil, err
	}
	return variables, nil
}

// printVariables writes assignments for a shell, quoted so that no value can
// be more than a value.
func printVariables(w io.Writer, format string, variables []variable) error {
	for _, v := range variables {
		if strings.ContainsAny(v.value, "\r\n\x00") {
			return fmt.Errorf("print %s: the value holds a line break", v.name)
		}
		if format == "windows-cmd" && strings.ContainsAny(v.value, `&|<>^%"`) { // it has no quotes that hold
			return fmt.Errorf("print %s: the value holds a character that cmd.exe would act on", v.name)
		}
		if _, err := fmt.Fprintln(w, assignment(format, v)); err != nil {
			return err
		}
	}
	return nil
}

func assignment(format string, v variable) string {
	switch format {
	case "fish":
		return "set -gx " + v.name + " " + quote(v.value, `\'`, `\\`)
	case "powershell":
		return "$Env:" + v.name + "='" + strings.ReplaceAll(v.value, "'", "''") + "'"
	case "windows-cmd":
		return "set " + v.name + "=" + v.value
	case "dotenv", "env-no-export":
		return v.name + "=" + quote(v.value, `'\''`, `\`)
	default: // sh, env
		return "export " + v.name + "=" + quote(v.value, `'\''`, `\`)
	}
}

// quote puts single quotes around a value that is not plain, with
// replacements for the quote and the backslash that the shell asks for.
func quote(value, apostrophe, backslash string) string {
	if value != "" && strings.Trim(value, plain) == "" {
		return value
	}
	return "'" + strings.NewReplacer("'", apostrophe, `\`, backslash).Replace(value) + "'"
}

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@+="
