package bedrock

import "tegata/awsfake/wire"

// Where the account wants its model calls to be logged. It is kept, and
// nothing is delivered.

// Logging is the configuration of one region. Absent switches mean what AWS
// takes them for, so they are kept as they were given.
type Logging struct {
	CloudWatch *LoggingGroup  `json:"cloudWatchConfig,omitempty"`
	S3         *LoggingBucket `json:"s3Config,omitempty"`
	Text       *bool          `json:"textDataDeliveryEnabled,omitempty"`
	Image      *bool          `json:"imageDataDeliveryEnabled,omitempty"`
	Embedding  *bool          `json:"embeddingDataDeliveryEnabled,omitempty"`
	Video      *bool          `json:"videoDataDeliveryEnabled,omitempty"`
	Audio      *bool          `json:"audioDataDeliveryEnabled,omitempty"`
}

// A LoggingGroup is a log group of CloudWatch Logs.
type LoggingGroup struct {
	Name  string         `json:"logGroupName"`
	Role  string         `json:"roleArn"`
	Large *LoggingBucket `json:"largeDataDeliveryS3Config,omitempty"`
}

// A LoggingBucket is a place in S3.
type LoggingBucket struct {
	Bucket string `json:"bucketName"`
	Prefix string `json:"keyPrefix,omitempty"`
}

// loggingBody is what is put and got.
type loggingBody struct {
	Logging *Logging `json:"loggingConfig,omitempty"`
}

func (s *Service) loggingOperations() []wire.Operation {
	const path = "/logging/modelinvocations"
	return []wire.Operation{
		wire.Op("GetModelInvocationLoggingConfiguration", s.getLogging).At("GET", path),
		wire.Op("PutModelInvocationLoggingConfiguration", s.putLogging).At("PUT", path),
		wire.Op("DeleteModelInvocationLoggingConfiguration", s.deleteLogging).At("DELETE", path),
	}
}

func (s *Service) getLogging(c *wire.Call, _ wire.Empty) (loggingBody, error) {
	err := c.Authorize("bedrock:GetModelInvocationLoggingConfiguration", "*", nil)
	return loggingBody{s.region(c).Logging}, err
}

func (s *Service) putLogging(c *wire.Call, in loggingBody) (wire.Empty, error) {
	var v wire.Checks
	v.Required("loggingConfig", in.Logging != nil)
	if l := in.Logging; l != nil && l.CloudWatch != nil {
		v.Length("loggingConfig.cloudWatchConfig.logGroupName", l.CloudWatch.Name, 1, 512)
		v.Pattern("loggingConfig.cloudWatchConfig.roleArn", l.CloudWatch.Role, `arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+`)
	}
	if l := in.Logging; l != nil && l.S3 != nil {
		v.Length("loggingConfig.s3Config.bucketName", l.S3.Bucket, 3, 63)
	}
	if err := v.Err(c); err != nil {
		return wire.Empty{}, err
	}
	if err := c.Authorize("bedrock:PutModelInvocationLoggingConfiguration", "*", nil); err != nil {
		return wire.Empty{}, err
	}
	s.ownRegion(c).Logging = in.Logging
	return wire.Empty{}, nil
}

func (s *Service) deleteLogging(c *wire.Call, _ wire.Empty) (wire.Empty, error) {
	if err := c.Authorize("bedrock:DeleteModelInvocationLoggingConfiguration", "*", nil); err != nil {
		return wire.Empty{}, err
	}
	if s.region(c).Logging != nil {
		s.ownRegion(c).Logging = nil
	}
	return wire.Empty{}, nil
}
