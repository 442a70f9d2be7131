package awsfake

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"

	"tegata/awsfake/wire"
)

// Whatever an operation is given, it answers: with what it can make of it, or
// with an error of AWS that blames the caller.
func TestMalformedInput(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.FirstByte = 1 })
	server := b.Config.Handler.(*Server)
	long := strings.Repeat("あ", 700)
	for _, of := range server.services {
		for _, o := range of.Operations {
			for _, protocol := range append(of.Also, of.Protocol) {
				of := of
				of.Protocol = protocol
				malformedCalls(t, b, of, o, long)
			}
		}
	}
}

func malformedCalls(t *testing.T, b *box, of wire.Service, o wire.Operation, long string) {
	t.Helper()
	for _, body := range malformed(of, o, long) {
		in := exchange{service: signingName(of), method: "POST", path: "/", body: body}
		switch of.Protocol {
		case wire.CBOR:
			in.path = "/service/" + of.Target + "/operation/" + o.Name
			in.header = map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
			var v any
			if json.Unmarshal([]byte(body), &v) == nil {
				in.body = string(cbor.Encode(cborOf(v)))
			}
		case wire.Query, wire.EC2Query:
			in.header = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		case wire.JSON, wire.JSON10:
			in.header = map[string]string{"X-Amz-Target": of.Target + "." + o.Name, "Content-Type": "application/x-amz-json-1.1"}
		default:
			in.method, in.path = o.Method, strings.ReplaceAll(o.Path, "{}", "x%2F..%00")
		}
		if got := b.do(t, in); got.status >= 500 || got.status < 200 {
			t.Errorf("%s %.80q: %d %.300s", o.Name, body, got.status, got.body)
		}
	}
}

// cborOf is JSON as CBOR.
func cborOf(v any) cbor.Value {
	switch v := v.(type) {
	case map[string]any:
		m := cbor.Map{}
		for name, one := range v {
			m[name] = cborOf(one)
		}
		return m
	case []any:
		list := cbor.List{}
		for _, one := range v {
			list = append(list, cborOf(one))
		}
		return list
	case string:
		return cbor.String(v)
	case float64:
		return cbor.Float64(v)
	}
	return &cbor.Nil{}
}

func signingName(of wire.Service) string {
	if of.SigningName != "" {
		return of.SigningName
	}
	return of.Name
}

// malformed are inputs that no client would send: of the wrong kinds, empty,
// much too long.
func malformed(of wire.Service, o wire.Operation, long string) []string {
	if of.Protocol != wire.Query && of.Protocol != wire.EC2Query {
		return []string{"{", "null", `{}`, everyMember(`null`), everyMember(`{}`), everyMember(`[null]`), everyMember(`""`), everyMember(`-1`),
			everyMember(`"` + long + `"`), everyMember(`"a:b:c"`)}
	}
	base := url.Values{"Action": {o.Name}, "Version": {of.Version}}
	var all []string
	for _, value := range []string{"", "-1", long, "arn:aws:iam::123456789012:role/", "{}"} {
		form := url.Values{}
		for name, v := range base {
			form[name] = v
		}
		for _, member := range members {
			form.Set(member, value)
			form.Set(member+".1", value)
			form.Set(member+".member.1", value)
		}
		all = append(all, form.Encode())
	}
	return append(all, base.Encode())
}

// members are names that operations of the services read.
var members = strings.Fields(`UserName Path PathPrefix RoleName PolicyName PolicyArn PolicyDocument AssumeRolePolicyDocument
	AccessKeyId Status InstanceProfileName Url ClientIDList ThumbprintList OpenIDConnectProviderArn VersionId MaxItems Marker Tags TagKeys
	MaxSessionDuration PermissionsBoundary PolicySourceArn ActionNames ResourceArns ContextEntries PolicyInputList RoleArn RoleSessionName
	DurationSeconds Policy PolicyArns ExternalId WebIdentityToken EncodedMessage SourceIdentity InstanceId Filter ImageId AssociationId
	IamInstanceProfile HttpTokens HttpPutResponseHopLimit HttpEndpoint InstanceMetadataTags MaxResults NextToken ResourceId Tag Attribute
	DryRun RegionName ZoneName VpcId SubnetId GroupId InstanceType Namespace MetricName MetricData MetricData.member.1.Value
	MetricData.member.1.StatisticValues.Sum Dimensions StartTime EndTime Period Statistics ExtendedStatistics MetricDataQueries AlarmName AlarmNames
	EvaluationPeriods Threshold ComparisonOperator Metrics StateValue StateReason ResourceARN`)

// jsonMembers are those of the services that speak JSON.
var jsonMembers = strings.Fields(`Name Names Value Type KeyId Overwrite Tier AllowedPattern DataType Tags TagKeys Path Recursive Filters
	ParameterFilters MaxResults NextToken ParameterVersion Labels ResourceType ResourceId WithDecryption Policy PolicyName AliasName
	TargetKeyId CiphertextBlob Plaintext EncryptionContext KeySpec NumberOfBytes PendingWindowInDays Limit Marker Description SecretId
	SecretString SecretBinary ClientRequestToken VersionId VersionStage VersionStages MoveToVersionId RemoveFromVersionId RecoveryWindowInDays
	ForceDeleteWithoutRecovery PasswordLength ResourcePolicy RotationRules RotationLambdaARN logGroupName logStreamName logEvents
	retentionInDays resourceArn tags tagKeys logGroupNamePrefix logGroupNamePattern limit nextToken startTime endTime startFromHead
	registryIds repositoryName repositoryNames imageTagMutability policyText maxResults messages system inferenceConfig toolConfig
	imageIds lifecyclePolicyText imageScanningConfiguration filterPattern filterName metricTransformations logStreamNames
	Namespace MetricName MetricData EntityMetricData Dimensions StartTime EndTime Period Statistics ExtendedStatistics Unit MetricDataQueries ScanBy
	AlarmName AlarmNames AlarmNamePrefix EvaluationPeriods Threshold ComparisonOperator Metrics StateValue StateReason ResourceARN MaxRecords
	ServiceCode QuotaCode DesiredValue RequestId`)

// everyMember is an object in which all members have one value.
func everyMember(value string) string {
	var b strings.Builder
	for i, name := range jsonMembers {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", name, value)
	}
	return "{" + b.String() + "}"
}
