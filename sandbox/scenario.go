// Package sandbox is an EC2 instance in a box: its metadata service and AWS
// around it, joined so that AWS accepts the credentials that the metadata
// hands out, and on Linux a network in which nothing else can be reached.
//
// Start with [Default] or [Parse] for a [Scenario], break it with
// [Scenario.Apply], and serve it with [Scenario.Start]; a [Box] keeps a
// command away from the outside.
package sandbox

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tegata/awsfake"
	"tegata/awsfake/ec2"
	"tegata/emulator"
	"tegata/internal/fault"
)

// A Scenario describes an instance and the part of AWS around it. It is
// written as YAML, see [Parse], and travels as JSON.
type Scenario struct {
	Instance    Instance             `yaml:"instance"`
	IMDS        IMDS                 `yaml:"imds"`
	Events      Events               `yaml:"events"`
	Role        Role                 `yaml:"role"`
	IAM         IAM                  `yaml:"iam"`
	Bedrock     Bedrock              `yaml:"bedrock"`
	Parameters  map[string]Parameter `yaml:"parameters"`  // of SSM, by name
	Environment map[string]*string   `yaml:"environment"` // of the command; nil unsets, ${HOME} is expanded
	Files       map[string]string    `yaml:"files"`       // what they hold, by path relative to HOME
	Delays      Delays               `yaml:"delays"`
	ClockSkew   time.Duration        `yaml:"clock_skew"` // by how much the clock of AWS is ahead of the command's
	Replies     []fault.Rule         `yaml:"replies" overlay:"prepend"`
}

// An Instance is what the metadata tells about the machine. Its fields are
// those of [emulator.Instance], which gives a fitting value to what is empty.
type Instance struct {
	ID           string `yaml:"id"`
	Type         string `yaml:"type"`
	Architecture string `yaml:"architecture"`
	System       string `yaml:"system"`
	Account      string `yaml:"account"`
	Reservation  string `yaml:"reservation"`
	LaunchIndex  int    `yaml:"launch_index"`
	Lifecycle    string `yaml:"lifecycle"`
	Monitoring   bool   `yaml:"monitoring"`

	Image          string            `yaml:"image"`
	AncestorImages []string          `yaml:"ancestor_images"`
	ManifestPath   string            `yaml:"manifest_path"`
	Kernel         string            `yaml:"kernel"`
	Ramdisk        string            `yaml:"ramdisk"`
	ProductCodes   []string          `yaml:"product_codes"`
	BlockDevices   map[string]string `yaml:"block_devices"`
	ElasticGPUs    map[string]string `yaml:"elastic_gpus"`
	Accelerators   map[string]string `yaml:"accelerators"`

	Region         string `yaml:"region"`
	Zone           string `yaml:"zone"`
	ZoneID         string `yaml:"zone_id"`
	PlacementGroup string `yaml:"placement_group"`
	Partition      int    `yaml:"partition"`
	Host           string `yaml:"host"`

	PrivateIP string `yaml:"private_ip"`
	PublicIP  string `yaml:"public_ip"`
	IPv6      string `yaml:"ipv6"`
	Hostname  string `yaml:"hostname"`
	MAC       string `yaml:"mac"`

	Interface        string   `yaml:"interface"`
	Subnet           string   `yaml:"subnet"`
	SubnetCIDR       string   `yaml:"subnet_cidr"`
	VPC              string   `yaml:"vpc"`
	VPCCIDR          string   `yaml:"vpc_cidr"`
	SecurityGroups   []string `yaml:"security_groups"`
	SecurityGroupIDs []string `yaml:"security_group_ids"`

	Interfaces []emulator.Interface `yaml:"interfaces"`

	KeyName   string `yaml:"key_name"`
	PublicKey string `yaml:"public_key"`

	Tags     map[string]string `yaml:"tags"`
	UserData string            `yaml:"user_data"`
	Launched time.Time         `yaml:"launched"`
}

// IMDS is how the metadata service of the instance is set up. The first four
// are EC2's own metadata options.
type IMDS struct {
	Tokens   string `yaml:"tokens"`    // "required" or "optional"
	Endpoint string `yaml:"endpoint"`  // "enabled" or "disabled"
	HopLimit int    `yaml:"hop_limit"` // how far the reply to a token request may travel, 1 to 64
	Tags     bool   `yaml:"tags"`      // whether the metadata tells the tags of the instance

	Hops      int      `yaml:"hops"`       // how many routers lie between the callers and the service; a container's bridge is one
	Bridged   bool     `yaml:"bridged"`    // whether callers with an address of another machine are one router further away
	IPv6      bool     `yaml:"ipv6"`       // whether it answers at fd00:ec2::254 too
	Listen    string   `yaml:"listen"`     // "accept", or "refuse" for no service at all
	KeepAlive bool     `yaml:"keep_alive"` // the true one closes every connection
	Profile   string   `yaml:"profile"`    // the front end: "nitro" or "legacy"
	Throttle  Throttle `yaml:"throttle"`
}

// Throttle bounds how often the metadata service answers.
type Throttle struct {
	PerSecond int `yaml:"per_second"` // 0 means as often as asked
	Burst     int `yaml:"burst"`      // how many at once; 0 means PerSecond
	Status    int `yaml:"status"`     // of what is refused: 429 or 503; 0 means 429
}

// A Role is the IAM role of the instance.
type Role struct {
	Attached    bool                       `yaml:"attached"`
	Name        string                     `yaml:"name"`
	Profile     string                     `yaml:"profile"`     // the instance profile; empty means named as the role
	Trust       json.RawMessage            `yaml:"trust"`       // IAM document: who may take the role
	Policies    map[string]json.RawMessage `yaml:"policies"`    // IAM documents: what the role may do
	Lifetime    time.Duration              `yaml:"lifetime"`    // of a set of credentials
	Credentials string                     `yaml:"credentials"` // "valid", or "expired": what is handed out is past its end
}

// Delays are how long the parts of AWS take to hear of a change. Zero means no
// time at all.
type Delays struct {
	MetadataOptions time.Duration `yaml:"metadata_options"` // until changed options of the metadata service are applied
	InstanceProfile time.Duration `yaml:"instance_profile"` // until the metadata follows the change of an instance profile
	IAM             time.Duration `yaml:"iam"`              // until a new access key or instance profile is known elsewhere
}

func (d Delays) of() awsfake.Delays {
	return awsfake.Delays{IAM: d.IAM, EC2: ec2.Options{Apply: d.MetadataOptions, Associate: d.InstanceProfile}}
}

// Bedrock is what differs from the dated catalogue that awsfake has.
type Bedrock struct {
	Models   []Model           `yaml:"models" overlay:"by id"`
	Profiles []Profile         `yaml:"profiles" overlay:"by id"`
	Access   map[string]string `yaml:"access"` // "granted", "denied", "form", "subscription" or "inactive", by model id, in which * stands for anything
	Quotas   map[string]Quota  `yaml:"quotas"` // by model id, as Access
	Pace     time.Duration     `yaml:"pace"`   // the pause before each piece of a streamed answer; 0 means that of awsfake
}

// A Quota is how much of a model may be used in a minute, whichever way it is
// called. Nil means any amount.
type Quota struct {
	Requests *int `yaml:"requests"`
	Tokens   *int `yaml:"tokens"`
}

// A Model is a foundation model. What is left out is as in the catalogue.
type Model struct {
	ID             string    `yaml:"id"`
	Name           string    `yaml:"name"`
	Provider       string    `yaml:"provider"`
	Streaming      *bool     `yaml:"streaming"`
	InferenceTypes []string  `yaml:"inference_types"` // ON_DEMAND, INFERENCE_PROFILE
	Lifecycle      Lifecycle `yaml:"lifecycle"`
}

// A Lifecycle tells how long a model is offered.
type Lifecycle struct {
	Status    string    `yaml:"status"` // ACTIVE or LEGACY
	Legacy    time.Time `yaml:"legacy"`
	EndOfLife time.Time `yaml:"end_of_life"`
}

// A Profile is a cross-region inference profile. What is left out is as in
// the catalogue.
type Profile struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`
	Models  []string `yaml:"models"`
	Regions []string `yaml:"regions"` // where calls may be answered
	Source  []string `yaml:"source"`  // where it may be called; empty means Regions
}

// A Parameter is an entry of the SSM parameter store.
type Parameter struct {
	Value   string `yaml:"value"`
	Type    string `yaml:"type"` // String, StringList or SecureString; empty means String
	Version int    `yaml:"version"`
	KeyID   string `yaml:"key_id"` // for SecureString; empty means alias/aws/ssm
}

//go:embed default.yaml
var defaultYAML []byte

// Default returns the scenario that others are laid over: a healthy instance
// in Tokyo that runs a chat application on Bedrock.
func Default() Scenario {
	var s Scenario
	if err := s.read("default.yaml", defaultYAML, &s); err != nil {
		panic(fmt.Sprintf("embedded scenario: %v", err))
	}
	return s
}

// Parse reads a scenario file, which says only what differs from [Default].
// Errors begin with name:line:column and speak of keys as the file has them.
func Parse(name string, data []byte) (Scenario, error) {
	s := Default()
	if err := s.read(name, data, &s); err != nil {
		return Scenario{}, err
	}
	return s, nil
}

// read lays data over v, which is s or holds it, and validates s.
func (s *Scenario) read(name string, data []byte, v any) error {
	o, err := layOver(name, data, v)
	if err != nil {
		return err
	}
	err = s.Validate()
	var invalid *keyError
	if errors.As(err, &invalid) {
		return o.locate(invalid)
	}
	return err
}
