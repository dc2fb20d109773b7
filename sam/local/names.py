"""The names and ARNs that a template's resources would have in AWS, made up for this machine. Pure.

Source: the return values of Ref and Fn::GetAtt in the CloudFormation resource reference.
"""

from __future__ import annotations

from collections.abc import Mapping

ACCOUNT, REGION = "123456789012", "us-east-1"

# Source: SAM CLI's pseudo parameters
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "local",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/local/51af3dc0-da77-11e4-872e-1234567db123",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NotificationARNs": "",
}

FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
LAYERS = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
# resources that an implicit API brings along without standing in the template
IMPLICIT = {"ServerlessRestApi": "AWS::Serverless::Api", "ServerlessHttpApi": "AWS::Serverless::HttpApi"}

# type → the property that names a resource
NAMED_BY: Mapping[str, str] = {
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Serverless::SimpleTable": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::SSM::Parameter": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::Serverless::StateMachine": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::KMS::Key": "",
}

# type → the ARN's part after `arn:aws:`; {r} region, {a} account, {n} name
_ARNS: Mapping[str, str] = {
    "AWS::Serverless::Function": "lambda:{r}:{a}:function:{n}",
    "AWS::Lambda::Function": "lambda:{r}:{a}:function:{n}",
    "AWS::DynamoDB::Table": "dynamodb:{r}:{a}:table/{n}",
    "AWS::Serverless::SimpleTable": "dynamodb:{r}:{a}:table/{n}",
    "AWS::SQS::Queue": "sqs:{r}:{a}:{n}",
    "AWS::SNS::Topic": "sns:{r}:{a}:{n}",
    "AWS::S3::Bucket": "s3:::{n}",
    "AWS::Kinesis::Stream": "kinesis:{r}:{a}:stream/{n}",
    "AWS::IAM::Role": "iam::{a}:role/{n}",
    "AWS::Events::EventBus": "events:{r}:{a}:event-bus/{n}",
    "AWS::Events::Rule": "events:{r}:{a}:rule/{n}",
    "AWS::SecretsManager::Secret": "secretsmanager:{r}:{a}:secret:{n}-local",
    "AWS::StepFunctions::StateMachine": "states:{r}:{a}:stateMachine:{n}",
    "AWS::Serverless::StateMachine": "states:{r}:{a}:stateMachine:{n}",
    "AWS::Logs::LogGroup": "logs:{r}:{a}:log-group:{n}:*",
    "AWS::KMS::Key": "kms:{r}:{a}:key/{n}",
    "AWS::Serverless::LayerVersion": "lambda:{r}:{a}:layer:{n}:1",
    "AWS::Lambda::LayerVersion": "lambda:{r}:{a}:layer:{n}:1",
}
_REF_IS_ARN = (
    "AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine",
    "AWS::Serverless::StateMachine", "AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion",
)  # fmt: skip
_QUEUE = "AWS::SQS::Queue"


def arn(kind: str, name: str, region: str, account: str) -> str:
    """The ARN of the resource `name` of that type; "" for a type whose ARNs are not known here."""
    form = _ARNS.get(kind, "")
    return f"arn:aws:{form.format(r=region, a=account, n=name)}" if form else ""


def ref(kind: str, name: str, region: str, account: str) -> str:
    """What Ref gives."""
    if kind in _REF_IS_ARN:
        return arn(kind, name, region, account)
    if kind == _QUEUE:
        return f"https://sqs.{region}.amazonaws.com/{account}/{name}"
    return name


def attribute(kind: str, name: str, wanted: str, region: str, account: str) -> str:
    """What Fn::GetAtt of the attribute `wanted` gives; "" for one that is not known here."""
    own = arn(kind, name, region, account)
    known = {
        "Arn": own,
        **({"QueueName": name, "QueueUrl": ref(kind, name, region, account)} if kind == _QUEUE else {}),
        **({"TopicArn": own, "TopicName": name} if kind == "AWS::SNS::Topic" else {}),
        **({"StreamArn": f"{own}/stream/2026-01-01T00:00:00.000"} if ":table/" in own else {}),
        **({"Name": name} if kind in ("AWS::Events::EventBus", "AWS::Serverless::StateMachine") else {}),
        **({"Id": name, "SecretArn": own} if kind == "AWS::SecretsManager::Secret" else {}),
        **({"Alias": f"{own}:live", "Version": f"{own}:1"} if kind == FUNCTIONS[0] else {}),
    }
    if kind == "AWS::S3::Bucket":
        known["DomainName"] = f"{name}.s3.amazonaws.com"
        known["RegionalDomainName"] = f"{name}.s3.{region}.amazonaws.com"
    if kind in IMPLICIT.values() or kind.startswith("AWS::ApiGateway"):
        known |= {"RootResourceId": "root", "ApiId": name, "RestApiId": name}
    return known.get(wanted, "")
