package cloudwatch

import "time"

// An Alarm compares what was measured with a threshold.
type Alarm struct {
	Name                                string
	Description                         string
	ActionsEnabled                      bool
	OK, Alarm, Insufficient             []string // ARNs of actions
	Metric                              Metric   // of one metric; zero where Queries say what is compared
	Unit                                string
	Statistic, ExtendedStatistic        string
	Period                              int // seconds
	Evaluations, Datapoints             int // of how many periods how many must be breaching; Datapoints 0 means all
	Threshold                           float64
	Comparison                          string
	Missing                             string // TreatMissingData; "" means missing
	LowSamples                          string
	Configured, Updated, Transitioned   time.Time
	State, StateReason, StateReasonData string
	Tags                                map[string]string
}
