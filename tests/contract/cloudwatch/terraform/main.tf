# What Terraform makes of logs, metrics and alarms.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "retention" {
  type    = number
  default = 7
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    cloudwatch = var.endpoint
    logs       = var.endpoint
  }
}

resource "aws_cloudwatch_log_group" "orders" {
  name              = "/aws/lambda/orders"
  retention_in_days = var.retention
  tags              = { team = "shop" }
}

resource "aws_cloudwatch_log_stream" "audit" {
  name           = "audit"
  log_group_name = aws_cloudwatch_log_group.orders.name
}

resource "aws_cloudwatch_log_metric_filter" "slow" {
  name           = "slow"
  pattern        = "{ $.latency > 500 }"
  log_group_name = aws_cloudwatch_log_group.orders.name

  metric_transformation {
    name      = "Slow"
    namespace = "shop"
    value     = "$.latency"
    unit      = "Milliseconds"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "orders-errors"
  alarm_description   = "orders fail"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = "orders" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:sns:us-east-1:123456789012:told"]
  tags                = { team = "shop" }
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  alarm_name                            = "orders-slow"
  namespace                             = "AWS/Lambda"
  metric_name                           = "Duration"
  extended_statistic                    = "p99"
  period                                = 60
  evaluation_periods                    = 1
  threshold                             = 1000
  comparison_operator                   = "GreaterThanOrEqualToThreshold"
  evaluate_low_sample_count_percentiles = "ignore"
}

resource "aws_cloudwatch_metric_alarm" "rate" {
  alarm_name          = "orders-error-rate"
  evaluation_periods  = 1
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"

  metric_query {
    id          = "rate"
    expression  = "100 * errors / calls"
    label       = "error rate"
    return_data = true
  }

  metric_query {
    id = "errors"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Errors"
      period      = 60
      stat        = "Sum"
    }
  }

  metric_query {
    id = "calls"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      period      = 60
      stat        = "Sum"
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "orders" {
  alarm_name = "orders"
  alarm_rule = "ALARM(${aws_cloudwatch_metric_alarm.errors.alarm_name}) OR ALARM(${aws_cloudwatch_metric_alarm.slow.alarm_name})"
}
