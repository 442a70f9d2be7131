package aemm

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"tegata/emulator"
)

// An entry is what becomes of a key: it goes to a place in the draft, or is
// left out for a reason.
type entry struct {
	rank int // entries are applied in order; of two for one place the later wins
	to   func(*draft) *string
	take func(d *draft, text string) error

	unused string // why the emulator does without it
	served string // the value that it serves all the same
}

// Why keys are left out. Those of one reason share a warning.
const (
	ownPaths    = "every category stays at its own path"
	derived     = "the emulator derives this from the other values"
	madeAnew    = "the emulator makes its own keys and times"
	unsigned    = "what AWS would have signed is not taken from a file"
	everyCaller = "every caller is told of the events"
	notSaved    = "settings are not saved or watched"
	absent      = "the emulator has no such category"
	olderName   = "later releases of the mock ignore it; say spot.action, spot.time"
)

var entries = sync.OnceValue(func() map[string]entry {
	all := map[string]entry{}
	for n, group := range []map[string]entry{service(), document(), values()} {
		for key, e := range group {
			e.rank = n
			all[key] = e
		}
	}
	for _, key := range []string{"metadata.paths.events", "metadata.paths.spot", "metadata.paths.spot-termination-time",
		"metadata.paths.rebalance-rec-time", "metadata.paths.target-lifecycle-state", "userdata.paths.userdata",
		"metadata.paths.iam-info", "metadata.paths.iam-security-credentials", "metadata.paths.elastic-inference-accelerator",
		"dynamic.paths.instance-identity-document"} {
		all[key] = entry{unused: ownPaths}
	}
	for key := range values() {
		if before, name, ok := strings.Cut(key, ".values."); ok && !strings.Contains(name, ".") && name != "event-id" {
			all[before+".paths."+name] = entry{unused: ownPaths}
		}
	}
	return all
})

// service has the settings of the mock itself.
func service() map[string]entry {
	return map[string]entry{
		"config-file":               {unused: notSaved},
		"save-config-to-file":       {unused: notSaved, served: "false"},
		"watch-config-file":         {unused: notSaved, served: "false"},
		"mock-ip-count":             {unused: everyCaller},
		"spot-itn.instance-action":  {unused: olderName},
		"spot-itn.time":             {unused: olderName},
		"server.hostname":           {to: func(d *draft) *string { return &d.Hostname }},
		"server.port":               {take: (*draft).takePort},
		"imdsv2":                    {take: (*draft).takeTokens},
		"mock-delay-sec":            seconds(func(d *draft) *time.Duration { return &d.Delay }),
		"rebalance-delay-sec":       seconds(func(d *draft) *time.Duration { return &d.rebalanceDelay }),
		"asg-termination-delay-sec": seconds(func(d *draft) *time.Duration { return &d.asgDelay }),

		"mock-trigger-time":            instant(func(d *draft) *time.Time { return &d.TriggerTime }),
		"rebalance-trigger-time":       instant(func(d *draft) *time.Time { return &d.rebalanceTrigger }),
		"asg-termination-trigger-time": instant(func(d *draft) *time.Time { return &d.asgTrigger }),

		"spot.action":                word(func(d *draft) *string { return &d.spot.Action }, emulator.SpotActions),
		"spot.time":                  instant(func(d *draft) *time.Time { return &d.spot.Time }),
		"spot.rebalance-rec-time":    instant(func(d *draft) *time.Time { return &d.recommended }),
		"events.code":                word(func(d *draft) *string { return &d.event.Code }, emulator.MaintenanceCodes),
		"events.state":               word(func(d *draft) *string { return &d.event.State }, emulator.MaintenanceStates),
		"events.not-before":          instant(func(d *draft) *time.Time { return &d.event.NotBefore }),
		"events.not-after":           instant(func(d *draft) *time.Time { return &d.event.NotAfter }),
		"events.not-before-deadline": instant(func(d *draft) *time.Time { return &d.event.NotBeforeDeadline }),
	}
}

// document has the members of the identity document, which the emulator makes
// from the instance.
func document() map[string]entry {
	const prefix = "dynamic.values.instance-identity-document."
	return map[string]entry{
		prefix + "accountid":               {take: (*draft).takeAccount},
		prefix + "imageid":                 {to: func(d *draft) *string { return &d.instance.Image }},
		prefix + "availabilityzone":        {to: func(d *draft) *string { return &d.instance.Zone }},
		prefix + "ramdiskid":               {to: func(d *draft) *string { return &d.instance.Ramdisk }},
		prefix + "kernelid":                {to: func(d *draft) *string { return &d.instance.Kernel }},
		prefix + "devpayproductcodes":      {unused: absent},
		prefix + "marketplaceproductcodes": lines(func(d *draft) *[]string { return &d.instance.ProductCodes }),
		prefix + "version":                 {unused: derived, served: "2017-09-30"},
		prefix + "privateip":               {to: func(d *draft) *string { return &d.instance.PrivateIP }},
		prefix + "billingproducts":         {unused: absent},
		prefix + "instanceid":              {to: func(d *draft) *string { return &d.instance.ID }},
		prefix + "pendingtime":             instant(func(d *draft) *time.Time { return &d.instance.Launched }),
		prefix + "architecture":            {to: func(d *draft) *string { return &d.instance.Architecture }},
		prefix + "instancetype":            {to: func(d *draft) *string { return &d.instance.Type }},
		prefix + "region":                  {to: func(d *draft) *string { return &d.instance.Region }},
	}
}

// values has the categories. Both keys of some fields are known, that of the
// instance and that of its network interface.
func values() map[string]entry {
	all := map[string]entry{
		"dynamic.values.instance-identity-pkcs":      {unused: unsigned},
		"dynamic.values.instance-identity-signature": {unused: unsigned},
		"dynamic.values.fws-instance-monitoring":     {take: (*draft).takeMonitoring},
		"userdata.values.userdata":                   {take: (*draft).takeUserData},
	}
	for key, e := range categories() {
		all["metadata.values."+key] = e
	}
	return all
}

func categories() map[string]entry {
	return map[string]entry{
		"ami-id":                           {to: func(d *draft) *string { return &d.instance.Image }},
		"ami-launch-index":                 number(func(d *draft) *int { return &d.instance.LaunchIndex }),
		"ami-manifest-path":                {to: func(d *draft) *string { return &d.instance.ManifestPath }},
		"block-device-mapping-ami":         device("ami"),
		"block-device-mapping-ebs":         device("ebs0"),
		"block-device-mapping-ephemeral":   device("ephemeral0"),
		"block-device-mapping-root":        device("root"),
		"block-device-mapping-swap":        device("swap"),
		"elastic-inference-associations":   {unused: absent},
		"event-id":                         {to: func(d *draft) *string { return &d.event.ID }},
		"hostname":                         {to: func(d *draft) *string { return &d.instance.Hostname }},
		"instance-action":                  {unused: derived, served: "none"},
		"instance-id":                      {to: func(d *draft) *string { return &d.instance.ID }},
		"instance-life-cycle":              {to: func(d *draft) *string { return &d.instance.Lifecycle }},
		"instance-type":                    {to: func(d *draft) *string { return &d.instance.Type }},
		"kernel-id":                        {to: func(d *draft) *string { return &d.instance.Kernel }},
		"local-hostname":                   {to: func(d *draft) *string { return &d.instance.Hostname }},
		"local-ipv4":                       {to: func(d *draft) *string { return &d.instance.PrivateIP }},
		"mac":                              {to: func(d *draft) *string { return &d.instance.MAC }},
		"mac-device-number":                {unused: derived, served: "0"},
		"mac-ipv4-associations":            {unused: derived},
		"mac-ipv6-associations":            {to: func(d *draft) *string { return &d.instance.IPv6 }},
		"mac-local-hostname":               {to: func(d *draft) *string { return &d.instance.Hostname }},
		"mac-local-ipv4s":                  {to: func(d *draft) *string { return &d.instance.PrivateIP }},
		"mac-mac":                          {to: func(d *draft) *string { return &d.instance.MAC }},
		"mac-network-interface-id":         {to: func(d *draft) *string { return &d.instance.Interface }},
		"mac-network-interface-card-index": {unused: derived, served: "0"},
		"mac-owner-id":                     {take: (*draft).takeAccount},
		"mac-public-hostname":              {unused: derived},
		"mac-public-ipv4s":                 {to: func(d *draft) *string { return &d.instance.PublicIP }},
		"mac-security-group-ids":           lines(func(d *draft) *[]string { return &d.instance.SecurityGroupIDs }),
		"mac-security-groups":              lines(func(d *draft) *[]string { return &d.instance.SecurityGroups }),
		"mac-subnet-id":                    {to: func(d *draft) *string { return &d.instance.Subnet }},
		"mac-subnet-ipv4-cidr-block":       {to: func(d *draft) *string { return &d.instance.SubnetCIDR }},
		"mac-subnet-ipv6-cidr-blocks":      {unused: derived},
		"mac-vpc-id":                       {to: func(d *draft) *string { return &d.instance.VPC }},
		"mac-vpc-ipv4-cidr-block":          {to: func(d *draft) *string { return &d.instance.VPCCIDR }},
		"mac-vpc-ipv4-cidr-blocks":         {unused: derived},
		"mac-vpc-ipv6-cidr-blocks":         {unused: derived},
		"placement-availability-zone":      {to: func(d *draft) *string { return &d.instance.Zone }},
		"placement-availability-zone-id":   {to: func(d *draft) *string { return &d.instance.ZoneID }},
		"placement-group-name":             {to: func(d *draft) *string { return &d.instance.PlacementGroup }},
		"placement-host-id":                {to: func(d *draft) *string { return &d.instance.Host }},
		"placement-partition-number":       number(func(d *draft) *int { return &d.instance.Partition }),
		"placement-region":                 {to: func(d *draft) *string { return &d.instance.Region }},
		"product-codes":                    lines(func(d *draft) *[]string { return &d.instance.ProductCodes }),
		"public-hostname":                  {unused: derived},
		"public-ipv4":                      {to: func(d *draft) *string { return &d.instance.PublicIP }},
		"public-key":                       {to: func(d *draft) *string { return &d.instance.PublicKey }},
		"ramdisk-id":                       {to: func(d *draft) *string { return &d.instance.Ramdisk }},
		"reservation-id":                   {to: func(d *draft) *string { return &d.instance.Reservation }},
		"security-groups":                  lines(func(d *draft) *[]string { return &d.instance.SecurityGroups }),
		"services-domain":                  {unused: derived},
		"services-partition":               {unused: derived},
		"tags-instance-name":               tag("Name"),
		"tags-instance-test":               tag("Test"),

		"iam-info.code":                                    {unused: madeAnew, served: "Success"},
		"iam-info.lastupdated":                             {unused: madeAnew},
		"iam-info.instanceprofilearn":                      {take: (*draft).takeProfile},
		"iam-info.instanceprofileid":                       {unused: madeAnew},
		"iam-security-credentials-role":                    {to: func(d *draft) *string { return &d.role.Name }},
		"iam-security-credentials.code":                    {take: (*draft).takeFailure},
		"iam-security-credentials.lastupdated":             {unused: madeAnew},
		"iam-security-credentials.type":                    {unused: madeAnew, served: "AWS-HMAC"},
		"iam-security-credentials.accesskeyid":             {unused: madeAnew},
		"iam-security-credentials.secretaccesskey":         {unused: madeAnew},
		"iam-security-credentials.token":                   {unused: madeAnew},
		"iam-security-credentials.expiration":              {unused: madeAnew},
		accelerator + "elastic-inference-accelerator-id":   {unused: absent},
		accelerator + "elastic-inference-accelerator-type": {unused: absent},
	}
}

const accelerator = "elastic-inference-accelerator.version_2018_04_12."

func word(to func(*draft) *string, words []string) entry {
	return entry{take: func(d *draft, text string) error {
		for _, w := range words {
			if w == text {
				*to(d) = text
				return nil
			}
		}
		return fmt.Errorf("%q: want %s", text, strings.Join(words, ", "))
	}}
}

func instant(to func(*draft) *time.Time) entry {
	return entry{take: func(d *draft, text string) error {
		if text == "" {
			return nil
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fmt.Errorf("%q: want a time such as 2020-01-07T01:03:47Z", text)
		}
		*to(d) = t
		return nil
	}}
}

// maxSeconds is ten years: more is no delay but a slip.
const maxSeconds = 10 * 365 * 24 * 60 * 60

func seconds(to func(*draft) *time.Duration) entry {
	return entry{take: func(d *draft, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxSeconds {
			return fmt.Errorf("%q: want seconds, 0 to %d", text, maxSeconds)
		}
		*to(d) = time.Duration(n) * time.Second
		return nil
	}}
}

func number(to func(*draft) *int) entry {
	return entry{take: func(d *draft, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("%q: want a number, 0 or more", text)
		}
		*to(d) = n
		return nil
	}}
}

func lines(to func(*draft) *[]string) entry {
	return entry{take: func(d *draft, text string) error {
		*to(d) = strings.Fields(text)
		return nil
	}}
}

// device is a block device of the instance; an empty one is none.
func device(name string) entry {
	return entry{take: func(d *draft, text string) error {
		if text != "" {
			d.instance.BlockDevices[name] = text
		}
		return nil
	}}
}

func tag(name string) entry {
	return entry{take: func(d *draft, text string) error {
		d.instance.Tags[name] = text
		return nil
	}}
}

func (d *draft) takePort(text string) error {
	if _, err := strconv.ParseUint(text, 10, 16); err != nil {
		return fmt.Errorf("%q: want a port, 0 to 65535", text)
	}
	d.Port = text
	return nil
}

func (d *draft) takeTokens(text string) error {
	required, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%q: want true or false", text)
	}
	d.tokens = map[bool]string{true: "required", false: "optional"}[required]
	return nil
}

// takeAccount leaves out what is no account, such as the ten digits in the
// mock's own default.
func (d *draft) takeAccount(text string) error {
	if len(text) != 12 || strings.Trim(text, "0123456789") != "" {
		d.Warnings = append(d.Warnings, fmt.Sprintf("account %q is left out: an account has twelve digits", text))
		return nil
	}
	d.instance.Account = text
	return nil
}

func (d *draft) takeMonitoring(text string) error {
	if text != "enabled" && text != "disabled" {
		return fmt.Errorf("%q: want enabled or disabled", text)
	}
	d.instance.Monitoring = text == "enabled"
	return nil
}

func (d *draft) takeUserData(text string) error {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("want base64: %w", err)
	}
	d.instance.UserData = string(data)
	return nil
}

func (d *draft) takeProfile(text string) error {
	_, name, ok := strings.Cut(text, ":instance-profile/")
	if !ok {
		return fmt.Errorf("%q: want arn:aws:iam::ACCOUNT:instance-profile/NAME", text)
	}
	d.role.Profile = name[strings.LastIndexByte(name, '/')+1:]
	return nil
}

func (d *draft) takeFailure(text string) error {
	if text != "Success" {
		d.role.Failure = text
	}
	return nil
}
