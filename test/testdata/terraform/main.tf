# Access to one model from outside EC2, the right way round, and the same from
# an instance: a user with a key in one encrypted parameter, and a role with its
# profile and a log group.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "region" {
  type    = string
  default = "us-west-2"
}

variable "model" {
  type    = string
  default = "anthropic.claude-sonnet-4-6"
}

# Region and credentials come from the instance.
provider "aws" {
  region = var.region
}

data "aws_caller_identity" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  profile = "us.${var.model}"
}

resource "aws_iam_user" "app" {
  name = "bedrock-app"
  path = "/apps/"
  tags = { app = "bedrock" }
}

resource "aws_iam_access_key" "app" {
  user = aws_iam_user.app.name
}

data "aws_iam_policy_document" "invoke" {
  statement {
    sid     = "Invoke"
    actions = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    resources = concat(
      ["arn:aws:bedrock:${var.region}:${local.account}:inference-profile/${local.profile}"],
      [for region in ["us-east-1", "us-east-2", "us-west-2"] : "arn:aws:bedrock:${region}::foundation-model/${var.model}"],
    )
  }
}

resource "aws_iam_policy" "invoke" {
  name        = "bedrock-invoke"
  description = "Calls one model through its profile"
  policy      = data.aws_iam_policy_document.invoke.json
}

resource "aws_iam_user_policy_attachment" "app" {
  user       = aws_iam_user.app.name
  policy_arn = aws_iam_policy.invoke.arn
}

resource "aws_ssm_parameter" "key_id" {
  name  = "/bedrock-app/access-key-id"
  type  = "SecureString"
  value = aws_iam_access_key.app.id
}

resource "aws_ssm_parameter" "secret" {
  name        = "/bedrock-app/secret-access-key"
  description = "The other half"
  type        = "SecureString"
  value       = aws_iam_access_key.app.secret
  tags        = { app = "bedrock" }
}

resource "aws_iam_role" "instance" {
  name                 = "bedrock-instance"
  max_session_duration = 7200
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "instance" {
  role       = aws_iam_role.instance.name
  policy_arn = aws_iam_policy.invoke.arn
}

resource "aws_iam_role_policy" "parameters" {
  name = "parameters"
  role = aws_iam_role.instance.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = "arn:aws:ssm:${var.region}:${local.account}:parameter/bedrock-app/*"
    }]
  })
}

resource "aws_iam_instance_profile" "instance" {
  name = "bedrock-instance"
  role = aws_iam_role.instance.name
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/bedrock-app"
  retention_in_days = 30
  tags              = { app = "bedrock" }
}

# What the log tells of errors, and calls of IMDSv1, ring an alarm.

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "{ $.level = \"error\" }"

  metric_transformation {
    name          = "Errors"
    namespace     = "BedrockApp"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "bedrock-app-errors"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.5
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  tags                = { app = "bedrock" }

  metric_query {
    id          = "rate"
    expression  = "errors / calls"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "Errors", calls = "Calls" }
    content {
      id = metric_query.key
      metric {
        namespace   = "BedrockApp"
        metric_name = metric_query.value
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "imdsv1" {
  alarm_name          = "bedrock-app-imdsv1"
  alarm_description   = "Something on the instance asks without a token"
  namespace           = "AWS/EC2"
  metric_name         = "MetadataNoToken"
  dimensions          = { InstanceId = "i-0a1b2c3d4e5f60718" }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  alarm_actions       = ["arn:aws:sns:${var.region}:${local.account}:alarms"]
}

resource "aws_ecr_repository" "app" {
  name                 = "bedrock-app"
  image_tag_mutability = "IMMUTABLE"
  tags                 = { app = "bedrock" }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last ten"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}

data "aws_servicequotas_service_quota" "tokens" {
  service_code = "bedrock"
  quota_name   = "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6"
}

output "tokens" {
  value = data.aws_servicequotas_service_quota.tokens.value
}

output "user" {
  value = aws_iam_user.app.arn
}
