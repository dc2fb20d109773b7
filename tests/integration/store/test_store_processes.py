"""Several real processes on one database: nothing is lost, nothing is half done, whatever is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import LeaseLost, PenstockError
from core.holder import this_process
from store.artifacts import ArtifactStore
from store.database import Database
from tests.fakes.store_records import an_execution

ROOT = Path(__file__).parents[3]
EXECUTION = "0a1b2c3d-0000-4000-8000-000000000001"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'penstock.db'}"


@pytest.fixture
def start(url: str) -> Iterator[Start]:
    """Starts workers; those still running at the end are killed."""
    workers: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        what, *rest = arguments
        command = [sys.executable, "-m", "tests.integration.store.store_worker", what, url, *rest]
        worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.kill()
        worker.communicate()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database.open(url, clock=SystemClock())
    with database.transaction() as transaction:
        transaction.save_pipeline("orders", {}, "d", "f")
        transaction.add_execution(an_execution(EXECUTION, variables={"count": "0"}))
    yield database
    database.close()


def said(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def test_several_processes_create_the_database_at_once(start: Start) -> None:
    workers = [start("opened") for _ in range(5)]
    assert [worker.communicate(timeout=60)[0].strip() for worker in workers] == ["0"] * 5
    assert [worker.returncode for worker in workers] == [0] * 5


def test_several_processes_append_to_one_unbroken_chain(database: Database, start: Start) -> None:
    workers = [start("append", f"worker {n}", "60") for n in range(4)]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * 4
    with database.snapshot() as snapshot:
        report = snapshot.verify()
        assert (report.ok, report.count) == (True, 240)
        events = snapshot.events(limit=1000)
    for n in range(4):
        mine = [event.facts["n"] for event in events if event.subject == f"worker {n}"]
        assert mine == list(range(60))


def test_no_update_of_several_processes_is_lost(database: Database, start: Start) -> None:
    workers = [start("count", EXECUTION, "40") for _ in range(3)]
    for worker in workers:
        worker.communicate(timeout=120)
    assert [worker.returncode for worker in workers] == [0] * 3
    with database.snapshot() as snapshot:
        execution = snapshot.execution(EXECUTION)
        assert (execution.variables["count"], execution.revision) == ("120", 120)
        assert [event.facts["count"] for event in snapshot.events()] == list(range(1, 121))


def test_a_process_killed_inside_a_transaction_has_done_nothing_and_blocks_nobody(
    database: Database, start: Start
) -> None:
    worker = start("halfway", EXECUTION)
    assert said(worker) == "inside"
    worker.kill()
    worker.wait()
    began = time.monotonic()
    with database.transaction() as transaction:
        execution = transaction.update_execution(transaction.execution(EXECUTION), status_summary="moved on")
        assert transaction.last_seq() == 0
    assert time.monotonic() - began < 5
    assert execution.variables == {"count": "0"}


def test_a_process_killed_at_any_moment_leaves_record_and_ledger_in_step(database: Database, start: Start) -> None:
    for round_ in range(6):
        worker = start("forever", EXECUTION)
        certain = int(said(worker))
        for _ in range(round_ * 7):
            certain = int(said(worker))
        worker.kill()
        worker.wait()
        with database.snapshot() as snapshot:
            execution = snapshot.execution(EXECUTION)
            counts = [event.facts["count"] for event in snapshot.events(limit=10_000)]
            assert snapshot.verify().ok
        count = int(execution.variables["count"])
        assert count >= certain
        assert counts == list(range(1, count + 1))
        assert execution.revision == count


def test_the_lease_of_a_killed_process_is_taken_over_at_once_and_only_then(database: Database, start: Start) -> None:
    worker = start("hold", "execution:x")
    token = int(said(worker))
    with database.transaction() as transaction:
        assert transaction.take_lease("execution:x", this_process(), 10) is None
        theirs = transaction.lease("execution:x")
    worker.kill()
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # dead, though nobody has taken notice of it yet
    with database.transaction() as transaction:
        mine = transaction.take_lease("execution:x", this_process(), 10)
    assert mine is not None
    assert mine.token == token + 1
    assert theirs is not None
    with pytest.raises(LeaseLost), database.transaction(lease=theirs):
        pass


def test_an_artifact_that_rotted_is_not_given_to_any_process(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "app.py").write_text("print('hello')\n" * 100)
    ref = ArtifactStore(tmp_path / "artifacts").put_directory("Package", tmp_path / "source")
    program = (
        "import sys; from pathlib import Path; from store.artifacts import ArtifactStore; from store.records import"
        " ArtifactRef;"
        f"ArtifactStore(Path({str(tmp_path / 'artifacts')!r})).unpack(ArtifactRef('Package', {ref.digest!r}, 0),"
        f" Path({str(tmp_path / 'out')!r}))"
    )

    def read() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert read().returncode == 0
    path = ArtifactStore(tmp_path / "artifacts").path(ref)
    raw = bytearray(path.read_bytes())
    for at in (0, len(raw) // 2, len(raw) - 1):
        path.chmod(0o600)
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :])
        assert f"the artifact {ref.digest[:12]} is corrupt" in read().stderr
    path.write_bytes(raw[:-1])
    with pytest.raises(PenstockError, match="corrupt"):
        ArtifactStore(tmp_path / "artifacts").verify(ref.digest)
