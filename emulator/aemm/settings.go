package aemm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/emulator"
)

// Settings are an emulator that does what the mock was told to.
type Settings struct {
	Options     emulator.Options
	Hostname    string        // to listen at; "" means not told (the mock takes every address)
	Port        string        // to listen at
	Delay       time.Duration // of the events, from the start; already in Options
	TriggerTime time.Time     // of the events, instead of Delay; already in Options; zero means not told
	Warnings    []string      // what the mock would do and the emulator does not
}

// The subcommands of the mock, each of which announces one kind of event.
const (
	Spot         = "spot" // the interruption, and the rebalance recommendation
	Events       = "events"
	ASGLifecycle = "asglifecycle"
)

// A draft is what the keys fill in before it is made whole.
type draft struct {
	Settings
	instance emulator.Instance
	role     emulator.Role
	tokens   string
	spot     emulator.SpotInterruption
	event    emulator.Maintenance

	recommended                  time.Time
	rebalanceDelay, asgDelay     time.Duration
	rebalanceTrigger, asgTrigger time.Time
}

// Settings returns what becomes of the config for an emulator that starts
// now. As with the mock, only the event of the subcommand is announced, and
// without any of them all are. It returns an error for a value that is none;
// whether the values fit each other, [emulator.New] says.
func (c *Config) Settings(now time.Time, subcommands ...string) (Settings, error) {
	d := defaults()
	if err := c.apply(d); err != nil {
		return Settings{}, err
	}
	c.place(&d.instance)
	if key := strings.Fields(d.instance.PublicKey); len(key) > 0 {
		d.instance.KeyName = key[len(key)-1]
	}
	d.Options = emulator.Options{Instance: d.instance, Tokens: d.tokens, Tags: true}
	if d.role.Name != "" {
		d.Options.Role = &d.role
	}
	for _, s := range subcommandsOr(subcommands) {
		if err := d.announce(s, now); err != nil {
			return Settings{}, err
		}
	}
	return d.Settings, nil
}

func subcommandsOr(given []string) []string {
	if len(given) == 0 {
		return []string{Spot, Events, ASGLifecycle}
	}
	return given
}

// defaults are those of the mock where people's tests meet them. Names and
// ranges are left for the emulator to derive.
func defaults() *draft {
	return &draft{
		Settings: Settings{Port: "1338"},
		tokens:   "optional",
		role:     emulator.Role{Name: "baskinc-role"},
		spot:     emulator.SpotInterruption{Action: "terminate"},
		event:    emulator.Maintenance{Code: "system-reboot", State: "active", ID: "instance-event-1234567890abcdef0"},
		instance: emulator.Instance{
			ID: "i-1234567890abcdef0", Type: "m4.xlarge", Account: "515336597381", Reservation: "r-046cb3eca3e201d2f",
			Image: "ami-0a887e401f7654935", Kernel: "aki-5c21674b", Ramdisk: "ari-01bb5768",
			ProductCodes: []string{"3iplms73etrdhxdepv72l6ywj"},
			BlockDevices: map[string]string{"ami": "/dev/xvda", "root": "/dev/xvda", "ebs0": "sdb", "ephemeral0": "sdb", "swap": "sdcs"},
			Region:       "us-east-1", Zone: "us-east-1a", ZoneID: "use1-az4",
			PlacementGroup: "a-placement-group", Host: "h-0da999999f9999fb9", Partition: 1,
			PrivateIP: "172.16.34.43", PublicIP: "192.0.2.54", IPv6: "2001:db8:8:4::2", MAC: "0e:49:61:0f:c3:11",
			Interface: "eni-0f95d3625f5c521cc", Subnet: "subnet-0ac62554", VPC: "vpc-d295a6a7",
			SecurityGroups: []string{"ura-launch-wizard-harry-1"}, SecurityGroupIDs: []string{"sg-0b07f8f6cb485d4df"},
			Tags:     map[string]string{"Name": "test-instance", "Test": "test-tag"},
			UserData: "1234,john,reboot,true\n",
		},
	}
}

// apply fills in the draft in the entries' order, so that the same config
// always gives the same settings.
func (c *Config) apply(d *draft) error {
	keys := slices.SortedFunc(maps.Keys(c.said), func(a, b string) int {
		return cmp.Or(cmp.Compare(entries()[a].rank, entries()[b].rank), strings.Compare(a, b))
	})
	by := map[*string]string{}    // who filled in a place
	left := map[string][]string{} // keys by the reason why they are left out
	for _, key := range keys {
		e, text := entries()[key], c.said[key]
		switch {
		case e.unused != "":
			if text != "" && text != e.served {
				left[e.unused] = append(left[e.unused], key)
			}
		case e.take != nil:
			if err := e.take(d, text); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		default:
			place := e.to(d)
			if other := by[place]; other != "" && *place != text {
				d.Warnings = append(d.Warnings, fmt.Sprintf("%s and %s differ: the emulator serves that of %s", other, key, key))
			}
			*place, by[place] = text, key
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(left)) {
		d.Warnings = append(d.Warnings, fmt.Sprintf("%s: %s", some(left[reason]), reason))
	}
	return nil
}

// some names the first keys of a list, and counts the rest: a file that the
// mock saved holds them all.
func some(keys []string) string {
	const most = 4
	if len(keys) <= most {
		return strings.Join(keys, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(keys[:most], ", "), len(keys)-most)
}

// place keeps a default of the mock from contradicting what was said of the
// place: a zone tells its region, and a region its first zone.
func (c *Config) place(i *emulator.Instance) {
	const values, member = "metadata.values.placement-", "dynamic.values.instance-identity-document."
	said := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return c.said[k] != "" })
	}
	zone, region := said(values+"availability-zone", member+"availabilityzone"), said(values+"region", member+"region")
	if !zone && !region {
		return
	}
	if !region {
		i.Region = strings.TrimRight(i.Zone, "abcdefghijklmnopqrstuvwxyz")
	}
	if !zone {
		i.Zone = ""
	}
	if !said(values + "availability-zone-id") {
		i.ZoneID = ""
	}
}

// announce adds the events of a subcommand.
func (d *draft) announce(subcommand string, now time.Time) error {
	events, notice := &d.Options.Events, due(now, d.Delay, d.TriggerTime)
	switch subcommand {
	case Spot:
		spot := d.spot
		spot.Notice = notice
		spot.Time = orLater(spot.Time, notice, 2*time.Minute)
		events.Spot = &spot
		events.Rebalance = orLater(d.recommended, due(now, d.rebalanceDelay, d.rebalanceTrigger), 0)
	case Events:
		const day = 24 * time.Hour
		m := d.event
		m.Notice = notice
		m.NotBefore = orLater(m.NotBefore, now, 0)
		m.NotAfter = orLater(m.NotAfter, m.NotBefore, 7*day)
		m.NotBeforeDeadline = orLater(m.NotBeforeDeadline, m.NotBefore, 9*day)
		events.Maintenance = []emulator.Maintenance{m}
	case ASGLifecycle:
		events.Lifecycle = []emulator.Lifecycle{
			{State: "InService"},
			{State: "Terminated", From: due(now, d.asgDelay, d.asgTrigger)},
		}
	default:
		return fmt.Errorf("subcommand %q: want %s, %s or %s", subcommand, Spot, Events, ASGLifecycle)
	}
	return nil
}

// due is when an event appears: at its trigger time, if it has one.
func due(now time.Time, delay time.Duration, trigger time.Time) time.Time {
	return orLater(trigger, now, delay)
}

// orLater is t, or where that is zero, so long after base.
func orLater(t, base time.Time, after time.Duration) time.Time {
	if t.IsZero() {
		return base.Add(after)
	}
	return t
}
