"""A function's directory becomes the same zip for the same files, and what Lambda would refuse is refused before."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from core.errors import InvalidInput
from deploy.package import bundle as module
from deploy.package.bundle import Package, bundle


def a_function(root: Path) -> Path:
    directory = root / "src"
    (directory / "orders").mkdir(parents=True)
    (directory / "orders" / "__init__.py").touch()
    (directory / "orders" / "app.py").write_text("def handler(event, context):\n    return 1\n")
    return directory


def packed(
    directory: Path, destination: Path, handler: str = "orders.app.handler", runtime: str = "python3.11"
) -> Package:
    return bundle(directory, destination, handler=handler, runtime=runtime)


def test_the_same_files_give_the_same_bytes_whenever_and_wherever(tmp_path: Path) -> None:
    first, second = a_function(tmp_path / "a"), a_function(tmp_path / "b")
    os.utime(second / "orders" / "app.py", (1, 1))

    one, two = packed(first, tmp_path / "1.zip"), packed(second, tmp_path / "2.zip")

    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.code_sha256 == two.code_sha256
    assert one.code_sha256 == base64.b64encode(hashlib.sha256(one.path.read_bytes()).digest()).decode()


def test_what_no_function_needs_is_left_out_and_changes_nothing(tmp_path: Path) -> None:
    directory = a_function(tmp_path)
    clean = packed(directory, tmp_path / "1.zip")
    for name in (".git/HEAD", "orders/__pycache__/app.cpython-311.pyc", "orders/old.pyc", ".DS_Store"):
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text("x")

    dirty = packed(directory, tmp_path / "2.zip")

    assert dirty.code_sha256 == clean.code_sha256
    assert zipfile.ZipFile(dirty.path).namelist() == ["orders/__init__.py", "orders/app.py"]


def test_one_changed_byte_is_another_package(tmp_path: Path) -> None:
    directory = a_function(tmp_path)
    before = packed(directory, tmp_path / "1.zip")

    (directory / "orders" / "app.py").write_text("def handler(event, context):\n    return 2\n")

    assert packed(directory, tmp_path / "2.zip").code_sha256 != before.code_sha256


@pytest.mark.parametrize("handler", ["orders.app.handler", "orders/app.handler", "orders.handler"])
def test_a_python_handler_is_found_in_module_or_package(tmp_path: Path, handler: str) -> None:
    assert packed(a_function(tmp_path), tmp_path / "1.zip", handler).size_bytes > 0


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("orders.ap.handler", "needs orders/ap.py"),
        ("handler", "form module.function"),
        (".handler", "form module.function"),
    ],
)
def test_a_python_handler_without_its_file_is_refused(tmp_path: Path, handler: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        packed(a_function(tmp_path), tmp_path / "1.zip", handler)


def test_handlers_of_other_runtimes_are_not_guessed_at(tmp_path: Path) -> None:
    assert packed(a_function(tmp_path), tmp_path / "1.zip", "bootstrap", "provided.al2023").size_bytes > 0


def test_an_empty_or_missing_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(InvalidInput, match="no file to package"):
        packed(tmp_path / "empty", tmp_path / "1.zip")
    with pytest.raises(InvalidInput, match="no such directory"):
        packed(tmp_path / "absent", tmp_path / "1.zip")


def test_more_than_lambda_unpacks_is_refused(tmp_path: Path) -> None:
    directory = a_function(tmp_path)
    with (directory / "big.bin").open("wb") as big:
        big.truncate(module.MOST_UNZIPPED_BYTES + 1)

    with pytest.raises(InvalidInput, match="250 MB unzipped, more than the 250 MB"):
        packed(directory, tmp_path / "1.zip")


def test_more_than_lambda_takes_in_one_upload_is_refused(tmp_path: Path) -> None:
    directory = a_function(tmp_path)
    (directory / "noise.bin").write_bytes(os.urandom(module.MOST_ZIPPED_BYTES + 1))

    with pytest.raises(InvalidInput, match="50 MB zipped"):
        packed(directory, tmp_path / "1.zip")
