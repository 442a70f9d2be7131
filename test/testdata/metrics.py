"""Puts, reads and alarms in CloudWatch over one protocol: metrics.py PROTOCOL

Prints JSON: what was read, and the errors, as botocore has them.
"""
import datetime
import json
import sys
import urllib.request

import botocore.exceptions
import botocore.session

protocol = sys.argv[1]
session = botocore.session.get_session()
model = session.get_component("data_loader").load_service_model("cloudwatch", "service-2")
if protocol not in model["metadata"].get("protocols", []):
    sys.exit("this botocore is too old")
model["metadata"].update(protocol=protocol, protocols=[protocol])
client = session.create_client("cloudwatch")


def refused(operation, **arguments):
    try:
        getattr(client, operation)(**arguments)
    except botocore.exceptions.ClientError as e:
        return [type(e).__name__, e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]]
    return None


now = datetime.datetime.now(datetime.timezone.utc)
span = {"StartTime": now - datetime.timedelta(minutes=30), "EndTime": now + datetime.timedelta(minutes=30)}
dimensions = [{"Name": "Host", "Value": "a"}]
# More than ten kilobytes, which botocore compresses.
client.put_metric_data(Namespace="App", MetricData=[{"MetricName": "m", "Value": i, "Dimensions": dimensions} for i in range(1000)])
asked = {"Namespace": "App", "MetricName": "m", "Dimensions": dimensions, "Period": 3600, **span}
[sums] = client.get_metric_statistics(Statistics=["Sum", "SampleCount"], **asked)["Datapoints"]
[percentiles] = client.get_metric_statistics(ExtendedStatistics=["p50"], **asked)["Datapoints"]
with urllib.request.urlopen("http://169.254.169.254/latest/meta-data/instance-id") as answer:
    instance = answer.read().decode()
metric = {"Namespace": "AWS/EC2", "MetricName": "MetadataNoToken", "Dimensions": [{"Name": "InstanceId", "Value": instance}]}
[traffic] = client.get_metric_data(
    MetricDataQueries=[{"Id": "v1", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}}], **span
)["MetricDataResults"]
client.put_metric_alarm(
    AlarmName="a", Namespace="App", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
    Threshold=1.5, ComparisonOperator="GreaterThanThreshold", Tags=[{"Key": "k", "Value": "v"}],
)
[alarm] = client.describe_alarms()["MetricAlarms"]
print(json.dumps({
    "sum": sums["Sum"],
    "count": sums["SampleCount"],
    "median": percentiles["ExtendedStatistics"],
    "recent": abs((sums["Timestamp"] - span["StartTime"]).total_seconds()) <= 60,
    "metrics": client.list_metrics(Namespace="App")["Metrics"],
    "nothing": client.list_metrics(Namespace="Other")["Metrics"],
    "tokenless": sum(traffic["Values"]),
    "alarm": [alarm["AlarmArn"], alarm["StateValue"], alarm["Threshold"], alarm["ActionsEnabled"], alarm["AlarmActions"]],
    "tags": client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"],
    "NaN": refused("put_metric_data", Namespace="App", MetricData=[{"MetricName": "m", "Value": float("nan")}]),
    "no value": refused("put_metric_data", Namespace="App", MetricData=[{"MetricName": "m"}]),
    "no alarm": refused("delete_alarms", AlarmNames=["none"]),
    "half an alarm": refused("put_metric_alarm", AlarmName="b", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold"),
    "token": refused("describe_alarms", NextToken="x"),
}))
