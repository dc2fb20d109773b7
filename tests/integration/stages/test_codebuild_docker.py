"""CodeBuild in a container: the same build, another place. Needs a Docker engine and busybox-static."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import docker
import pytest
from docker.errors import DockerException

from core.outcome import Abandoned, Failed, Outcome, Succeeded
from stages import registry
from stages.build.environment.docker import LABEL
from tests.fakes.actions import Action, dependencies

pytestmark = pytest.mark.docker

IMAGE = "penstock-test/busybox:latest"
_APPLETS = ("sh", "cat", "chown", "echo", "env", "false", "mkdir", "sleep", "sort", "true", "yes", "touch", "id", "ln")


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    """A Docker engine with IMAGE in it."""
    busybox = shutil.which("busybox")
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        _missing(f"no Docker engine answers: {error}")
    if busybox is None:
        _missing("busybox-static is not installed")
    client.api.import_image_from_data(_image(Path(busybox)), repository="penstock-test/busybox", tag="latest")
    yield client
    client.close()


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    print(f"skipped: {reason}")  # noqa: T201  (a skip should say why in the log)
    pytest.skip(reason)


def _image(busybox: Path) -> bytes:
    """The layer of an image with busybox and nothing else."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for directory in ("bin", "root", "tmp"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            archive.addfile(entry)
        archive.add(busybox.resolve(), "bin/busybox")
        for name in _APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return raw.getvalue()


@pytest.fixture
def action(tmp_path: Path) -> Action:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.txt").write_text("a")
    return Action(tmp_path, {"App": tmp_path / "source"})


def built(
    engine: docker.DockerClient, action: Action, buildspec: str, *, image: str = IMAGE, **changes: Any
) -> Outcome:
    base = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_") or name == "PATH"}
    provider = registry.create("CodeBuild", dependencies(action.root / "home", base_environment=base))
    configuration = {"image": image, "buildspec": textwrap.dedent(buildspec)}
    return provider.run(action.context(configuration=configuration, **changes))


def left(engine: docker.DockerClient, action: Action) -> list[Any]:
    """The action's containers, running or not."""
    return engine.containers.list(all=True, filters={"label": f"{LABEL}={action.context().tag}"})


def test_a_build_in_a_container_gives_what_it_gives_here(engine: docker.DockerClient, action: Action) -> None:
    """One session, exit statuses, exported variables, artifacts; only the build's folder is shared."""
    outcome = built(
        engine,
        action,
        """
        version: 0.2
        env:
          variables: {MODE: fast}
          exported-variables: [RELEASE]
        phases:
          install:
            runtime-versions: {python: 3.99}
          build:
            commands:
              - cd /tmp && touch kept
              - test -e kept && echo "> $PWD $MODE $HOME $CODEBUILD_BUILD_IMAGE"
              - echo "> to stderr" >&2
              - export RELEASE=v1; exit 0
              - test -e kept && echo "> the same container"
              - mkdir "$CODEBUILD_SRC_DIR/dist"; cat "$CODEBUILD_SRC_DIR/a.txt" >"$CODEBUILD_SRC_DIR/dist/b.txt"
        artifacts:
          base-directory: /codebuild/output/src/App/dist
          files: ["**/*"]
        """,
        output_artifacts=("Out",),
    )
    said = [line for line in action.log if line.startswith("> ")]
    assert said == [f"> /tmp fast /root {IMAGE}", "> to stderr", "> the same container"], action.text()
    assert isinstance(outcome, Succeeded)
    assert outcome.variables == {"RELEASE": "v1"}
    assert (outcome.artifacts["Out"] / "b.txt").read_text() == "a"
    assert "not applied: runtime-versions python: the image decides" in action.text()
    assert left(engine, action) == []
    assert all(path.lstat().st_uid == os.getuid() for path in (action.root / "workspace").rglob("*"))


def test_a_failing_command_runs_finally_and_post_build(engine: docker.DockerClient, action: Action) -> None:
    outcome = built(
        engine,
        action,
        """
        version: 0.2
        phases:
          build: {commands: ["exit 3", "echo never"], finally: ['echo "> finally"']}
          post_build: {commands: ['echo "> post $CODEBUILD_BUILD_SUCCEEDING"']}
        """,
    )
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith("Error while executing command: exit 3. Reason: exit status 3")
    assert [line for line in action.log if line.startswith("> ")] == ["> finally", "> post 0"]
    assert left(engine, action) == []


def test_a_link_made_in_a_container_brings_nothing_of_this_machine(
    engine: docker.DockerClient, action: Action, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("of the machine")
    text = f"""
        version: 0.2
        phases: {{build: {{commands: ['ln -s {tmp_path}/secret leak']}}}}
        artifacts: {{files: [leak]}}
    """
    outcome = built(engine, action, text, output_artifacts=("Out",))
    assert isinstance(outcome, Failed)
    assert "CLIENT_ERROR: leak is a link that leads out of the build" in outcome.message


def test_a_deadline_removes_a_busy_container(engine: docker.DockerClient, action: Action) -> None:
    """One that writes without end, and has a process that ignores TERM."""
    text = "version: 0.2\nphases: {build: {commands: [\"trap '' TERM; yes\"]}}\n"
    started = time.monotonic()
    outcome = built(engine, action, text, deadline=datetime.now(UTC) + timedelta(seconds=2))
    assert isinstance(outcome, Failed)
    assert outcome.code == "BuildTimedOut"
    assert left(engine, action) == []
    assert time.monotonic() - started < 30


def test_a_stop_removes_the_container(engine: docker.DockerClient, action: Action) -> None:
    outcomes: list[Outcome] = []
    text = "version: 0.2\nphases: {build: {commands: ['echo \"> begun\"; sleep 300']}}\n"
    running = threading.Thread(target=lambda: outcomes.append(built(engine, action, text)))
    running.start()
    until = time.monotonic() + 30
    while "> begun" not in action.log and running.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    action.stop = "stopped by Ada"
    running.join(30)
    assert outcomes == [Abandoned("stopped by Ada")], action.text()
    assert left(engine, action) == []


def test_a_container_that_a_crash_left_behind_is_replaced(engine: docker.DockerClient, action: Action) -> None:
    tag = action.context().tag
    engine.containers.run(IMAGE, ["/bin/sleep", "300"], detach=True, name=f"penstock-{tag}", labels={LABEL: tag})
    outcome = built(engine, action, "version: 0.2\nphases: {build: {commands: ['true']}}\n")
    assert isinstance(outcome, Succeeded)
    assert left(engine, action) == []


def test_an_image_that_cannot_be_had_fails_the_provisioning(engine: docker.DockerClient, action: Action) -> None:
    outcome = built(engine, action, "version: 0.2\nphases: {}\n", image="127.0.0.1:9/nowhere/image:1")
    assert isinstance(outcome, Failed)
    assert (
        "PROVISIONING: BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE: Unable to pull image 127.0.0.1:9/nowhere"
        in outcome.message
    )


def test_no_engine_at_all_is_told(action: Action) -> None:
    """Needs none."""
    base = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{action.root}/nobody.sock"}
    provider = registry.create("CodeBuild", dependencies(action.root / "home", base_environment=base))
    outcome = provider.run(action.context(configuration={"image": IMAGE}))
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("PROVISIONING: CLIENT_ERROR: no Docker engine answers")
