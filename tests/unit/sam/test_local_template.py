"""Templates read to be run on this machine."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from sam.local.model import Layer
from sam.local.template import of_function
from tests.fakes.templates import FIXED, FUNCTION, SERVERLESS, load


def variables(values: str, rest: str = "", more: str = "", **parameters: str) -> dict[str, str]:
    """The variables that a function with that YAML mapping gets."""
    own = f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}, Environment: {{Variables: {values}}}}}}}\n"
    return dict(load(own + more, rest, parameters=parameters).functions[0].environment)


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
