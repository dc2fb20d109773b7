"""Imports of a forked handler: fast where the template has the module, and never of another than a fresh one finds."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.fakes.runtime_process import RuntimeProcess, package, until
from tests.integration.runtime.isolation.calls import FRESH, call


def create(server: RuntimeProcess, name: str, source: str, files: dict[str, str] | None = None, **more: Any) -> None:
    """A function of several files, Active."""
    server.create(name, source, MemorySize=1769, Timeout=30, **more)
    if files:
        server.client().update_function_code(FunctionName=name, ZipFile=package(source, **files))
        until(lambda: _updated(server, name))


def _updated(server: RuntimeProcess, name: str) -> bool:
    shown = server.client().get_function_configuration(FunctionName=name)
    return bool(shown["LastUpdateStatus"] == "Successful")


TIMED = """
import sys, time
before, began = set(sys.modules), time.perf_counter()
import boto3
passed_s = time.perf_counter() - began
imported = sorted(set(sys.modules) - before)
def handler(event, context):
    boto3.client("s3", region_name="us-east-1")
    return [imported, passed_s, boto3.__file__, boto3.__spec__.name, type(boto3.__loader__).__name__,
            type(boto3.__spec__.loader).__name__, str(boto3.session.Session)]
"""


def test_boto3_is_there_in_a_tenth_of_the_time_and_so_is_everything_it_needs(server: RuntimeProcess) -> None:
    create(server, "fast", TIMED)
    create(server, "slow", TIMED, Environment={"Variables": FRESH})
    forked, fresh = call(server, "fast"), call(server, "slow")
    assert forked[1] < fresh[1] / 10
    assert forked[0] == fresh[0]
    assert forked[2:] == fresh[2:]


@pytest.mark.parametrize("part", ["xml.etree", "concurrent.futures", "importlib.util", "os.path", "email.message"])
def test_a_part_of_a_package_is_there_only_when_somebody_imported_it(server: RuntimeProcess, part: str) -> None:
    package_, _, name = part.partition(".")
    source = f"import {package_}\ndef handler(e, c):\n    return hasattr({package_}, '{name}')\n"
    name = part.replace(".", "-")
    create(server, f"{name}-forked", source)
    create(server, f"{name}-fresh", source, Environment={"Variables": FRESH})
    assert call(server, f"{name}-forked") == call(server, f"{name}-fresh")


def test_a_function_s_own_copy_wins(server: RuntimeProcess) -> None:
    source = "import boto3\ndef handler(event, context):\n    return [boto3.__version__, boto3.__file__]\n"
    create(server, "own-boto3", source, {"boto3/__init__.py": "__version__ = 'mine'\n"})
    assert call(server, "own-boto3") == ["mine", "/var/task/boto3/__init__.py"]


def test_what_was_built_on_another_copy_is_built_again(server: RuntimeProcess) -> None:
    source = """
import jmespath
import botocore.paginate
def handler(event, context):
    return [jmespath.VERSION, botocore.paginate.jmespath is jmespath, botocore.__file__]
"""
    create(server, "own-jmespath", source, {"jmespath/__init__.py": "VERSION = 'mine'\ndef compile(text): pass\n"})
    assert call(server, "own-jmespath") == ["mine", True, "/var/runtime/botocore/__init__.py"]


def test_a_layer_s_copy_wins(server: RuntimeProcess) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("python/simplejson/__init__.py", "WHERE = 'layer'\n")
        archive.writestr("python/lib/python3.11/site-packages/unused.py", "")
    made = server.client().publish_layer_version(LayerName="copies", Content={"ZipFile": buffer.getvalue()})
    source = "import simplejson\ndef handler(event, context):\n    return simplejson.__file__\n"
    create(server, "layered", source, Layers=[made["LayerVersionArn"]])
    # the Runtime API client imports simplejson before the function's code is on the path, here as on Lambda
    create(server, "layered-fresh", source, Layers=[made["LayerVersionArn"]], Environment={"Variables": FRESH})
    assert call(server, "layered") == call(server, "layered-fresh")


def test_a_copy_on_a_path_of_the_function_s_own_wins(server: RuntimeProcess) -> None:
    source = "import s3transfer\ndef handler(event, context):\n    return s3transfer.__file__\n"
    files = {"vendor/s3transfer.py": ""}
    variables = {"Variables": {"PYTHONPATH": "/var/task/vendor"}}
    create(server, "vendored", source, files, Environment=variables)
    assert call(server, "vendored") == "/var/task/vendor/s3transfer.py"
    late = "import sys; sys.path.insert(0, '/var/task/vendor')\n"
    create(server, "vendored-late", late + source, files)
    assert call(server, "vendored-late") == "/var/task/vendor/s3transfer.py"


def test_modules_put_in_place_by_hand_are_used(server: RuntimeProcess) -> None:
    source = """
import sys, types
sys.modules["jmespath"] = fake = types.ModuleType("jmespath")
fake.compile = lambda text: text
import botocore.paginate
def handler(event, context):
    return botocore.paginate.jmespath is fake
"""
    create(server, "by-hand", source)
    assert call(server, "by-hand") is True


def test_an_import_after_a_deletion_runs_the_module_again(server: RuntimeProcess) -> None:
    source = """
import sys
import dateutil.tz as first
for name in [name for name in sys.modules if name.partition(".")[0] == "dateutil"]:
    del sys.modules[name]
import dateutil.tz as second
import importlib, uuid
again = importlib.reload(uuid)
def handler(event, context):
    return [first is second, first.tzutc is second.tzutc, again is uuid]
"""
    create(server, "again", source)
    assert call(server, "again") == [False, False, True]


def test_an_import_hook_sees_every_module(server: RuntimeProcess) -> None:
    source = """
import sys
seen = []
class Hook:
    def find_spec(self, name, path=None, target=None):
        seen.append(name)
sys.meta_path.insert(0, Hook())
import boto3
def handler(event, context):
    return [name in seen for name in ("boto3", "boto3.session", "botocore.client", "jmespath.parser")]
"""
    create(server, "hooked", source)
    assert call(server, "hooked") == [True] * 4


def test_warning_filters_change_when_the_module_that_changes_them_is_imported(server: RuntimeProcess) -> None:
    source = """
import _warnings
before = len(_warnings.filters)
import urllib3
after = [tuple(map(str, each)) for each in _warnings.filters]
def handler(event, context):
    return [before, after]
"""
    create(server, "warned", source)
    create(server, "warned-fresh", source, Environment={"Variables": FRESH})
    forked = call(server, "warned")
    assert forked == call(server, "warned-fresh")
    assert len(forked[1]) > forked[0]


def test_threads_may_import_at_the_same_time(server: RuntimeProcess) -> None:
    source = """
import threading
def one(name):
    seen.append(__import__(name, fromlist=["x"]).__name__)
seen, names = [], ["boto3", "botocore.session", "s3transfer", "asyncio", "botocore.client", "boto3.session"] * 3
threads = [threading.Thread(target=one, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
def handler(event, context):
    return sorted(seen) == sorted(names)
"""
    create(server, "threaded", source)
    assert call(server, "threaded") is True


def test_what_a_module_reads_of_the_environment_is_the_function_s(server: RuntimeProcess) -> None:
    source = """
import awslambdaric.bootstrap, botocore.loaders, os
def handler(event, context):
    return [botocore.loaders.Loader.CUSTOMER_DATA_PATH, str(awslambdaric.bootstrap._AWS_LAMBDA_LOG_FORMAT)]
"""
    variables = {"HOME": "/tmp/mine"}
    logging = {"LogFormat": "JSON"}
    create(server, "at-home", source, Environment={"Variables": variables}, LoggingConfig=logging)
    create(server, "at-home-fresh", source, Environment={"Variables": {**variables, **FRESH}}, LoggingConfig=logging)
    assert call(server, "at-home") == call(server, "at-home-fresh")
    assert call(server, "at-home")[0] == "/tmp/mine/.aws/models"
