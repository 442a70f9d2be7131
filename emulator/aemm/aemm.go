// Package aemm reads the configuration files of the amazon-ec2-metadata-mock
// (AEMM), so that its users find the same instance in this emulator.
//
// Start with [Parse]. What is understood is told in docs/emulator.md.
package aemm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/emulator"
)

// A Config is what a configuration file comes to.
type Config struct {
	Options  emulator.Options
	Hostname string   // where to listen; "" means localhost
	Port     string   // "" means 1338
	Ignored  []string // the keys that have no effect here, in order
}

// The keys of a file that mean something here.
type file struct {
	V2Only   bool            `json:"imdsv2"`
	Delay    int             `json:"mock-delay-sec"`
	Trigger  string          `json:"mock-trigger-time"`
	Server   server          `json:"server"`
	Spot     *spot           `json:"spot"`
	Events   *scheduledEvent `json:"events"`
	Metadata section         `json:"metadata"`
	Dynamic  section         `json:"dynamic"`
	UserData section         `json:"userdata"`
}

type server struct {
	Hostname string `json:"hostname"`
	Port     string `json:"port"`
}

type section struct {
	Paths  map[string]json.RawMessage `json:"paths"`
	Values map[string]json.RawMessage `json:"values"`
}

type spot struct {
	Action    string `json:"instance-action"`
	Time      string `json:"termination-time"`
	Rebalance string `json:"rebalance-rec-time"`
}

type scheduledEvent struct {
	Code      string `json:"code"`
	State     string `json:"state"`
	NotBefore string `json:"not-before"`
	NotAfter  string `json:"not-after"`
	Deadline  string `json:"not-before-deadline"`
}

// without are the keys that AEMM knows and that have no effect here.
func without() []string {
	return []string{"config-file", "mock-ip-count", "rebalance-delay-sec", "rebalance-trigger-time", "save-config-to-file", "watch-config-file"}
}

// Parse reads a configuration file of an emulator that starts at that time.
// Unknown keys are errors; values that this emulator has no place for are
// listed in Config.Ignored.
func Parse(data []byte, start time.Time) (Config, error) {
	f, ignored, err := read(data)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	c := Config{Hostname: f.Server.Hostname, Port: f.Server.Port, Ignored: ignored}
	c.Options.Tokens = "optional"
	if f.V2Only {
		c.Options.Tokens = "required"
	}
	if err := c.values(f); err != nil {
		return Config{}, err
	}
	if err := c.events(f, start); err != nil {
		return Config{}, err
	}
	slices.Sort(c.Ignored)
	return c, nil
}

// read takes the keys without effect out, and refuses unknown ones.
func read(data []byte) (f file, ignored []string, err error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return f, nil, err
	}
	for _, key := range without() {
		if _, ok := keys[key]; ok {
			ignored = append(ignored, key)
			delete(keys, key)
		}
	}
	rest, err := json.Marshal(keys)
	if err != nil {
		return f, nil, err
	}
	d := json.NewDecoder(bytes.NewReader(rest))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil && err != io.EOF {
		if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			err = fmt.Errorf("unknown key %s (at the top are known: imdsv2, mock-delay-sec, mock-trigger-time, server, spot, events, metadata, dynamic, userdata, %s)",
				name, strings.Join(without(), ", "))
		}
		return f, nil, err
	}
	return f, ignored, nil
}

// events are announced once the delay is over.
func (c *Config) events(f file, start time.Time) (err error) {
	notice := start.Add(time.Duration(f.Delay) * time.Second)
	if f.Delay < 0 {
		return fmt.Errorf("mock-delay-sec %d: want 0 or more", f.Delay)
	}
	if notice, err = moment("mock-trigger-time", f.Trigger, notice); err != nil {
		return err
	}
	if f.Spot != nil {
		if err := c.spot(*f.Spot, notice); err != nil {
			return err
		}
	}
	if f.Events != nil {
		return c.scheduled(*f.Events, notice)
	}
	return nil
}

func (c *Config) spot(s spot, notice time.Time) error {
	const ahead = 2 * time.Minute // of EC2's notice
	at, err := moment("spot.termination-time", s.Time, notice.Add(ahead))
	if err != nil {
		return err
	}
	c.Options.Events.Spot = &emulator.SpotInterruption{Action: s.Action, Time: at, Notice: notice}
	c.Options.Events.Rebalance, err = moment("spot.rebalance-rec-time", s.Rebalance, notice)
	return err
}

// scheduled has AEMM's defaults: a reboot that can happen for a week, and be
// put off for nine days.
func (c *Config) scheduled(e scheduledEvent, notice time.Time) (err error) {
	const day = 24 * time.Hour
	m := emulator.Maintenance{Code: "system-reboot", State: "active", Notice: notice}
	if e.Code != "" {
		m.Code = e.Code
	}
	if e.State != "" {
		m.State = e.State
	}
	if m.NotBefore, err = moment("events.not-before", e.NotBefore, notice); err != nil {
		return err
	}
	if m.NotAfter, err = moment("events.not-after", e.NotAfter, notice.Add(7*day)); err != nil {
		return err
	}
	if m.NotBeforeDeadline, err = moment("events.not-before-deadline", e.Deadline, notice.Add(9*day)); err != nil {
		return err
	}
	c.Options.Events.Maintenance = []emulator.Maintenance{m}
	return nil
}

func moment(key, text string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%s %q: want a time such as 2030-01-07T01:03:47Z", key, text)
	}
	return t, nil
}

// values puts what is overridden into the instance.
func (c *Config) values(f file) error {
	known := fields(&c.Options.Instance)
	for _, key := range slices.Sorted(maps.Keys(f.Metadata.Values)) {
		raw, field := f.Metadata.Values[key], known[key]
		switch {
		case key == "tags-instance":
			if err := json.Unmarshal(raw, &c.Options.Instance.Tags); err != nil {
				return fmt.Errorf("metadata.values.%s: %w", key, err)
			}
			c.Options.Tags = true
		case key == "iam-security-credentials-role":
			role := &emulator.Role{}
			if err := text("metadata.values."+key, raw, &role.Name); err != nil {
				return err
			}
			c.Options.Role = role
		case field == nil:
			c.Ignored = append(c.Ignored, "metadata.values."+key)
		default:
			if err := text("metadata.values."+key, raw, field); err != nil {
				return err
			}
		}
	}
	c.ignore("metadata.paths.", f.Metadata.Paths)
	c.ignore("dynamic.paths.", f.Dynamic.Paths)
	c.ignore("dynamic.values.", f.Dynamic.Values)
	c.ignore("userdata.paths.", f.UserData.Paths)
	return c.userData(f.UserData.Values)
}

// userData is in base64.
func (c *Config) userData(values map[string]json.RawMessage) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key != "userdata" {
			c.Ignored = append(c.Ignored, "userdata.values."+key)
			continue
		}
		var encoded string
		if err := text("userdata.values."+key, values[key], &encoded); err != nil {
			return err
		}
		data, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return fmt.Errorf("userdata.values.%s: %w", key, err)
		}
		c.Options.Instance.UserData = string(data)
	}
	return nil
}

func (c *Config) ignore(prefix string, values map[string]json.RawMessage) {
	for key := range values {
		c.Ignored = append(c.Ignored, prefix+key)
	}
}

func text(key string, raw json.RawMessage, v *string) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: want text, not %s", key, raw)
	}
	return nil
}

// fields are where AEMM's values stand in an instance.
func fields(i *emulator.Instance) map[string]*string {
	return map[string]*string{
		"ami-id":                         &i.Image,
		"ami-manifest-path":              &i.ManifestPath,
		"hostname":                       &i.Hostname,
		"instance-id":                    &i.ID,
		"instance-life-cycle":            &i.Lifecycle,
		"instance-type":                  &i.Type,
		"kernel-id":                      &i.Kernel,
		"local-hostname":                 &i.Hostname,
		"local-ipv4":                     &i.PrivateIP,
		"mac":                            &i.MAC,
		"mac-network-interface-id":       &i.Interface,
		"mac-owner-id":                   &i.Account,
		"mac-subnet-id":                  &i.Subnet,
		"mac-subnet-ipv4-cidr-block":     &i.SubnetCIDR,
		"mac-vpc-id":                     &i.VPC,
		"mac-vpc-ipv4-cidr-block":        &i.VPCCIDR,
		"placement-availability-zone":    &i.Zone,
		"placement-availability-zone-id": &i.ZoneID,
		"placement-group-name":           &i.PlacementGroup,
		"placement-host-id":              &i.Host,
		"placement-region":               &i.Region,
		"public-ipv4":                    &i.PublicIP,
		"ramdisk-id":                     &i.Ramdisk,
		"reservation-id":                 &i.Reservation,
	}
}
