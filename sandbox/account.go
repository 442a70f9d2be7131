package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"sync"
	"time"

	"tegata/awsfake"
	"tegata/awsfake/ec2"
	"tegata/awsfake/iam"
	"tegata/awsfake/wire"
	"tegata/emulator"
)

// account is what the scenario says of the account as it begins: the instance,
// its role, the instance profile that ties them, and who else is there.
func (s Scenario) account(i emulator.Instance, begun time.Time) *awsfake.State {
	state := new(awsfake.State)
	owner := iam.Account{ID: i.Account, Partition: wire.Partition(i.Region)}
	named := func(name string) iam.Identity {
		return iam.Identity{Name: name, Created: i.Launched.Add(-longKnown)}
	}
	role := state.IAM.PutRole(owner, iam.Role{Identity: named(s.Role.Name), Trust: string(s.Role.Trust)})
	for name, document := range s.Role.Policies {
		if role.Inline == nil {
			role.Inline = map[string]string{}
		}
		role.Inline[name] = string(document)
	}
	profile := state.IAM.PutInstanceProfile(owner, iam.InstanceProfile{
		Identity: named(cmp.Or(s.Role.Profile, s.Role.Name)), Role: s.Role.Name,
	})
	launched := launch(i)
	launched.MetadataOptions = s.IMDS.options()
	state.EC2.Launch(i.Region, launched)
	if s.Role.Attached {
		state.EC2.Associate(i.Region, i.ID, ec2.InstanceProfile{ARN: profile.ARN, ID: profile.ID}, i.Launched)
	}
	s.IAM.put(state, i, begun)
	return state
}

// kept is the account that a file holds, or else what the scenario says of it.
func (s Scenario) kept(path string, i emulator.Instance, begun time.Time) (*awsfake.State, error) {
	if path == "" {
		return s.account(i, begun), nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s.account(i, begun), nil
	}
	var state *awsfake.State
	if err == nil {
		state, err = awsfake.LoadState(data)
	}
	if err != nil {
		return nil, fmt.Errorf("take up the account in %s: %w", path, err)
	}
	if region := state.EC2.Regions[i.Region]; region == nil || region.Instances[i.ID] == nil {
		return nil, fmt.Errorf("take up the account in %s: it has no instance %s in %s, as the scenario has", path, i.ID, i.Region)
	}
	return state, nil
}

// longKnown is the age of what a scenario has made: more than any delay.
const longKnown = 30 * 24 * time.Hour

// options are EC2's own of the settings.
func (m IMDS) options() ec2.MetadataOptions {
	return ec2.MetadataOptions{
		HTTPTokens:              m.Tokens,
		HTTPEndpoint:            m.Endpoint,
		HTTPPutResponseHopLimit: m.HopLimit,
		HTTPProtocolIPv6:        switchedOn(m.IPv6),
		InstanceMetadataTags:    switchedOn(m.Tags),
	}
}

func switchedOn(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

// launch is an instance of which all is known as EC2 has it.
func launch(i emulator.Instance) ec2.Instance {
	lifecycle := i.Lifecycle
	if lifecycle == "on-demand" {
		lifecycle = ""
	}
	return ec2.Instance{
		ID: i.ID, Type: i.Type, Architecture: i.Architecture, Reservation: i.Reservation, LaunchIndex: i.LaunchIndex,
		Lifecycle: lifecycle, Monitoring: i.Monitoring, Launched: i.Launched,
		Image: i.Image, Kernel: i.Kernel, Ramdisk: i.Ramdisk, ProductCodes: i.ProductCodes, RootDevice: i.BlockDevices["root"],
		Zone: i.Zone, ZoneID: i.ZoneID, PlacementGroup: i.PlacementGroup, Partition: i.Partition, Host: i.Host,
		PrivateIP: i.PrivateIP, PublicIP: i.PublicIP, IPv6: i.IPv6, PrivateDNS: i.Hostname, PublicDNS: i.PublicHostname(),
		MAC: i.MAC, Interface: i.Interface, Subnet: i.Subnet, SubnetCIDR: i.SubnetCIDR, VPC: i.VPC, VPCCIDR: i.VPCCIDR,
		SecurityGroups: groups(i.SecurityGroupIDs, i.SecurityGroups),
		KeyName:        i.KeyName, UserData: i.UserData, Tags: maps.Clone(i.Tags),
	}
}

// groups pairs ids and names, as far as both are given.
func groups(ids, names []string) []ec2.SecurityGroup {
	var all []ec2.SecurityGroup
	for n, id := range ids[:min(len(ids), len(names))] {
		all = append(all, ec2.SecurityGroup{ID: id, Name: names[n]})
	}
	return all
}

// A ground is what the metadata service stands on: AWS, and what the scenario
// says where AWS does not decide.
type ground struct {
	aws      *awsfake.Server
	metadata emulator.Options
	role     Role
}

// A follower keeps the metadata service as the account wants it.
type follower struct {
	mu     sync.Mutex
	on     ground
	told   *ec2.Metadata // what the metadata service was last told of the account
	waking *time.Timer   // for what the account changes by itself; nil at first
	closed bool
}

// stand puts the sandbox on another ground. After an error it stands where it
// stood.
func (b *Sandbox) stand(on ground) error {
	b.following.mu.Lock()
	defer b.following.mu.Unlock()
	told := b.following.told
	b.following.told = nil
	if err := b.tell(on); err != nil {
		b.following.told = told
		return err
	}
	b.following.on = on
	b.aws.Store(on.aws)
	return nil
}

// follow makes the metadata service what the account says now, and again when
// the account will say something else by itself.
func (b *Sandbox) follow() error {
	b.following.mu.Lock()
	defer b.following.mu.Unlock()
	return b.tell(b.following.on)
}

func (b *Sandbox) tell(on ground) error {
	m, ok := on.aws.Metadata(b.started.Instance.Region, b.started.Instance.ID)
	if !ok {
		return errors.New("follow the account: it has no such instance as the scenario's")
	}
	next := m.Next
	m.Next = time.Time{}
	if b.following.told == nil || !reflect.DeepEqual(*b.following.told, m) {
		if err := b.imds.Change(on.options(m)); err != nil {
			return fmt.Errorf("follow the account: %w", err)
		}
		b.ipv6.Store(m.Options.HTTPProtocolIPv6 == "enabled")
		b.following.told = &m
	}
	b.wakeAt(next)
	return nil
}

// changed follows an operation. What fails then is told by [Sandbox.Close].
func (b *Sandbox) changed() {
	if b.keeper != nil {
		b.keeper.change()
	}
	if err := b.follow(); err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.errs = append(b.errs, err)
	}
}

// wakeAt follows again at a moment by the clock of AWS, zero for never.
func (b *Sandbox) wakeAt(next time.Time) {
	b.sleepOn()
	if next.IsZero() || b.following.closed {
		return
	}
	b.serving.Add(1)
	b.following.waking = time.AfterFunc(next.Sub(b.now()), func() {
		defer b.serving.Done()
		b.changed()
	})
}

func (b *Sandbox) sleepOn() {
	if b.following.waking != nil && b.following.waking.Stop() {
		b.serving.Done()
	}
}

// stopFollowing lets nothing begin that Close would have to wait for.
func (b *Sandbox) stopFollowing() {
	b.following.mu.Lock()
	defer b.following.mu.Unlock()
	b.following.closed = true
	b.sleepOn()
}

// options are the scenario's with what the account decides.
func (on ground) options(m ec2.Metadata) emulator.Options {
	o := on.metadata
	o.Tokens = m.Options.HTTPTokens
	o.Disabled = m.Options.HTTPEndpoint == "disabled"
	o.HopLimit = m.Options.HTTPPutResponseHopLimit
	o.Tags = m.Options.InstanceMetadataTags == "enabled"
	o.Instance.Tags = m.Tags
	o.Role = on.role.met(m.Profile)
	return o
}

// met is a profile as the metadata service has it: nil for none. Credentials
// that are past their end belong to the role of the scenario alone.
func (r Role) met(p *ec2.Profile) *emulator.Role {
	if p == nil {
		return nil
	}
	role := &emulator.Role{Name: p.Role, ID: p.RoleID, Profile: p.Name, ProfileARN: p.ARN, ProfileID: p.ID, Lifetime: r.Lifetime}
	switch p.State {
	case ec2.Gone:
		role.Failure = emulator.ProfileNotFound
	case ec2.Untrusted:
		role.Failure = "AssumeRoleUnauthorizedAccess"
	case ec2.Ready:
		role.Expired = r.Credentials == "expired" && p.Role == r.Name
	}
	return role
}

// The condition keys of EC2 that all calls with an instance's role have.
const (
	sourceInstance = "ec2:SourceInstanceArn"
	roleDelivery   = "ec2:RoleDelivery" // 1.0 or 2.0: the version of IMDS that handed the credentials out
)

// accepts looks a key up among those that the metadata service handed out and
// says whose it is: the session of a role that is named after the instance
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html).
func accepts(imds *emulator.Server) func(string) (awsfake.Credential, bool) {
	return func(id string) (awsfake.Credential, bool) {
		c, ok := imds.Issued(id)
		i := imds.Instance()
		return awsfake.Credential{
			SecretAccessKey: c.SecretAccessKey.Reveal(),
			SessionToken:    c.Token.Reveal(),
			Expires:         c.Expiration,
			Role:            c.Role.Name,
			RoleID:          c.Role.ID,
			Session:         i.ID,
			Context: map[string]string{
				roleDelivery:                       c.Delivery,
				sourceInstance:                     "arn:" + wire.Partition(i.Region) + ":ec2:" + i.Region + ":" + i.Account + ":instance/" + i.ID,
				"aws:Ec2InstanceSourceVpc":         i.VPC,
				"aws:Ec2InstanceSourcePrivateIPv4": i.PrivateIP,
			},
		}, ok
	}
}
