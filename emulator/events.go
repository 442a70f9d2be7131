package emulator

import "time"

// Events are what EC2 announces to an instance ahead of time. Each appears in
// the metadata when it is announced and not before.
type Events struct {
	Spot        *SpotInterruption
	Rebalance   time.Time // when the rebalance recommendation was emitted; zero means none
	Lifecycle   []Lifecycle
	Maintenance []Maintenance
}

// A SpotInterruption is the end of a Spot Instance.
type SpotInterruption struct {
	Action string    // terminate, stop or hibernate; "" means terminate
	Time   time.Time // when it happens
	Notice time.Time // from when on it is announced; zero means two minutes before
}

// A Lifecycle is a state that Auto Scaling wants the instance to get into
// (meta-data/autoscaling/target-lifecycle-state).
type Lifecycle struct {
	State string    // InService, Terminated, Warmed:Hibernated, ...
	From  time.Time // when it appears; zero means at once
}

// A Maintenance is a scheduled event, past or to come
// (meta-data/events/maintenance).
type Maintenance struct {
	Code              string // instance-reboot, system-reboot, system-maintenance, instance-retirement, instance-stop
	Description       string
	ID                string // instance-event-...; "" means one that fits
	State             string // active, completed or canceled; "" means active
	NotBefore         time.Time
	NotAfter          time.Time // zero means none
	NotBeforeDeadline time.Time // zero means none
	Notice            time.Time // from when on it is announced; zero means at once
}
