"""APIs and their routes, whichever way a template writes them."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from sam.local.model import Api
from tests.fakes.templates import FIXED, FUNCTION, SERVERLESS, load


def routes(api: Api) -> list[tuple[str, str, str, str]]:
    return [(route.method, route.path, route.function, route.payload) for route in api.routes]


def with_events(events: str) -> str:
    return f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}, Events: {events}}}}}\n"


def test_events_make_the_implicit_apis() -> None:
    """REST in stage Prod, HTTP in $default; an HttpApi event without a path is $default."""
    found = load(
        with_events(
            "{A: {Type: Api, Properties: {Path: '/a/{id}', Method: get}}, "
            "B: {Type: HttpApi, Properties: {Path: '/b/{proxy+}', Method: any}}, C: {Type: HttpApi}, "
            "D: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}}"
        )
    )
    rest, http = found.apis
    assert (rest.logical_id, rest.kind, rest.stage) == ("ServerlessRestApi", "rest", "Prod")
    assert routes(rest) == [("GET", "/a/{id}", "Fn", "1.0")]
    assert (http.logical_id, http.kind, http.stage) == ("ServerlessHttpApi", "http", "$default")
    assert routes(http) == [("ANY", "/b/{proxy+}", "Fn", "2.0"), ("ANY", "$default", "Fn", "2.0")]


def test_globals_are_for_every_api() -> None:
    """CORS, media types, variables."""
    shared = "Globals: {Api: {Cors: \"'*'\", BinaryMediaTypes: [image~1png], Variables: {LEVEL: '1'}}}\n"
    (api,) = load(with_events("{A: {Type: Api, Properties: {Path: /a, Method: get}}}"), shared).apis
    assert api.cors is not None
    assert api.cors.origins == ("*",)
    assert (api.binary_types, api.variables) == (("image/png",), {"LEVEL": "1"})


def test_an_api_with_authorizers() -> None:
    """The default one, one of its own, none; Cognito's stays a name."""
    found = load(
        with_events(
            "{A: {Type: Api, Properties: {Path: /a, Method: get, RestApiId: !Ref Shop}}, "
            "B: {Type: Api, Properties: {Path: /b, Method: get, RestApiId: !Ref Shop, Auth: {Authorizer: NONE}}}, "
            "C: {Type: Api, Properties: {Path: /c, Method: get, RestApiId: !Ref Shop, Auth: {Authorizer: Pool}}}}"
        )
        + """
  Guard: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.11, CodeUri: guard}}
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token: {FunctionArn: !GetAtt Guard.Arn, Identity: {Header: X-Token, ValidationExpression: "t.*"}}
          Asked:
            FunctionArn: !GetAtt Guard.Arn
            FunctionPayloadType: REQUEST
            Identity: {Headers: [X-A], QueryStrings: [q]}
          Pool: {UserPoolArn: arn:aws:cognito-idp:us-east-1:1:userpool/x}
"""
    )
    (api,) = found.apis
    assert api.stage == "v1"
    assert [(route.path, route.authorizer) for route in api.routes] == [("/a", "Token"), ("/b", ""), ("/c", "Pool")]
    assert api.authorizers.keys() == {"Token", "Asked"}
    token, request = api.authorizers["Token"], api.authorizers["Asked"]
    assert (token.kind, token.function, token.identity, token.pattern) == (
        "TOKEN",
        "Guard",
        ("$request.header.X-Token",),
        "t.*",
    )
    assert (request.kind, request.identity) == ("REQUEST", ("$request.header.X-A", "$request.querystring.q"))


BODY = """
openapi: "3.0"
paths:
  /a/{id}:
    get:
      security: [{Guard: []}]
      x-amazon-apigateway-integration:
        type: aws_proxy
        payloadFormatVersion: "2.0"
        uri:
          Fn::Sub: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations
    post: {}
  /any:
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration: {type: aws_proxy, uri: "arn:aws:lambda:us-east-1:123456789012:function:Fn:live"}
components:
  securitySchemes:
    Guard:
      type: apiKey
      name: X-Key
      in: header
      x-amazon-apigateway-authorizer:
        type: request
        identitySource: method.request.header.X-Key
        authorizerUri: "arn:aws:lambda:us-east-1:123456789012:function:Fn"
x-amazon-apigateway-binary-media-types: [image/png]
"""


def test_an_openapi_body_gives_routes_and_authorizers() -> None:
    """In the template, in a file beside it, and included by a transform."""
    indented = "".join(f"        {line}\n" for line in BODY.strip().splitlines())
    resource = "  Shop:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n"
    included = "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}"
    for given in (
        f"      DefinitionBody:\n{indented}",
        "      DefinitionUri: api.yaml\n",
        f"      DefinitionBody: {included}\n",
    ):
        (api,) = load(FUNCTION + resource + given, files={"api.yaml": BODY}).apis
        assert routes(api) == [("GET", "/a/{id}", "Fn", "2.0"), ("ANY", "/any", "Fn", "1.0")]
        assert [route.authorizer for route in api.routes] == ["Guard", ""]
        assert api.authorizers["Guard"].identity == ("$request.header.X-Key",)
        assert api.binary_types == ("image/png",)


def test_a_missing_api_file_is_a_mistake_at_its_place() -> None:
    """Not a crash."""
    with pytest.raises(InvalidInput) as caught:
        load(FUNCTION + "  Shop: {Type: AWS::Serverless::Api, Properties: {StageName: p, DefinitionUri: nope.yaml}}\n")
    assert "nope.yaml cannot be read" in caught.value.diagnostics[0].what


def test_plain_api_gateway_resources() -> None:
    """A path is put together from its resources; the stage gives name and variables."""
    (api,) = load(
        FUNCTION
        + """
  Shop: {Type: AWS::ApiGateway::RestApi, Properties: {Name: shop, BinaryMediaTypes: ["*/*"]}}
  One:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Shop, ParentId: !GetAtt Shop.RootResourceId, PathPart: one}
  Two:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Shop, ParentId: !Ref One, PathPart: "{id}"}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Shop
      ResourceId: !Ref Two
      HttpMethod: GET
      Integration:
        Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations"
  Root:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Shop
      ResourceId: !GetAtt Shop.RootResourceId
      HttpMethod: ANY
      Integration: {Uri: !GetAtt Fn.Arn}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Shop, StageName: live, Variables: {LEVEL: "1"}}
"""
    ).apis
    assert routes(api) == [("GET", "/one/{id}", "Fn", "1.0"), ("ANY", "/", "Fn", "1.0")]
    assert (api.stage, api.variables, api.binary_types) == ("live", {"LEVEL": "1"}, ("*/*",))


def test_plain_http_api_resources() -> None:
    """Routes, integrations, authorizers; WebSocket APIs are left out."""
    (api,) = load(
        FUNCTION
        + """
  Shop:
    Type: AWS::ApiGatewayV2::Api
    Properties: {ProtocolType: HTTP, Name: shop, CorsConfiguration: {AllowOrigins: ["*"]}}
  Talk: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET, Name: talk}}
  Way:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Shop, IntegrationUri: !GetAtt Fn.Arn, PayloadFormatVersion: "2.0"}
  Guard:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Shop
      AuthorizerType: REQUEST
      AuthorizerUri: !GetAtt Fn.Arn
      IdentitySource: [$request.header.X]
      AuthorizerPayloadFormatVersion: "2.0"
      EnableSimpleResponses: true
  One:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Shop
      RouteKey: GET /one/{id}
      Target: !Sub "integrations/${Way}"
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Guard
  All:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Shop, RouteKey: $default, Target: !Join ["/", [integrations, !Ref Way]]}
"""
    ).apis
    assert routes(api) == [("GET", "/one/{id}", "Fn", "2.0"), ("ANY", "$default", "Fn", "2.0")]
    assert [route.authorizer for route in api.routes] == ["Guard", ""]
    assert api.authorizers["Guard"].simple
    assert api.cors is not None
