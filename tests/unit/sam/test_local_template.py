"""Templates read to be run on this machine."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from core.errors import InvalidInput
from sam.local.model import Api, Layer, LocalTemplate
from sam.local.template import load_local, of_function

HEAD = "Transform: AWS::Serverless-2016-10-31\n"
FUNCTION = """
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.11, CodeUri: src/}
"""
SERVERLESS = "Type: AWS::Serverless::Function"
FIXED = "Handler: app.handler, Runtime: python3.11, CodeUri: src/"


def load(
    resources: str,
    rest: str = "",
    files: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> LocalTemplate:
    def read(name: str) -> bytes:
        if name not in (files or {}):
            raise FileNotFoundError(2, "No such file or directory")
        return (files or {})[name].encode()

    return load_local(f"{HEAD}{rest}Resources:\n{resources}", "template.yaml", parameters or {}, read)


def variables(values: str, rest: str = "", more: str = "", **parameters: str) -> dict[str, str]:
    """The variables that a function with that YAML mapping gets."""
    own = f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}, Environment: {{Variables: {values}}}}}}}\n"
    return dict(load(own + more, rest, parameters=parameters).functions[0].environment)


def routes(api: Api) -> list[tuple[str, str, str, str]]:
    return [(route.method, route.path, route.function, route.payload) for route in api.routes]


# functions --------------------------------------------------------------------------------------------------------


def test_every_package_type_is_read() -> None:
    """A directory, code in the template, an image by name and one to be built."""
    found = load(
        FUNCTION
        + """
  Here: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.11}}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {Handler: index.h, Runtime: python3.11, InlineCode: "x = 1"}
  Plain:
    Type: AWS::Lambda::Function
    Properties: {Handler: a.b, Runtime: nodejs20.x, Code: {ZipFile: "y"}}
  Image:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, ImageUri: "fn:1", ImageConfig: {Command: [a.b]}}
  Built:
    Type: AWS::Serverless::Function
    Metadata: {DockerContext: ., Dockerfile: D}
    Properties: {PackageType: Image}
"""
    )
    functions = {function.logical_id: function for function in found.functions}
    assert functions["Fn"].code_uri == "src/"
    assert functions["Here"].code_uri == "."
    assert (functions["Inline"].inline_code, functions["Inline"].code_uri) == ("x = 1", "")
    assert functions["Plain"].inline_code == "y"
    image, built = functions["Image"].image, functions["Built"].image
    assert image is not None
    assert (image.uri, image.config) == ("fn:1", {"Command": ["a.b"]})
    assert built is not None
    assert (built.uri, built.context, built.dockerfile) == ("", ".", "D")


def test_code_in_s3_is_a_warning_not_a_mistake() -> None:
    """Other functions of the template still run."""
    found = load(FUNCTION.replace("src/", "s3://bucket/key"))
    assert found.functions[0].code_uri == ""
    assert "not on this machine" in of_function(found, "Fn")[0].what


def test_layers_of_the_template_and_of_others() -> None:
    """In their order, Globals first."""
    shared = "Globals: {Function: {Layers: [!Ref Lib]}}\n"
    own = f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}, Layers: ['arn:aws:lambda:us-east-1:1:layer:x:3']}}}}\n"
    lib = "  Lib: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer/}}\n"
    assert load(own + lib, shared).functions[0].layers == (
        Layer("Lib", content_uri="layer/"),
        Layer("", arn="arn:aws:lambda:us-east-1:1:layer:x:3"),
    )


def test_a_function_whose_condition_is_false_is_not_there() -> None:
    """By the parameters given."""
    rest = "Parameters: {Stage: {Type: String, Default: dev}}\nConditions: {Prod: !Equals [!Ref Stage, prod]}\n"
    own = f"  Fn: {{{SERVERLESS}, Condition: Prod, Properties: {{{FIXED}}}}}\n"
    assert load(own, rest).functions == ()
    assert [function.logical_id for function in load(own, rest, parameters={"Stage": "prod"}).functions] == ["Fn"]


def test_mistakes_are_told_with_their_lines() -> None:
    """All of them."""
    with pytest.raises(InvalidInput) as caught:
        load(f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}, MemorySize: 1, EphemeralStorage: {{Size: 1}}}}}}\n")
    assert [each.where for each in caught.value.diagnostics] == [
        "Resources.Fn.Properties.MemorySize",
        "Resources.Fn.Properties.EphemeralStorage.Size",
    ]


def test_a_function_url_is_read() -> None:
    """With its CORS."""
    config = "FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ['*'], AllowMethods: [get], MaxAge: 5}}"
    url = load(f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}, {config}}}}}\n").functions[0].url
    assert url is not None
    assert (url.auth_type, url.invoke_mode) == ("NONE", "BUFFERED")
    assert url.cors is not None
    assert (url.cors.origins, url.cors.methods, url.cors.max_age_s) == (("*",), ("GET",), 5)


# references -------------------------------------------------------------------------------------------------------

OTHERS = """
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "${Stage}-orders"}}
  Queue: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Bucket: {Type: AWS::S3::Bucket}
  Other: {Type: AWS::Some::Thing}
"""
PARAMETERS = "Parameters: {Stage: {Type: String, Default: dev}, Many: {Type: CommaDelimitedList, Default: 'a, b'}}\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref Table", "dev-orders"),
        ("!Ref Queue", "https://sqs.us-east-1.amazonaws.com/123456789012/Queue"),
        ("!Ref Topic", "arn:aws:sns:us-east-1:123456789012:Topic"),
        ("!Ref Bucket", "bucket"),
        ("!Ref Other", "Other"),
        ("!Ref Fn", "Fn"),
        ("!Ref ServerlessRestApi", "ServerlessRestApi"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::AccountId", "123456789012"),
        ("!GetAtt Queue.Arn", "arn:aws:sqs:us-east-1:123456789012:Queue"),
        ("!GetAtt Table.Arn", "arn:aws:dynamodb:us-east-1:123456789012:table/dev-orders"),
        ("!GetAtt Fn.Arn", "arn:aws:lambda:us-east-1:123456789012:function:Fn"),
        ("!Sub '${Table}-${Queue.QueueName}-${AWS::Region}'", "dev-orders-Queue-us-east-1"),
        ("!Join ['-', [!Ref Stage, x]]", "dev-x"),
        ("!If [Dev, one, two]", "one"),
        ("!If [NotDev, one, two]", "two"),
        ("!FindInMap [Levels, !Ref Stage, level]", "low"),
        ("!Select [1, !Split [',', 'a,b']]", "b"),
        ("!Select [1, !Ref Many]", "b"),
        ("!Base64 abc", "YWJj"),
        ("!ImportValue other-stack", ""),
        ("!GetAtt Other.Nothing", ""),
        ("!Ref Nowhere", ""),
        ("7", "7"),
        ("true", "true"),
    ],
)
def test_references_are_resolved_as_far_as_they_can_be(value: str, expected: str) -> None:
    """What only AWS knows is empty."""
    rest = (
        PARAMETERS + "Conditions: {Dev: !Equals [!Ref Stage, dev], NotDev: !Not [!Condition Dev]}\n"
        "Mappings: {Levels: {dev: {level: low}}}\n"
    )
    assert variables(f"{{VALUE: {value}}}", rest, OTHERS) == {"VALUE": expected}


def test_given_parameters_win_over_defaults() -> None:
    """Also as lists, and the region."""
    found = variables("{STAGE: !Ref Stage, SECOND: !Select [1, !Ref Many]}", PARAMETERS, Stage="prod", Many="x,y")
    assert found == {"STAGE": "prod", "SECOND": "y"}
    assert load(FUNCTION, parameters={"AWS::Region": "eu-west-1"}).region == "eu-west-1"


def test_what_is_left_out_is_a_warning() -> None:
    """Of the function it concerns."""
    own = f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}, Environment: {{Variables: {{AA: !ImportValue x}}}}}}}}\n"
    found = load(own + FUNCTION.replace("Fn:", "Quiet:"))
    assert ["ImportValue" in each.what for each in of_function(found, "Fn")] == [True]
    assert of_function(found, "Quiet") == []


# APIs -------------------------------------------------------------------------------------------------------------


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
