terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
variable "endpoint" { type = string }
variable "runtime" { type = string }
variable "package" { type = string }
variable "layer" { type = string }
variable "weights" {
  type    = map(number)
  default = {}
}
variable "queue_arn" { type = string }
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  max_retries                 = 1
  endpoints {
    lambda = var.endpoint
    iam    = var.endpoint
    sts    = var.endpoint
  }
}
resource "aws_iam_role" "role" {
  name = "orders-role"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "queue" {
  name = "queue"
  role = aws_iam_role.role.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = var.queue_arn }]
  })
}
resource "aws_lambda_layer_version" "base" {
  layer_name          = "base"
  filename            = var.layer
  source_code_hash    = filebase64sha256(var.layer)
  compatible_runtimes = [var.runtime]
}
resource "aws_lambda_function" "orders" {
  function_name                  = "orders"
  role                           = aws_iam_role.role.arn
  runtime                        = var.runtime
  handler                        = "app.handler"
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  publish                        = true
  memory_size                    = 256
  timeout                        = 10
  layers                         = [aws_lambda_layer_version.base.arn]
  reserved_concurrent_executions = 5
  environment {
    variables = { COLOUR = "blue" }
  }
  tags = { team = "water" }
}
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.orders.function_name
  function_version = "1"
  dynamic "routing_config" {
    for_each = var.weights
    content {
      additional_version_weights = { (routing_config.key) = routing_config.value }
    }
  }
  depends_on = [aws_lambda_function.orders]
}
resource "aws_lambda_permission" "bucket" {
  statement_id   = "bucket"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.orders.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::photos"
  source_account = "123456789012"
}
resource "aws_lambda_event_source_mapping" "jobs" {
  event_source_arn        = var.queue_arn
  function_name           = aws_lambda_alias.live.arn
  batch_size              = 5
  function_response_types = ["ReportBatchItemFailures"]
  filter_criteria {
    filter {
      pattern = jsonencode({ body = { kind = ["order"] } })
    }
  }
  depends_on = [aws_iam_role_policy.queue]
}
resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.orders.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "NONE"
  cors {
    allow_origins = ["https://example.com"]
    max_age       = 60
  }
}
resource "aws_lambda_provisioned_concurrency_config" "first" {
  function_name                     = aws_lambda_function.orders.function_name
  qualifier                         = "1"
  provisioned_concurrent_executions = 1
  depends_on                        = [aws_lambda_function.orders]
}
resource "aws_lambda_function_event_invoke_config" "live" {
  function_name          = aws_lambda_function.orders.function_name
  qualifier              = aws_lambda_alias.live.name
  maximum_retry_attempts = 1
  destination_config {
    on_failure {
      destination = var.queue_arn
    }
  }
  depends_on = [aws_iam_role_policy.queue]
}
