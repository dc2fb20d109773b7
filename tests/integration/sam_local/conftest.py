"""An application with a REST API, an HTTP API, a function URL and authorizers."""

from __future__ import annotations

import pytest

from tests.fakes.sam_application import Application

RESOURCES = """
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Cors: "'*'"
      Variables: {LEVEL: high}
      BinaryMediaTypes: [image~1png]
      Auth:
        Authorizers:
          Guard: {FunctionArn: !GetAtt GuardFunction.Arn}
  Modern:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: ["https://a.example"], AllowMethods: [GET]}
      Auth:
        Authorizers:
          Simple:
            FunctionArn: !GetAtt GuardFunction.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            Identity: {Headers: [X-Key]}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: shop-echo
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        One: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: "/rest/{id}", Method: any}}
        Guarded: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /guarded, Method: get, Auth: {Authorizer: Guard}}}
        Two: {Type: HttpApi, Properties: {ApiId: !Ref Modern, Path: "/http/{proxy+}", Method: any}}
        Simple:
          Type: HttpApi
          Properties: {ApiId: !Ref Modern, Path: /simple, Method: get, Auth: {Authorizer: Simple}}
        Slow: {Type: HttpApi, Properties: {ApiId: !Ref Modern, Path: /slow, Method: get, TimeoutInMillis: 100}}
  GuardFunction: {Type: AWS::Serverless::Function, Properties: {Handler: app.guard}}
"""
SOURCE = """
import base64, json, time
WORD = "first"
def handler(event, context):
    query = event.get("queryStringParameters") or {}
    if "sleep" in query:
        time.sleep(float(query["sleep"]))
    if "raise" in query:
        raise ValueError("no")
    if "malformed" in query:
        return {"statusCode": "none"}
    if "png" in query:
        return {"statusCode": 200, "headers": {"Content-Type": "image/png"},
                "body": base64.b64encode(b"\\x89PNG").decode(), "isBase64Encoded": True}
    return {"statusCode": 200, "headers": {"X-Word": WORD}, "body": json.dumps(event)}
def guard(event, context):
    if event["type"] == "TOKEN":
        token = event["authorizationToken"]
        if token == "none":
            raise Exception("Unauthorized")
        statement = {"Action": "execute-api:Invoke", "Effect": token, "Resource": event["methodArn"]}
        return {"principalId": "ada", "policyDocument": {"Statement": [statement]}, "context": {"n": 1}}
    return {"isAuthorized": event["identitySource"] == ["yes"], "context": {"n": 1}}
"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """A REST API, an HTTP API and a function URL, with authorizers."""
    return Application(tmp_path_factory.mktemp("sam") / "shop", RESOURCES, SOURCE)
