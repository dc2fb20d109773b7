"""A template's functions: Globals merged, references resolved, every mistake at its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.source import Diagnostic
from sam.globals_ import merged
from sam.model import DeploymentPreference
from sam.template import SamFunction, Template, load

HEAD = "Transform: AWS::Serverless-2016-10-31\n"
PROPERTIES = "{Handler: app.handler, Runtime: python3.11, CodeUri: src/}"


def one(properties: str, rest: str = "", parameters: dict[str, str] | None = None) -> SamFunction:
    """The function `Orders` with those properties (YAML, indented by six), and other sections before it."""
    (function,) = template(properties, rest, parameters).functions
    return function


def template(properties: str, rest: str = "", parameters: dict[str, str] | None = None) -> Template:
    required = "      Handler: app.handler\n      Runtime: python3.11\n      CodeUri: src/\n"
    given_ = properties + "CodeUri:" * ("InlineCode" in properties)
    missing = "".join(line + "\n" for line in required.splitlines() if f"{line.split(':')[0].strip()}:" not in given_)
    body = "".join(f"      {line}\n" for line in properties.strip().splitlines())
    text = f"{HEAD}{rest}Resources:\n  Orders:\n    Type: AWS::Serverless::Function\n    Properties:\n{missing}{body}"
    return load(text, "template.yaml", parameters)


def mistakes(properties: str, rest: str = "") -> list[Diagnostic]:
    with pytest.raises(InvalidInput) as caught:
        template(properties, rest)
    return list(caught.value.diagnostics)


def test_a_function_has_lambdas_defaults() -> None:
    function = one("Description: x")

    assert (function.logical_id, function.function_name) == ("Orders", "Orders")
    assert (function.memory_mb, function.timeout_s, function.architectures) == (128, 3, ("x86_64",))
    assert (function.environment, function.role, function.deployment_preference) == ({}, "", None)
    assert (function.location.line, function.location.column) == (3, 3)


def test_everything_a_release_uses_is_read() -> None:
    function = one(
        """
FunctionName: orders
Description: Prices
MemorySize: 512
Timeout: 30
Architectures: [arm64]
Role: arn:aws:iam::123456789012:role/orders
AutoPublishAlias: live
Environment: {Variables: {LEVEL: one, COUNT: 3, ON: true}}
"""
    )

    assert function.function_name == "orders"
    assert (function.memory_mb, function.timeout_s, function.architectures) == (512, 30, ("arm64",))
    assert function.role == "arn:aws:iam::123456789012:role/orders"
    assert function.environment == {"LEVEL": "one", "COUNT": "3", "ON": "true"}
    assert function.auto_publish_alias == "live"


def test_globals_give_what_the_function_does_not_say() -> None:
    shared = (
        "Globals:\n  Function:\n    Timeout: 9\n    MemorySize: 256\n    Environment: {Variables: {AA: 1, BB: 1}}\n"
    )
    function = one("MemorySize: 512\nEnvironment: {Variables: {BB: 2}}", shared)

    assert (function.timeout_s, function.memory_mb) == (9, 512)
    assert [function.environment.get(key) for key in ("AA", "BB")] == ["1", "2"]


def test_globals_may_even_give_handler_runtime_and_code() -> None:
    text = HEAD + (
        "Globals: {Function: {Handler: app.handler, Runtime: python3.11, CodeUri: src/}}\n"
        "Resources: {Orders: {Type: 'AWS::Serverless::Function'}}\n"
    )

    assert load(text, "t.yaml").functions[0].handler == "app.handler"


def test_lists_are_joined_with_the_globals_first_and_maps_merged_by_key() -> None:
    assert merged({"L": [1], "M": {"a": 1, "b": 1}, "S": 1}, {"L": [2], "M": {"b": 2}, "S": 2}) == {
        "L": [1, 2],
        "M": {"a": 1, "b": 2},
        "S": 2,
    }
    assert merged({"M": {"a": 1}}, {"M": {"Ref": "X"}}) == {"M": {"Ref": "X"}}


PARAMETERS = (
    "Parameters:\n  Level: {Type: String, Default: one}\n"
    "  Memory: {Type: Number, Default: 256}\n  Bare: {Type: String}\n"
)


def test_references_to_parameters_are_their_defaults_or_what_is_given() -> None:
    properties = "MemorySize: !Ref Memory\nDescription: !Sub 'at ${Level}, ${!kept}'"

    assert one(properties, PARAMETERS).memory_mb == 256
    assert one(properties, PARAMETERS).description == "at one, ${kept}"
    assert one(properties, PARAMETERS, {"Level": "two", "Memory": "1024"}).description == "at two, ${kept}"
    assert one("Description: !Ref Bare", PARAMETERS, {"Bare": "given"}).description == "given"


def test_join_select_sub_with_a_map_and_find_in_map() -> None:
    mappings = PARAMETERS + "Mappings: {Sizes: {one: {memory: 640}}}\n"

    assert one("MemorySize: !FindInMap [Sizes, !Ref Level, memory]", mappings).memory_mb == 640
    assert one("Description: !Join ['-', [a, !Ref Level]]", mappings).description == "a-one"
    assert one("Description: !Select [1, [a, b]]", mappings).description == "b"
    assert one("Description: !Sub ['${x}/${Level}', {x: !Ref Level}]", mappings).description == "one/one"


def test_ref_of_a_function_is_its_name_and_no_value_is_nothing() -> None:
    text = HEAD + (
        f"Resources:\n  A: {{Type: 'AWS::Serverless::Function', Properties: {PROPERTIES}}}\n"
        "  B:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: app.handler\n"
        "      Runtime: python3.11\n      CodeUri: src/\n      FunctionName: bee\n      Timeout: !Ref AWS::NoValue\n"
        "      Environment: {Variables: {FIRST: !Ref A, SELF: !Ref B, GONE: !Ref AWS::NoValue}}\n"
    )

    second = load(text, "t.yaml").functions[1]
    assert second.environment == {"FIRST": "A", "SELF": "bee"}
    assert second.timeout_s == 3


def test_pseudo_parameters_are_known_only_when_given() -> None:
    assert one("Description: !Ref AWS::Region", "", {"AWS::Region": "eu-west-1"}).description == "eu-west-1"
    (mistake,) = mistakes("Description: !Ref AWS::Region")
    assert "not known here" in mistake.what


@pytest.mark.parametrize(
    ("properties", "where", "said"),
    [
        ("MemorySze: 5", "MemorySze", "did you mean 'MemorySize'?"),
        ("MemorySize: 64", "MemorySize", "from 128 to 10240"),
        ("MemorySize: lots", "MemorySize", "a whole number"),
        ("Timeout: 901", "Timeout", "from 1 to 900"),
        ("Timeout: true", "Timeout", "a whole number"),
        ("Handler: 5", "Handler", "must be a text"),
        ("FunctionName: 'no spaces'", "FunctionName", "not possible"),
        ("AutoPublishAlias: '7'", "AutoPublishAlias", "not possible"),
        ("Role: admin", "Role", "not possible"),
        ("Role: !GetAtt Other.Arn", "Role", "Fn::GetAtt is not supported"),
        ("CodeUri: s3://bucket/key", "CodeUri", "must be a local directory"),
        ("CodeUri: {Bucket: b, Key: k}", "CodeUri", "must be a local directory"),
        ("InlineCode: pass", "InlineCode", "not supported by this version"),
        ("PackageType: Image", "PackageType", "container images"),
        ("Architectures: [sparc]", "Architectures", "one of x86_64, arm64"),
        ("Environment: {Variables: [A]}", "Environment", "{Variables: {name: value}}"),
        ("Environment: {Variables: {AWS_REGION: x}}", "Environment.Variables.AWS_REGION", "reserved by Lambda"),
        ("Environment: {Variables: {1A: x}}", "Environment.Variables.1A", "no name for a variable"),
        ("Environment: {Variables: {AB: [1]}}", "Environment.Variables.AB", "a text or a number"),
        (f"Environment: {{Variables: {{AB: {'x' * 4096}}}}}", "Environment", "Lambda allows 4096"),
        ("Description: !Ref Nobody", "Description", "no parameter or resource 'Nobody'"),
        ("Description: !If [a, b, c]", "Description", "Fn::If is not supported"),
        ("Description: !Sub '${Orders.Arn}'", "Description", "attribute Orders.Arn is not known"),
        ("Description: !FindInMap [a, b, c]", "Description", "Mappings has no a.b.c"),
        ("Description: !Select [9, [a]]", "Description", "an index"),
        ("FunctionName: !Ref Orders", "FunctionName", "in a circle"),
        ("DeploymentPreference: {Type: AllAtOnce}", "DeploymentPreference", "requires AutoPublishAlias"),
        ("DeploymentPreference: AllAtOnce", "DeploymentPreference", "must be a mapping"),
    ],
)
def test_a_mistake_is_told_at_its_line(properties: str, where: str, said: str) -> None:
    found = mistakes(properties)

    told = [item for item in found if item.where == f"Resources.Orders.Properties.{where}"]
    assert told, found
    assert any(said in f"{item.what} {item.hint}" for item in told), told
    assert all(item.location.line > 5 for item in told)


def test_a_mistake_in_globals_is_told_where_it_stands() -> None:
    (mistake,) = mistakes("Description: x", "Globals:\n  Function:\n    Timeout: 901\n")

    assert (mistake.where, mistake.location.line) == ("Globals.Function.Timeout", 4)


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        ("Globals: {Function: {Role: x}}\n", "may not stand in Globals"),
        ("Globals: {Function: {Tiemout: 3}}\n", "did you mean 'Timeout'?"),
        ("Globals: {Functions: {}}\n", "did you mean 'Function'?"),
        ("Globals: 5\n", "must be a mapping"),
    ],
)
def test_mistakes_in_globals_are_told(shared: str, said: str) -> None:
    assert any(said in f"{item.what} {item.hint}" for item in mistakes("Description: x", shared))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    lines = [item.location.line for item in mistakes("Timeout: 0\nMemorySize: 0\nDescription: !Ref Nobody")]

    assert len(lines) == 3
    assert lines == sorted(lines)


def test_a_deployment_preference_is_read() -> None:
    preference = one(
        """
AutoPublishAlias: live
DeploymentPreference:
  Type: Canary10Percent5Minutes
  Alarms: [errors]
  Hooks: {PreTraffic: !Ref Orders, PostTraffic: check}
"""
    ).deployment_preference

    assert preference == DeploymentPreference("Canary10Percent5Minutes", True, ("errors",), "Orders", "check")


def test_a_deployment_preference_that_is_off_is_none() -> None:
    assert one("DeploymentPreference: {Enabled: false, Type: AllAtOnce}").deployment_preference is None


def test_what_a_release_does_not_apply_is_a_warning() -> None:
    made = template("Layers: [a]\nTracing: Active")

    assert made.functions[0].unmanaged == ("Layers", "Tracing")
    assert [str(item).split(": ", 1)[1] for item in made.warnings] == [
        "warning: Resources.Orders.Properties.Layers: Layers of Orders is not applied by a release",
        "warning: Resources.Orders.Properties.Tracing: Tracing of Orders is not applied by a release",
    ]


def test_a_plain_lambda_function_with_local_code_is_read_without_globals() -> None:
    text = (
        "Globals: {Function: {Timeout: 9}}\n"
        "Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {Handler: a.b, Runtime: python3.11, Code: src}}}\n"
    )

    function = load(text, "t.yaml").functions[0]
    assert (function.code_uri, function.timeout_s) == ("src", 3)


def test_other_resources_are_left_alone() -> None:
    text = "Resources: {T: {Type: 'AWS::DynamoDB::Table', Properties: {Nonsense: !GetAtt A.B}}}\n"

    assert load(text, "t.yaml").functions == ()


def test_the_transform_is_required_for_serverless_functions() -> None:
    text = f"Resources: {{F: {{Type: 'AWS::Serverless::Function', Properties: {PROPERTIES}}}}}\n"

    with pytest.raises(InvalidInput, match="the template needs `Transform"):
        load(text, "t.yaml")


def test_two_functions_may_not_have_one_name() -> None:
    one_of = "{Type: 'AWS::Serverless::Function', Properties: {FunctionName: x, " + PROPERTIES[1:] + "}"

    with pytest.raises(InvalidInput, match="named 'x', too"):
        load(f"{HEAD}Resources: {{A: {one_of}, B: {one_of}}}\n", "t.yaml")


@pytest.mark.parametrize("text", ["", "5", "[]", "Resources: []", "{}"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="a mapping with Resources"):
        load(text, "t.yaml")


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Ref", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::FindInMap", "Variables", "Type", "A"]),
            inner,
        )
    ),
    max_leaves=8,
)
names = st.sampled_from(["Handler", "Runtime", "CodeUri", "Environment", "Timeout", "DeploymentPreference", "Role"])


@given(st.dictionaries(names, values), st.dictionaries(st.sampled_from(["Parameters", "Mappings", "Globals"]), values))
def test_whatever_stands_there_is_read_or_told_with_places(
    properties: dict[str, object], rest: dict[str, object]
) -> None:
    resources = {"F": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    text = json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources, **rest})

    assert all(item.location.line >= 1 for item in what_is_wrong_with(text))


def what_is_wrong_with(text: str) -> tuple[Diagnostic, ...]:
    """Its mistakes, `()` when it has none."""
    try:
        load(text, "template.json")
    except InvalidInput as error:
        return error.diagnostics or pytest.fail("a mistake without a place")
    return ()
