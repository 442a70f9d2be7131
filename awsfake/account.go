package awsfake

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tegata/awsfake/bedrock"
	"tegata/awsfake/cloudwatch"
	"tegata/awsfake/ec2"
	"tegata/awsfake/ecr"
	"tegata/awsfake/iam"
	"tegata/awsfake/kms"
	"tegata/awsfake/logs"
	"tegata/awsfake/secretsmanager"
	"tegata/awsfake/servicequotas"
	"tegata/awsfake/ssm"
	"tegata/awsfake/sts"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// State is what an account keeps: plain data, which a round trip through JSON
// leaves as it is. Secrets are in it. The zero value is an account in which
// nothing has been made yet.
type State struct {
	IAM  iam.State
	STS  sts.State
	EC2  ec2.State
	KMS  kms.State
	SSM  ssm.State
	Logs logs.State
	ECR  ecr.State

	CloudWatch     cloudwatch.State
	SecretsManager secretsmanager.State
	ServiceQuotas  servicequotas.State
	Bedrock        bedrock.State
}

// Delays are how long the parts of an account take to hear of each other.
// Zero means no time at all.
type Delays struct {
	IAM time.Duration // until a new access key or instance profile is known elsewhere
	EC2 ec2.Options
}

// services are those of an account, each with its part of the state.
type services struct {
	iam     *iam.Service
	sts     *sts.Service
	ec2     *ec2.Service
	kms     *kms.Service
	ssm     *ssm.Service
	logs    *logs.Service
	secrets *secretsmanager.Service
	ecr     *ecr.Service
	bedrock *bedrock.Service
	metrics *cloudwatch.Service
	quotas  *servicequotas.Service
}

func newServices(o Options) services {
	s := services{iam: &iam.Service{State: &o.State.IAM, Options: iam.Options{Propagation: o.Delays.IAM}}}
	book := directory{s.iam, o}
	s.sts = &sts.Service{State: &o.State.STS, Directory: book}
	s.ec2 = &ec2.Service{State: &o.State.EC2, Directory: profiles{book}, Options: o.Delays.EC2}
	s.kms = &kms.Service{State: &o.State.KMS}
	s.secrets = &secretsmanager.Service{State: &o.State.SecretsManager, Keys: s.kms}
	s.ssm = &ssm.Service{State: &o.State.SSM, Keys: s.kms, Parameters: o.Parameters, Home: o.Region, Secret: s.secret}
	s.metrics = &cloudwatch.Service{State: &o.State.CloudWatch, Metrics: o.Metrics}
	s.logs = &logs.Service{State: &o.State.Logs, Measure: measuredIn(o.Metrics)}
	s.ecr = &ecr.Service{State: &o.State.ECR}
	s.bedrock = bedrock.New(o.Region, &o.State.Bedrock, o.Bedrock, o.Pace)
	s.quotas = &servicequotas.Service{State: &o.State.ServiceQuotas, Quotas: quotasOf(s.bedrock)}
	return s
}

// secret reads a secret for a parameter that refers to it.
func (s services) secret(c *wire.Call, id, version, stage string) (ssm.Secret, error) {
	v, err := s.secrets.Read(c, id, version, stage)
	return ssm.Secret{ARN: v.ARN, Name: v.Name, VersionID: v.VersionID, Stages: v.Stages, Created: v.Created, Value: ssm.Value(v.Text), Binary: v.Binary}, err
}

// measuredIn puts what metric filters find among the metrics.
func measuredIn(metrics *cloudwatch.Metrics) func(*wire.Call, logs.Measurement) {
	return func(c *wire.Call, m logs.Measurement) {
		metric := cloudwatch.Metric{Namespace: m.Namespace, Name: m.Name}
		for name, value := range m.Dimensions {
			metric.Dimensions = append(metric.Dimensions, cloudwatch.Dimension{Name: name, Value: value})
		}
		metrics.Add(c.Region, metric, cloudwatch.Sample{At: m.At, Unit: m.Unit, Values: cloudwatch.Values(m.Value)}, c.Now())
	}
}

// wires are the services as calls reach them.
func (s services) wires() []wire.Service {
	return append(s.bedrock.Wire(), s.iam.Wire(), s.sts.Wire(), s.ec2.Wire(), s.kms.Wire(), s.ssm.Wire(), s.logs.Wire(), s.metrics.Wire(), s.secrets.Wire(), s.ecr.Wire(), s.quotas.Wire())
}

// Save returns the state of the account as JSON.
func (s *Server) Save() ([]byte, error) {
	s.account.Lock()
	defer s.account.Unlock()
	data, err := json.MarshalIndent(s.options.State, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("write down the account: %w", err)
	}
	return data, nil
}

// LoadState reads what [Server.Save] returned.
func LoadState(data []byte) (*State, error) {
	state := new(State)
	if err := json.Unmarshal(data, state); err != nil {
		return nil, fmt.Errorf("read an account: %w", err)
	}
	return state, nil
}

// Metadata returns what the account decides of an instance's metadata now; not
// ok means it has no such instance.
func (s *Server) Metadata(region, instance string) (ec2.Metadata, bool) {
	s.account.Lock()
	defer s.account.Unlock()
	return s.of.ec2.Metadata(region, instance, s.options.Now())
}

// A directory is IAM as other services look things up in it.
type directory struct {
	iam     *iam.Service
	options Options
}

// Role returns a role by its ARN.
func (d directory) Role(arn string) (sts.Role, bool) {
	role, ok := d.iam.Role(arn[strings.LastIndexByte(arn, '/')+1:])
	if !ok || role.ARN != arn {
		return sts.Role{}, false
	}
	trust, err := policy.Parse([]byte(role.Trust))
	tags := map[string]string{}
	for _, t := range role.Tags {
		tags[t.Key] = t.Value
	}
	return sts.Role{
		ARN: role.ARN, ID: role.ID, Name: role.Name, MaxSession: role.MaxSession, Tags: tags,
		Trust: policy.Named{Name: "trust policy of " + role.Name, Document: trust},
	}, err == nil
}

// Provider returns an identity provider by its issuer.
func (d directory) Provider(issuer string) (sts.Provider, bool) {
	p, ok := d.iam.State.Provider(issuer)
	if !ok {
		return sts.Provider{}, false
	}
	return sts.Provider{ARN: p.ARN, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints}, true
}

// KeyAccount returns the account of an access key, which is this one if it is
// known at all.
func (d directory) KeyAccount(id string) (string, bool) {
	if _, ok := d.iam.State.Keys[id]; ok {
		return d.options.Account, true
	}
	_, ok := d.options.Credentials(id)
	return d.options.Account, ok
}

// Policy returns a managed policy by its ARN.
func (d directory) Policy(arn string) (policy.Document, bool) {
	text, ok := d.iam.State.Document(arn)
	if !ok {
		return policy.Document{}, false
	}
	document, err := policy.Parse([]byte(text))
	return document, err == nil
}

// profiles are the instance profiles of a directory.
type profiles struct{ directory }

// InstanceProfile returns an instance profile with its role, once it is old
// enough to be known.
func (p profiles) InstanceProfile(name string, now time.Time) (ec2.InstanceProfile, bool) {
	found, ok := p.iam.InstanceProfile(name, now)
	if !ok {
		return ec2.InstanceProfile{}, false
	}
	profile := ec2.InstanceProfile{ARN: found.ARN, ID: found.ID, Name: found.Name}
	if role, ok := p.iam.Role(found.Role); ok {
		trust, _ := policy.Parse([]byte(role.Trust)) // IAM keeps none that can't be read
		profile.Role = &ec2.Role{ARN: role.ARN, ID: role.ID, Name: role.Name, Trust: trust}
	}
	return profile, true
}
