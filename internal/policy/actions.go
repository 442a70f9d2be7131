package policy

import "strings"

// TakesResource reports whether an action has resource types, so that a
// statement can narrow it to ARNs. An action without them is evaluated on the
// resource "*", and a statement that names ARNs never matches it.
func TakesResource(action string) bool {
	action = strings.ToLower(action)
	for _, a := range actionsWithoutResource {
		if newGlob(strings.ToLower(a)).match(action) {
			return false
		}
	}
	return true
}

// actionsWithoutResource are the actions of the services on the way to a model
// that take no ARN, from the Service Authorization Reference
// (https://docs.aws.amazon.com/service-authorization/latest/reference/) as of
// 2026-11; ListInferenceProfiles, ListModelCustomizationJobs and
// GetFoundationModelAvailability by what accounts report, as the reference is
// silent on them.
var actionsWithoutResource = []string{
	"aws-marketplace:Subscribe",
	"aws-marketplace:Unsubscribe",
	"aws-marketplace:ViewSubscriptions",
	"bedrock:*ModelInvocationLoggingConfiguration",
	"bedrock:*UseCaseForModelAccess",
	"bedrock:CreateFoundationModelAgreement",
	"bedrock:DeleteFoundationModelAgreement",
	"bedrock:GetFoundationModelAvailability",
	"bedrock:ListCustomModels",
	"bedrock:ListFoundationModelAgreementOffers",
	"bedrock:ListFoundationModels",
	"bedrock:ListImportedModels",
	"bedrock:ListInferenceProfiles",
	"bedrock:ListModelCustomizationJobs",
	"bedrock:ListProvisionedModelThroughputs",
	"cloudwatch:PutMetricData",
	"ec2:Describe*",
	"ec2messages:*",
	"ecr:GetAuthorizationToken",
	"iam:ListRoles",
	"kms:ListAliases",
	"kms:ListKeys",
	"secretsmanager:GetRandomPassword",
	"secretsmanager:ListSecrets",
	"ssm:DescribeParameters",
	"ssmmessages:*",
	"sts:DecodeAuthorizationMessage",
	"sts:GetAccessKeyInfo",
	"sts:GetCallerIdentity",
	"sts:GetSessionToken",
}
