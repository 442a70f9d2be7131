"""Prints what there is in the account, a line each."""
import botocore.session

session = botocore.session.get_session()
for service, operation, answer, name, more in [
    ("iam", "ListUsers", "Users", "Arn", {}),
    ("iam", "ListRoles", "Roles", "Arn", {}),
    ("iam", "ListPolicies", "Policies", "Arn", {"Scope": "Local"}),
    ("iam", "ListInstanceProfiles", "InstanceProfiles", "Arn", {}),
    ("ssm", "DescribeParameters", "Parameters", "Name", {}),
    ("logs", "DescribeLogGroups", "logGroups", "arn", {}),
    ("logs", "DescribeMetricFilters", "metricFilters", "filterName", {}),
    ("cloudwatch", "DescribeAlarms", "MetricAlarms", "AlarmArn", {}),
    ("ecr", "DescribeRepositories", "repositories", "repositoryArn", {}),
]:
    for item in session.create_client(service)._make_api_call(operation, more)[answer]:
        print(item[name])
