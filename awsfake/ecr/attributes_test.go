package ecr_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"tegata/awsfake/ecr"
)

// What terraform's resources for repositories and lifecycle policies ask for.
func TestAttributes(t *testing.T) {
	t.Parallel()
	const (
		arn    = "arn:aws:ecr:eu-west-1:123456789012:repository/app"
		named  = `{"repositoryName":"app"}`
		tagged = `{"resourceArn":"` + arn + `"`
		ids    = `"registryId":"123456789012","repositoryName":"app"`
		in     = " for the repository with name 'app' in the registry with id '123456789012'"
		allow  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:*"}]}`
	)
	policy := func(number int) string {
		return fmt.Sprintf(`{"rules":[{"rulePriority":1,"description":"keep the last images","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":%d},"action":{"type":"expire"}}]}`, number)
	}
	lifecycle := func(number int) string {
		return `{"repositoryName":"app","lifecyclePolicyText":` + strconv.Quote(policy(number)) + `}`
	}
	s := &ecr.Service{State: &ecr.State{}}
	for _, step := range []struct{ name, refused, operation, body, want string }{
		{"create", "", "CreateRepository", `{"repositoryName":"app","tags":[{"Key":"a","Value":"b"}]}`, ""},
		{"tags", "", "ListTagsForResource", tagged + `}`, `{"tags":[{"Key":"a","Value":"b"}]}`},
		{"tag", "", "TagResource", tagged + `,"tags":[{"Key":"a","Value":"c"},{"Key":"d","Value":""}]}`, `{}`},
		{"untag", "", "UntagResource", tagged + `,"tagKeys":["d"]}`, `{}`},
		{"tags now", "", "ListTagsForResource", tagged + `}`, `{"tags":[{"Key":"a","Value":"c"}]}`},
		{"a tag of AWS", "", "TagResource", tagged + `,"tags":[{"Key":"aws:a","Value":"c"}]}`,
			"InvalidTagParameterException: Invalid parameter at 'tags' failed to satisfy constraint: 'Invalid tag key or value'"},
		{"tag, forbidden", "ecr:TagResource", "TagResource", tagged + `,"tags":[]}`, "AccessDeniedException: ecr:TagResource on " + arn},
		{"tags of another", "", "ListTagsForResource", `{"resourceArn":"` + arn + `2"}`,
			"RepositoryNotFoundException: The repository with name 'app2' does not exist in the registry with id '123456789012'"},
		{"tags of no repository", "", "ListTagsForResource", `{"resourceArn":"app"}`, "InvalidParameterException: Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'"},

		{"no lifecycle", "", "GetLifecyclePolicy", named, "LifecyclePolicyNotFoundException: Lifecycle policy does not exist" + in},
		{"put lifecycle", "", "PutLifecyclePolicy", lifecycle(10), `{` + ids + `,"lifecyclePolicyText":` + strconv.Quote(policy(10)) + `}`},
		{"get lifecycle", "", "GetLifecyclePolicy", named, `{` + ids + `,"lifecyclePolicyText":` + strconv.Quote(policy(10)) + `,"lastEvaluatedAt":1795406706}`},
		{"bad lifecycle", "", "PutLifecyclePolicy", lifecycle(0),
			"InvalidParameterException: Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: countNumber must be 1 or greater'"},
		{"lifecycle, forbidden", "ecr:GetLifecyclePolicy", "GetLifecyclePolicy", named, "AccessDeniedException: ecr:GetLifecyclePolicy on " + arn},
		{"delete lifecycle", "", "DeleteLifecyclePolicy", named, `{` + ids + `,"lifecyclePolicyText":` + strconv.Quote(policy(10)) + `,"lastEvaluatedAt":1795406706}`},
		{"delete lifecycle again", "", "DeleteLifecyclePolicy", named, "LifecyclePolicyNotFoundException: Lifecycle policy does not exist" + in},

		{"set policy", "", "SetRepositoryPolicy", `{"repositoryName":"app","policyText":` + strconv.Quote(allow) + `}`, `{` + ids + `,"policyText":` + strconv.Quote(allow) + `}`},
		{"delete policy", "", "DeleteRepositoryPolicy", named, `{` + ids + `,"policyText":` + strconv.Quote(allow) + `}`},
		{"delete policy again", "", "DeleteRepositoryPolicy", named, "RepositoryPolicyNotFoundException: Repository policy does not exist" + in},

		{"no images", "", "DescribeImages", named, `{"imageDetails":[]}`},
		{"no such image", "", "DescribeImages", `{"repositoryName":"app","imageIds":[{"imageTag":"latest"}]}`, "ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'latest'} " +
			"does not exist within the repository with name 'app' in the registry with id '123456789012'"},
		{"mutability", "", "PutImageTagMutability", `{"repositoryName":"app","imageTagMutability":"IMMUTABLE"}`, `{` + ids + `,"imageTagMutability":"IMMUTABLE"}`},
		{"scanning", "", "PutImageScanningConfiguration", `{"repositoryName":"app","imageScanningConfiguration":{"scanOnPush":true}}`, `{` + ids + `,"imageScanningConfiguration":{"scanOnPush":true}}`},
		{"all of it", "", "DescribeRepositories", `{}`, `{"repositories":[{"repositoryArn":"` + arn + `",` + ids + `,"repositoryUri":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app","createdAt":1795406706,` +
			`"imageTagMutability":"IMMUTABLE","imageScanningConfiguration":{"scanOnPush":true},"encryptionConfiguration":{"encryptionType":"AES256"}}]}`},
	} {
		got := do(s, "eu-west-1", step.refused, step.operation, step.body)
		if step.want == "" && strings.HasPrefix(got, "{") {
			got = ""
		}
		if got != step.want {
			t.Errorf("%s: got\n%s\nwant\n%s", step.name, got, step.want)
		}
		saved, _ := json.Marshal(s.State)
		loaded := new(ecr.State)
		if err := json.Unmarshal(saved, loaded); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(loaded); string(again) != string(saved) {
			t.Errorf("%s: the state became %s, was %s", step.name, again, saved)
		}
		s.State = loaded
	}
}

func TestLifecyclePolicies(t *testing.T) {
	t.Parallel()
	rule := func(more string) string {
		return `{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPrefixList":["v"],"countType":"sinceImagePushed","countUnit":"days","countNumber":14` + more + `},"action":{"type":"expire"}}`
	}
	for _, tt := range []struct{ name, rules, want string }{
		{"good", rule(""), ""},
		{"two of one priority", rule("") + "," + rule(""), "rulePriority 1 is there twice"},
		{"no JSON", `x`, "the policy must be JSON with a list of rules"},
		{"tag status", rule(`,"tagStatus":"all"`), "tagStatus must be one of tagged, untagged and any"},
		{"no tags", rule(`,"tagStatus":"any"`), "tagPrefixList or tagPatternList must be there with tagStatus tagged and with no other"},
		{"count type", rule(`,"countType":"x"`), "countType must be one of imageCountMoreThan and sinceImagePushed"},
		{"count unit", rule(`,"countUnit":"hours"`), "countUnit must be days with countType sinceImagePushed and absent with imageCountMoreThan"},
		{"action", strings.Replace(rule(""), "expire", "archive", 1), "the type of the action must be expire"},
		{"priority", strings.Replace(rule(""), `"rulePriority":1`, `"rulePriority":0`, 1), "rulePriority must be 1 or greater"},
	} {
		s := &ecr.Service{State: &ecr.State{}}
		do(s, "eu-west-1", "", "CreateRepository", `{"repositoryName":"app"}`)
		text, _ := json.Marshal(map[string]string{"repositoryName": "app", "lifecyclePolicyText": `{"rules":[` + tt.rules + `]}` + strings.Repeat(" ", 100)})
		got := do(s, "eu-west-1", "", "PutLifecyclePolicy", string(text))
		_, got, _ = strings.Cut(got, "validation failure: ")
		if got = strings.TrimSuffix(got, "'"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
