"""How each kind of version is run, and the variables its processes see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime.catalog.records import FunctionVersion
from runtime.environment.runtimes import observe
from runtime.environment.runtimes.facts import Entry, Files, Machine
from runtime.environment.runtimes.plan import NODE_DIRECTORY, Kind, RuntimePlan, kind_of, plan, surroundings
from runtime.environment.variables import PROVISIONED, Place, for_extension, variables
from runtime.isolation.spec import Paths
from runtime.policy.sessions import Credentials
from tests.unit.runtime.records import version

MACHINE = Machine(python="3.11.7", node=Path("/usr/bin/node"), node_version="20.20.2")
NO_FILES = Files()
INSIDE = Paths("/var/task", "/opt", "/var/runtime", "/tmp", ("/usr/bin/python3", "-m", "awslambdaric"))
PLACE = Place(
    region="eu-west-1",
    endpoint_url="http://127.0.0.1:1",
    runtime_api="127.0.0.1:9001",
    task_root="/var/task",
    runtime_directory="/var/runtime",
    temporary="/tmp",
    log_group="/aws/lambda/orders",
    log_stream="stream",
    credentials=Credentials("AKID", "secret", "token"),
)


def planned(runtime: str, files: Files = NO_FILES, paths: Paths = INSIDE, **settings: Any) -> RuntimePlan:
    isolated = paths is INSIDE
    return plan(version(Runtime=runtime, **settings), files, MACHINE, paths, isolated=isolated)


def test_python_is_forked() -> None:
    found = planned("python3.11")
    assert found.arguments == ()
    assert found.directory == "/var/task"
    assert found.shown == "python:3.11.7"
    assert found.warnings == ()


def test_another_minor_version_is_run_and_warned_of() -> None:
    found = planned("python3.13")
    assert found.warnings == ("python3.13 was asked for; this machine runs it on python3.11.7",)


def test_a_wrapper_is_given_the_command_it_wraps() -> None:
    wrapped = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}}
    assert planned("python3.11", Environment=wrapped).arguments == ("/opt/wrap", *INSIDE.interpreter)
    assert planned("nodejs20.x", Environment=wrapped).arguments[0] == "/opt/wrap"
    forked_only = replace(INSIDE, interpreter=())
    assert (
        "AWS_LAMBDA_EXEC_WRAPPER has no effect"
        in planned("python3.11", paths=forked_only, Environment=wrapped).warnings[0]
    )


def test_node_runs_our_client_with_most_of_the_memory_as_heap() -> None:
    found = planned("nodejs22.x", MemorySize=1000)
    assert found.arguments == ("/var/lang/bin/node", "--max-old-space-size=900", "/var/runtime/index.cjs")
    assert found.variables is not None
    assert found.variables["NODE_PATH"].split(":") == [
        "/opt/nodejs/node22/node_modules", "/opt/nodejs/node_modules", "/var/runtime/node_modules", "/var/runtime",
        "/var/task",
    ]  # fmt: skip
    assert found.warnings == ("nodejs22.x was asked for; this machine runs it on Node.js 20.20.2",)
    assert planned("nodejs20.x").warnings == ()


def test_node_without_a_root_of_its_own_is_the_machine_s() -> None:
    outside = replace(INSIDE, layers="/somewhere")
    found = planned("nodejs20.x", paths=outside)
    assert found.arguments[0] == "/usr/bin/node"
    assert found.variables is not None
    assert found.variables["PATH"].endswith(":/somewhere/bin")


def test_without_node_the_entry_point_is_invalid() -> None:
    found = plan(version(Runtime="nodejs20.x"), Files(), Machine("3.11.7"), INSIDE, isolated=True)
    assert "needs the program node" in found.obstacle


def test_the_sandbox_shows_what_a_kind_needs() -> None:
    assert surroundings(Kind.NODE, MACHINE).runtime_directory == NODE_DIRECTORY
    assert surroundings(Kind.NODE, MACHINE).programs == ((Path("/usr/bin/node"), "/var/lang/bin/node"),)
    assert surroundings(Kind.PYTHON, MACHINE).programs == ()
    assert (NODE_DIRECTORY / "index.cjs").is_file()


@pytest.mark.parametrize(
    ("bootstraps", "arguments", "obstacle"),
    [
        ((Entry("bootstrap", "task"), Entry("bootstrap", "layers")), ("/var/task/bootstrap",), ""),
        ((Entry("bootstrap", "layers"),), ("/opt/bootstrap",), ""),
        (
            (Entry("bootstrap", "task", "permission denied"),),
            ("/var/task/bootstrap",),
            "fork/exec /var/task/bootstrap: permission denied",
        ),
        ((), (), "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
    ],
)
def test_the_first_bootstrap_is_executed(bootstraps: Any, arguments: tuple[str, ...], obstacle: str) -> None:
    found = planned("provided.al2023", Files(bootstraps))
    assert (found.arguments, found.obstacle) == (arguments, obstacle)
    assert found.shown == "provided:al2023"


def image() -> FunctionVersion:
    made = version()
    settings = {name: value for name, value in made.settings.items() if name not in {"Runtime", "Handler"}}
    return replace(made, settings=settings, image_uri="orders:1")


def test_an_image_is_an_image_whatever_else() -> None:
    assert kind_of(image()) is Kind.IMAGE


# files ------------------------------------------------------------------------------------------------------------


def write(root: Path, name: str, text: str, mode: int = 0o755) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_what_can_be_executed_is_found_in_code_and_layers(tmp_path: Path) -> None:
    code, first, second = (tmp_path / name for name in ("code", "first", "second"))
    write(code, "bootstrap", "#!/bin/sh\n")
    write(first, "bootstrap", "#!/bin/sh\n", 0o644)
    write(first, "extensions/b", "#!/bin/sh\n", 0o644)
    write(second, "extensions/b", "#!/bin/sh\n")
    write(second, "extensions/a", "text")
    write(second, "extensions/folder/c", "#!/bin/sh\n")
    assert observe.files(code, (first, second)) == Files(
        (Entry("bootstrap", "task"), Entry("bootstrap", "layers", "permission denied")),
        (Entry("extensions/a", "layers", "exec format error"), Entry("extensions/b", "layers")),
    )
    assert observe.files(None, ()) == Files()


# variables --------------------------------------------------------------------------------------------------------


def test_every_reserved_variable_is_set_over_the_function_s_own() -> None:
    own = {"COLOUR": "blue", "PATH": "/mine", "AWS_REGION": "elsewhere"}
    made = version("3", Environment={"Variables": own}, MemorySize=256)
    found = variables(made, replace(PLACE, initialization=PROVISIONED), {"PATH": "/usr/bin", "LD_LIBRARY_PATH": "/lib"})
    assert found == {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/mine",
        "LD_LIBRARY_PATH": "/lib",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "COLOUR": "blue",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "3",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_LAMBDA_LOG_FORMAT": "Text",
        "AWS_ACCESS_KEY": "AKID",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": "app.handler",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
    }


def test_os_only_runtimes_and_images_have_no_execution_environment_and_images_no_handler() -> None:
    assert "AWS_EXECUTION_ENV" not in variables(version(Runtime="provided.al2023"), PLACE, {})
    of_image = variables(image(), PLACE, {})
    assert not {"AWS_EXECUTION_ENV", "_HANDLER"} & of_image.keys()


def test_json_logging_comes_with_its_level() -> None:
    made = version(LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"})
    found = variables(made, PLACE, {})
    assert (found["AWS_LAMBDA_LOG_FORMAT"], found["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "WARN")


def test_where_tmp_is_not_private_a_variable_says_where_it_is() -> None:
    assert variables(version(), replace(PLACE, temporary="/x"), {})["TMPDIR"] == "/x"
    assert "TMPDIR" not in variables(version(), PLACE, {})


def test_extensions_do_not_see_what_belongs_to_the_runtime() -> None:
    found = for_extension(variables(version(), PLACE, {}))
    assert not {"_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_EXECUTION_ENV"} & found.keys()
    assert found["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001"
