package bedrock

import (
	"crypto/x509"
	"errors"
	"strconv"
	"strings"
)

// A rule says by what a finding is known: the code first, then the structure
// of the error, then words. The first rule that matches wins, so the narrow
// ones stand above the broad ones.
type rule struct {
	id     string
	codes  []string           // any of these; nil means any
	text   []string           // any of these; nil means any
	when   func(symptom) bool // nil means always
	shared bool               // other services say the same words
	source string             // where it was seen
}

var (
	denied    = []string{"AccessDeniedException", "AccessDenied"}
	invalid   = []string{"ValidationException"}
	notFound  = []string{"ResourceNotFoundException"}
	throttled = []string{"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"}
	expired   = []string{"ExpiredTokenException", "ExpiredToken"}
	badKey    = []string{"UnrecognizedClientException", "InvalidClientTokenId"}
	badSign   = []string{"InvalidSignatureException", "SignatureDoesNotMatch"}
	noSuchOp  = []string{"UnknownOperationException"}

	notAllowed = []string{"because no identity-based policy allows"}
)

// rules is the table behind [Explain]. Texts are matched in lower case, with
// straight apostrophes.
var rules = []rule{
	// Refused for want of rights.
	{
		id: "TG6007", codes: denied, text: []string{"aws marketplace actions"},
		source: "ministryofjustice/modernisation-platform-environments#18302",
	},
	{
		id: "TG6006", codes: denied, shared: true, text: []string{"service control policy"},
		when: func(s symptom) bool { return s.denial.Action == "" || s.ofBedrock() }, source: "aws-samples/bedrock-chat#587",
	},
	{
		id: "TG6016", codes: denied, shared: true, text: []string{"make sure your api key is valid", "bearer token", "bedrock:callwithbearertoken"},
		source: "anomalyco/opencode#47073",
	},
	{
		id: "TG6020", codes: denied, text: []string{"explicit deny in an identity-based policy", "explicit deny in a permissions boundary"},
		when: symptom.ofBedrock, source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
	},
	{
		id: "TG6004", codes: denied, text: notAllowed,
		when: func(s symptom) bool { return s.asksToStream() && s.Conversed }, source: "zed-industries/zed#53960",
	},
	{
		id: "TG6005", codes: denied, text: notAllowed,
		when: symptom.viaProfile, source: "aws-samples/well-architected-iac-analyzer#181",
	},
	{
		id: "TG6004", codes: denied, text: notAllowed,
		when: symptom.ofBedrock, source: "zed-industries/zed#53960",
	},
	{
		id: "TG6001", codes: denied, text: []string{"you don't have access to the model with the specified model id"},
		source: "langgenius/dify#2829",
	},

	// Refused for the model.
	{
		id: "TG6015", codes: []string{"FTUFormNotFilled"},
		source: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
	},
	{
		id: "TG6015", text: []string{"use case details have not been submitted", "ftuformnotfilled"},
		source: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html",
	},
	{
		id: "TG6008", codes: notFound, text: []string{"marked by provider as legacy"},
		source: "browser-use/browser-use#5448",
	},
	{
		id: "TG6014", codes: notFound, text: []string{"reached the end of its life"},
		source: "BerriAI/litellm#26721",
	},
	{
		id: "TG6014", codes: invalid, text: []string{"provided model identifier is invalid"}, when: isRetired,
		source: "BerriAI/litellm#28704",
	},
	{
		id: "TG6003", codes: invalid, text: []string{"provided model identifier is invalid"},
		source: "danny-avila/LibreChat#5001",
	},
	{
		id: "TG6002", codes: invalid, text: []string{"with on-demand throughput isn't supported", "doesn't support on-demand throughput"},
		source: "FlowiseAI/Flowise#4253",
	},
	{
		id: "TG6018", codes: invalid, text: []string{"data retention mode"},
		source: "pydantic/pydantic-ai#8170",
	},
	{
		id: "TG6009", codes: invalid, shared: true, text: []string{"operation not allowed"},
		source: "aws/aws-cli#8717",
	},

	// Refused for how much or how it was asked. Daily tokens are what a new
	// account has none of; waiting a minute does not help there.
	{
		id: "TG6017", codes: throttled, text: []string{"too many tokens per day"},
		source: "minorun365/agent-book#29",
	},
	{
		id: "TG6010", codes: throttled,
		source: "anthropics/claude-code#236",
	},
	{
		id: "TG6010", text: []string{"too many tokens, please wait", "too many requests, please wait"},
		source: "anthropics/claude-code#236",
	},
	{
		id: "TG6011", text: []string{"invalid base64: "},
		source: "aws/aws-cli#4968",
	},
	{
		id: "TG6012", codes: noSuchOp,
		source: "aws-samples/aws-genai-llm-chatbot#246",
	},
	{
		id: "TG6012", shared: true, text: []string{"operation unknown", "requested operation is not recognized by the service"},
		source: "aws-samples/aws-genai-llm-chatbot#246",
	},

	// Refused for the credentials or the clock.
	{
		id: "TG3010", codes: badSign, text: []string{"signature expired:", "signature not yet current"},
		source: "aws/aws-sdk-js#527",
	},
	{
		id: "TG3013", codes: expired, when: func(s symptom) bool { return s.FromInstance },
		source: "aws/aws-sdk-js#2440",
	},
	{
		id: "TG3005", codes: expired,
		source: "miquella/vaulted#107",
	},
	{
		id: "TG3008", codes: badKey, when: func(s symptom) bool { return !s.FromInstance },
		source: "ex-aws/ex_aws#1174",
	},

	// Never arrived.
	{
		id: "TG4002", when: func(s symptom) bool { return unresolved(s.Err) != "" && !looksLikeRegion(s.Region) },
		source: "a region cut to \"ap\" makes the host bedrock-runtime.ap.amazonaws.com",
	},
	{
		id: "TG4005", when: func(s symptom) bool { return unresolved(s.Err) != "" },
		source: "run-llama/llama_index#9812",
	},
	{
		id: "TG4104", when: func(s symptom) bool { return errors.As(s.Err, new(x509.UnknownAuthorityError)) },
		source: "aws/aws-sdk-go#2322",
	},
	{
		id: "TG6019", when: func(s symptom) bool { return errors.Is(s.Err, ErrTruncated) },
		source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html",
	},
	{
		id: "TG6013", when: func(s symptom) bool { return onControlPlane(s.Operation) && s.RuntimeAnswered && timedOut(s.Err) },
		source: "aws-samples/aws-genai-llm-chatbot#507",
	},
}

// isRetired reports whether the model of the call is known to be gone: after
// its end AWS has been seen to call its id invalid.
func isRetired(s symptom) bool {
	l, ok := Retired(s.modelID())
	return ok && l.Ended(s.now)
}

// looksLikeRegion reports whether s has the form of "ap-northeast-1".
func looksLikeRegion(s string) bool {
	parts := strings.Split(s, "-")
	number, err := strconv.Atoi(parts[len(parts)-1])
	return len(parts) >= 3 && err == nil && number > 0
}

func onControlPlane(operation string) bool {
	return strings.HasPrefix(operation, "List") || strings.HasPrefix(operation, "Get")
}
