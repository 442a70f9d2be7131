// Package cloudwatch is Amazon CloudWatch as far as a box needs it: metrics
// with their statistics, and alarms
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html).
// [Metrics] holds what was measured, by callers of PutMetricData and by the
// services of the account.
//
// It differs from AWS in this: what was measured can be read at once, and stays
// for 15 days at the resolution at which it came; it is no part of the account's
// state. Alarms do nothing when their states change, and are evaluated when
// somebody asks for them, by what was measured until the last full minute. There
// are no composite alarms, anomaly detectors, dashboards, streams and PromQL.
// Expressions of GetMetricData are arithmetic on metrics and numbers. Limits are
// those of the API's model and its pages; texts of errors are those that accounts
// report, such as https://github.com/awsdocs/aws-iot-docs/pull/33 (old
// timestamps), https://github.com/cloudposse-archives/prometheus-to-cloudwatch/pull/17
// (NaN), https://github.com/AdRoll/goamz/pull/301 (no value) and
// https://github.com/papertrail/papertrail-services/issues/66 (too many metrics).
package cloudwatch

import (
	"net/http"

	"tegata/awsfake/wire"
)

// State is what one account keeps of CloudWatch. The zero value is ready.
type State struct {
	Regions map[string]map[string]*Alarm // by region and name
}

// Service is CloudWatch over one account's state and what was measured.
type Service struct {
	State   *State
	Metrics *Metrics
}

// Wire returns CloudWatch as the account offers it. The CLI of version 1 and
// older SDKs speak the query protocol to it, others JSON, today's CBOR.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "cloudwatch", SigningName: "monitoring", Hosts: []string{"monitoring"},
		Protocol: wire.CBOR, Also: []wire.Protocol{wire.JSON10, wire.Query}, QueryErrors: queryErrors(),
		Target: "GraniteServiceVersion20100801", Version: "2010-08-01", Namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
		Operations: []wire.Operation{
			wire.Op("PutMetricData", s.putMetricData),
			wire.Op("GetMetricStatistics", s.getMetricStatistics),
			wire.Op("GetMetricData", s.getMetricData),
			wire.Op("ListMetrics", s.listMetrics),
			wire.Op("PutMetricAlarm", s.putMetricAlarm),
			wire.Op("DescribeAlarms", s.describeAlarms),
			wire.Op("DescribeAlarmsForMetric", s.describeAlarmsForMetric),
			wire.Op("DeleteAlarms", s.deleteAlarms),
			wire.Op("SetAlarmState", s.setAlarmState),
			s.switchActions("EnableAlarmActions", true),
			s.switchActions("DisableAlarmActions", false),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("ListTagsForResource", s.listTags),
		},
	}
}

// The errors of CloudWatch that the query protocol calls otherwise.
const (
	invalidValue       = "InvalidParameterValueException"
	invalidCombination = "InvalidParameterCombinationException"
	missingParameter   = "MissingRequiredParameterException"
)

func queryErrors() map[string]string {
	return map[string]string{
		invalidValue:         "InvalidParameterValue",
		invalidCombination:   "InvalidParameterCombination",
		missingParameter:     "MissingParameter",
		"LimitExceededFault": "LimitExceeded",
		"InvalidFormatFault": "InvalidFormat",
	}
}

func refuse(code, message string) error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

type dimension struct{ Name, Value string }

// named are dimensions as a [Metric] has them.
func named(dimensions []dimension) []Dimension {
	var all []Dimension
	for _, d := range dimensions {
		all = append(all, Dimension(d))
	}
	return all
}
