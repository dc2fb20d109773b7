"""A function's settings: defaults, limits, what publishing compares, and what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runtime.api.errors import ApiError
from runtime.control import settings as rules
from runtime.names import Scope
from tests.unit.runtime.records import ROLE, version

RUNTIMES = frozenset({"python3.11", "python3.12", "python3.6", "nodejs22.x", "provided.al2023", "java21"})
ASKED = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE}
SCOPE = Scope("123456789012", "us-east-1")


def test_a_new_function_gets_aws_s_defaults() -> None:
    made = rules.created(ASKED, RUNTIMES)
    assert (made["Timeout"], made["MemorySize"], made["Architectures"]) == (3, 128, ["x86_64"])
    assert made["EphemeralStorage"] == {"Size": 512}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Runtime": "python9.9"}, "Value python9.9 at 'runtime' failed to satisfy constraint"),
        ({"Runtime": "java21"}, "Runtime java21 is not supported by this local runtime; it runs python3.x, nodejs"),
        ({"Runtime": "python3.6"}, "The runtime parameter of python3.6 is no longer supported"),
        ({"Runtime": None}, "Runtime and Handler are mandatory"),
        ({"MemorySize": 10_241}, "'10241' at 'memorySize'"),
        ({"Timeout": 901}, "'901' at 'timeout'"),
        ({"PackageType": "Image"}, "Runtime, Handler cannot be set for functions created with container images"),
        ({"ImageConfig": {"Command": ["x"]}}, "ImageConfig cannot be set for functions created with deployment"),
        ({"FileSystemConfigs": [{"Arn": "a"}]}, "FileSystemConfigs is not supported by this local runtime"),
        ({"CodeSigningConfigArn": "arn:x"}, "CodeSigningConfigArn is not supported by this local runtime"),
        (
            {"SnapStart": {"ApplyOn": "PublishedVersions"}},
            "python3.11 is not supported for SnapStart enabled functions",
        ),
        ({"Environment": {"Variables": {"_HANDLER": "x"}}}, "Reserved keys used in this request: _HANDLER"),
        ({"Environment": {"Variables": {"LONG": "x" * 5000}}}, "exceeded the 4KB limit"),
    ],
)
def test_what_aws_or_this_runtime_refuses_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError) as error:
        rules.created({**ASKED, **more}, RUNTIMES)
    assert words in error.value.message


@pytest.mark.parametrize("runtime", ["nodejs22.x", "provided.al2023"])
def test_other_runtimes_that_run_here_are_accepted(runtime: str) -> None:
    assert rules.created({**ASKED, "Runtime": runtime}, RUNTIMES)["Runtime"] == runtime


def test_a_function_from_an_image_has_neither_runtime_nor_handler() -> None:
    config = {"Command": ["app.handler"]}
    made = rules.created({"Role": ROLE, "PackageType": "Image", "ImageConfig": config}, RUNTIMES)
    assert (made["PackageType"], made["ImageConfig"]) == ("Image", config)
    assert not {"Runtime", "Handler", "SnapStart"} & made.keys()
    shown = rules.configuration(
        replace(version(), settings=made, image_uri="repo:1", code_sha256="ab" * 32), SCOPE, None
    )
    assert shown["ImageConfigResponse"] == {"ImageConfig": config}
    assert shown["RuntimeVersionConfig"] is None


def test_an_empty_list_of_layers_takes_them_away() -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:l:1"
    before = rules.created({**ASKED, "Layers": [arn]}, RUNTIMES)
    assert before["Layers"] == [arn]
    after = rules.updated(before, {"Layers": []}, RUNTIMES)
    assert "Layers" not in after
    assert rules.digest(before, "code") != rules.digest(after, "code")


def test_a_message_about_the_environment_shows_no_value() -> None:
    with pytest.raises(ApiError) as error:
        rules.created({**ASKED, "Environment": {"Variables": {"AWS_REGION": "hunter2" * 700}}}, RUNTIMES)
    assert "hunter2" not in error.value.message


def test_an_update_replaces_what_it_names_and_the_whole_environment() -> None:
    before = rules.created({**ASKED, "Environment": {"Variables": {"A1": "1"}}, "Timeout": 9}, RUNTIMES)
    after = rules.updated(before, {"Environment": {"Variables": {"B1": "2"}}, "MemorySize": 256}, RUNTIMES)
    assert after["Environment"] == {"Variables": {"B1": "2"}}
    assert (after["Timeout"], after["MemorySize"]) == (9, 256)
    assert before["MemorySize"] == 128


@pytest.mark.parametrize(
    "change",
    [{"Timeout": 4}, {"MemorySize": 129}, {"Description": "d"}, {"Environment": {"Variables": {"A1": "1"}}},
     {"Handler": "app.other"}, {"Role": ROLE + "2"}, {"TracingConfig": {"Mode": "Active"}}],
)  # fmt: skip
def test_every_setting_counts_as_a_change_for_publishing(change: dict[str, Any]) -> None:
    before = rules.created(ASKED, RUNTIMES)
    after = rules.updated(before, change, RUNTIMES)
    assert rules.digest(before, "code") != rules.digest(after, "code")


def test_the_same_settings_and_code_have_the_same_digest_and_other_code_another() -> None:
    made = rules.created(ASKED, RUNTIMES)
    assert rules.digest(made, "code") == rules.digest(dict(reversed(made.items())), "code")
    assert rules.digest(made, "code") != rules.digest(made, "other")


def test_settings_without_effect_here_are_named() -> None:
    assert rules.without_effect(version().settings) == []
    assert rules.without_effect(version(KMSKeyArn="k", TracingConfig={"Mode": "Active"}).settings) == [
        "KMSKeyArn",
        "TracingConfig",
    ]


def test_lists_show_no_states_and_a_configuration_does() -> None:
    shown = rules.configuration(version("1"), SCOPE, "1")
    assert shown["FunctionArn"].endswith(":function:orders:1")
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")
    assert shown["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert shown["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"}
    assert not [name for name in rules.listed(version("1"), SCOPE, qualified=True) if name.startswith("State")]
