"""Where code comes from: buckets, and container images."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused
from tests.contract.lambda_api.test_layers import layer_zip
from tests.fakes.runtime_process import ROLE, package

_names = count(1)


def bucket(target: Target, key: str, content: bytes, *, versioned: bool = False) -> tuple[str, str]:
    """The name of a new bucket with this object, and the object's version ("null" when it has none)."""
    s3, name = target.service("s3"), f"code-{next(_names)}"
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name, s3.put_object(Bucket=name, Key=key, Body=content).get("VersionId", "null")


def create(target: Target, code: dict[str, Any], **more: Any) -> str:
    """The name of a new function with this code."""
    name = f"from-elsewhere-{next(_names)}"
    target.api.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code=code, **more
    )
    target.api.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    return name


def test_code_is_taken_from_a_bucket(target: Target) -> None:
    name = create(target, {"S3Bucket": bucket(target, "v1.zip", package())[0], "S3Key": "v1.zip"})
    shown = target.api.get_function_configuration(FunctionName=name)
    assert shown["CodeSize"] == len(package())


def test_new_code_and_layers_are_taken_from_a_bucket_by_version(runtime: Target) -> None:
    place, old = bucket(runtime, "code.zip", package("def handler(e, c):\n    return 1\n"), versioned=True)
    runtime.service("s3").put_object(Bucket=place, Key="code.zip", Body=package("def handler(e, c):\n    return 2\n"))
    name = runtime.new_function()
    for more, answer in (({}, b"2"), ({"S3ObjectVersion": old}, b"1")):
        runtime.api.update_function_code(FunctionName=name, S3Bucket=place, S3Key="code.zip", **more)
        runtime.settled(name)
        assert runtime.api.invoke(FunctionName=name)["Payload"].read() == answer
    place, _ = bucket(runtime, "layer.zip", layer_zip(python__shared="X = 1\n"))
    layer = runtime.api.publish_layer_version(LayerName="bucket", Content={"S3Bucket": place, "S3Key": "layer.zip"})
    assert layer["Content"]["CodeSize"] == len(layer_zip(python__shared="X = 1\n"))


def test_an_absent_object_is_refused_in_s3_s_words(runtime: Target) -> None:
    place, _ = bucket(runtime, "there.zip", package())
    for code in ({"S3Bucket": place, "S3Key": "absent.zip"}, {"S3Bucket": "no-such-bucket", "S3Key": "x"}):
        with pytest.raises(ClientError) as error:
            create(runtime, code)
        assert refused(error) == ("InvalidParameterValueException", 400)
        assert "Error occurred while GetObject. S3 Error Code: NoSuch" in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({}, "Please provide a source for function code."),
        ({"ZipFile": package(), "S3Bucket": "bucket", "S3Key": "k"}, "Please do not provide other FunctionCode"),
        ({"ZipFile": b"no zip"}, "Could not unzip uploaded file"),
        ({"ImageUri": "repository:tag"}, "Please do not provide ImageUri"),
        ({"S3Bucket": "bucket"}, "S3Bucket and S3Key are both needed"),
    ],
)
def test_a_function_has_one_source(runtime: Target, code: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError) as error:
        create(runtime, code)
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert words in error.value.response["Error"]["Message"]


def test_code_and_layers_have_250_mb_unzipped_together(runtime: Target) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as entry:
        for _ in range(200):
            entry.write(bytes(1 << 20))
    large = buffer.getvalue()
    arns = [
        runtime.api.publish_layer_version(LayerName=name, Content={"ZipFile": large})["LayerVersionArn"]
        for name in ("large-one", "large-two")
    ]
    with pytest.raises(ClientError) as error:
        create(runtime, {"ZipFile": package()}, Layers=arns)
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "Function code combined with layers exceeds the maximum" in error.value.response["Error"]["Message"]
    name = runtime.new_function()
    with pytest.raises(ClientError) as error:
        runtime.api.update_function_configuration(FunctionName=name, Layers=arns)
    assert refused(error) == ("InvalidParameterValueException", 400)


# images -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def image() -> Iterator[tuple[str, str]]:
    """The name and the digest of an image with next to nothing in it."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no container engine answers")
    name = f"penstock-test/contract:{next(_names)}"
    subprocess.run(
        ["docker", "import", "-", name], input=_tar(), check=True, capture_output=True, timeout=60
    )  # an image out of a file system
    inspected = subprocess.run(
        ["docker", "image", "inspect", "--format", "{{.Id}}", name], check=True, capture_output=True, text=True
    )
    yield name, inspected.stdout.strip().removeprefix("sha256:")
    subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)


def _tar() -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(f"nothing-{next(_names)}"))
    return buffer.getvalue()


@pytest.mark.docker
def test_a_function_from_an_image_is_shown_with_the_image_it_runs(runtime: Target, image: tuple[str, str]) -> None:
    name, (uri, digest) = f"image-{next(_names)}", image
    config = {"Command": ["app.handler"], "WorkingDirectory": "/srv"}
    runtime.api.create_function(
        FunctionName=name, PackageType="Image", Role=ROLE, Code={"ImageUri": uri}, ImageConfig=config, Publish=True
    )
    runtime.api.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    shown = runtime.api.get_function(FunctionName=name)
    assert shown["Code"] == {
        "RepositoryType": "ECR",
        "ImageUri": uri,
        "ResolvedImageUri": f"penstock-test/contract@sha256:{digest}",
    }
    configuration = shown["Configuration"]
    assert (configuration["PackageType"], configuration["CodeSha256"]) == ("Image", digest)
    assert configuration["ImageConfigResponse"] == {"ImageConfig": config}
    assert not {"Runtime", "Handler"} & configuration.keys()
    assert runtime.api.publish_version(FunctionName=name)["Version"] == "1", "nothing has changed since"
    with pytest.raises(ClientError) as error:
        runtime.api.update_function_code(FunctionName=name, ZipFile=package())
    assert refused(error) == ("InvalidParameterValueException", 400)


@pytest.mark.docker
@pytest.mark.usefixtures("image")
def test_an_absent_image_is_refused(runtime: Target) -> None:
    with pytest.raises(ClientError) as error:
        runtime.api.create_function(
            FunctionName="absent-image", PackageType="Image", Role=ROLE, Code={"ImageUri": "penstock-test/absent:1"}
        )
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "Source image penstock-test/absent:1 does not exist" in error.value.response["Error"]["Message"]
