"""Commits and due times start executions, once each, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.errors import Unavailable
from core.ids import RandomIds
from pipelines.definition import from_data, load
from pipelines.definition.model import PipelineDefinition, ScheduleTrigger
from pipelines.service import Ports, Releases, Service
from pipelines.triggers import git_hook
from pipelines.triggers.schedule import digest
from pipelines.triggers.ticker import Starter, Ticker, TickReport
from store.database import Database
from store.records import ExecutionRecord
from tests.fakes.catalog import NAMES, catalog
from tests.fakes.git import Repository

START = datetime(2025, 6, 2, 5, 59, tzinfo=UTC)

PIPELINE = """
version: 1
name: orders
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git, configuration: {repository: .}, outputArtifacts: [Source]}
  - name: Build
    actions: [{name: Package, provider: CodeBuild, inputArtifacts: [Source]}]
"""
ON_MAIN = "triggers: [{push: {branches: {includes: [main]}}}]\n"
ON_SOURCES = 'triggers: [{push: {branches: {includes: ["**"]}, filePaths: {includes: ["src/**"]}}}]\n'
ON_TAGS = 'triggers: [{push: {tags: {includes: ["v*"]}}}]\n'
AT_SIX = 'triggers: [{schedule: {cron: "0 6 * * *"}}]\n'
HOURLY = 'triggers: [{schedule: {cron: "0 * * * *", catchUp: all}}]\n'


def checked(text: str, file: str) -> PipelineDefinition:
    return load(text, file, catalog=catalog, provider_names=NAMES)


def no_releases() -> Releases:
    raise AssertionError("triggers release nothing")


@dataclass
class World:
    """A repository with a pipeline, its home, and what can be done with them."""

    directory: Path
    repository: Repository
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    nudges: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir(mode=0o700)
        self.database = Database.open(f"sqlite:///{self.home / 'penstock.db'}", clock=self.clock)
        self.restart()

    @property
    def home(self) -> Path:
        return self.directory / ".penstock"

    @property
    def file(self) -> Path:
        return self.directory / "pipeline.yaml"

    @property
    def service(self) -> Service:
        return Service(
            Ports(
                database=self.database,
                clock=self.clock,
                ids=RandomIds(),
                log_directory=self.home / "logs",
                load=checked,
                nudge=lambda: self.nudges.append("now"),
                releases=no_releases,
            )
        )

    def restart(self, starter: Starter | None = None) -> None:
        """A new process: nothing is known but what is on disk."""
        self.ticker = Ticker(
            starter or self.service,
            self.database,
            self.home,
            load=checked,
            restore=partial(from_data, catalog=catalog),
            files=lambda: [self.file],
        )

    def write(self, triggers: str, text: str = PIPELINE) -> None:
        self.file.write_text(text + triggers)

    def tick(self) -> TickReport:
        return self.ticker.tick(self.clock.now())

    def executions(self) -> list[ExecutionRecord]:
        """Every execution, the first first."""
        with self.database.snapshot() as snapshot:
            return sorted(snapshot.executions("orders"), key=lambda execution: execution.number)

    def kinds(self) -> list[str]:
        """The kinds of ledger events, in order."""
        with self.database.snapshot() as snapshot:
            return [event.kind for event in snapshot.events()]

    def waiting(self) -> list[Path]:
        return sorted((self.home / "spool").glob("*.json"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    repository = Repository(tmp_path / "repo")
    repository.commit({"README.md": "hello"})
    made = World(repository.directory, repository)
    git_hook.install(repository.directory, made.home)
    yield made
    made.database.close()


class Dying:
    """A service whose process dies right after (or before) the execution was written."""

    def __init__(self, service: Service, *, after: bool) -> None:
        self.service = service
        self.after = after

    def start(
        self,
        file_text: str,
        file: Path,
        *,
        variables: Mapping[str, str],
        trigger_type: str,
        trigger_detail: str,
        key: str | None,
        source_revisions: Mapping[str, str],
    ) -> ExecutionRecord | None:
        if self.after:
            self.service.start(
                file_text,
                file,
                variables=variables,
                trigger_type=trigger_type,
                trigger_detail=trigger_detail,
                key=key,
                source_revisions=source_revisions,
            )
        raise ProcessLookupError("killed")


class Down:
    """A service that cannot answer now."""

    def start(self, file_text: str, file: Path, **_: object) -> ExecutionRecord | None:
        raise Unavailable("the database is busy")


class TestCommits:
    """Events that hooks left in the spool."""

    def test_a_commit_starts_one_execution_of_that_commit(self, world: World) -> None:
        world.write(ON_MAIN)
        commit = world.repository.commit({"a": "1"})
        report = world.tick()
        (execution,) = world.executions()
        assert report.started == [execution]
        assert execution.source_revisions == {"Checkout": commit}
        assert execution.trigger_type == "GitHook"
        assert execution.trigger_detail == f"branch main is at {commit[:12]}"
        assert world.waiting() == []
        assert world.nudges == ["now"]
        with world.database.snapshot() as snapshot:
            trigger = snapshot.trigger_by_execution(execution.id)
        assert trigger is not None
        assert trigger.key.startswith("git:orders:")

    def test_every_commit_made_while_the_server_was_down_starts_in_order(self, world: World) -> None:
        world.write(ON_MAIN)
        commits = [world.repository.commit() for _ in range(3)]
        world.tick()
        assert [execution.source_revisions["Checkout"] for execution in world.executions()] == commits

    def test_the_same_event_again_starts_nothing(self, world: World) -> None:
        world.write(ON_MAIN)
        world.repository.commit()
        (file,) = world.waiting()
        again = file.read_bytes()
        world.tick()
        for name in ("again.json", "and-again.json"):
            (world.home / "spool" / name).write_bytes(again)
        world.restart()
        assert world.tick().started == []
        assert len(world.executions()) == 1
        assert world.waiting() == []

    @pytest.mark.parametrize("after", [False, True])
    def test_a_death_around_the_start_loses_nothing_and_doubles_nothing(self, world: World, after: bool) -> None:
        world.write(ON_MAIN)
        world.repository.commit()
        world.restart(Dying(world.service, after=after))
        with pytest.raises(ProcessLookupError):
            world.tick()
        assert len(world.waiting()) == 1
        world.restart()
        world.tick()
        assert len(world.executions()) == 1
        assert world.waiting() == []

    def test_two_processes_at_once_start_one(self, world: World) -> None:
        world.write(ON_MAIN)
        for _ in range(5):
            world.repository.commit()
        tickers = []
        for _ in range(2):
            world.restart()
            tickers.append(world.ticker)
        gate = threading.Barrier(2)

        def look(ticker: Ticker) -> None:
            gate.wait()
            ticker.tick(START)

        threads = [threading.Thread(target=look, args=(ticker,)) for ticker in tickers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        world.tick()
        assert len(world.executions()) == 5
        assert world.waiting() == []

    def test_an_event_waits_while_the_service_cannot_answer(self, world: World) -> None:
        world.write(ON_MAIN)
        world.repository.commit()
        world.restart(Down())
        assert world.tick().problems == ["the database is busy"]
        assert len(world.waiting()) == 1
        world.restart()
        assert len(world.tick().started) == 1

    def test_what_the_filters_refuse_is_on_record_with_the_reason(self, world: World) -> None:
        world.write(ON_MAIN)
        world.repository.git("checkout", "--quiet", "-b", "dev")
        world.repository.commit()
        report = world.tick()
        assert [ignored.why for ignored in report.ignored] == ["trigger 1: branch 'dev' is filtered out"]
        assert world.executions() == []
        assert world.kinds() == ["TriggerIgnored"]
        assert world.waiting() == []
        with world.database.snapshot() as snapshot:
            trigger = snapshot.trigger(report.ignored[0].key)
        assert trigger is not None
        assert trigger.execution_id == ""

    def test_changed_files_are_looked_at_one_by_one(self, world: World) -> None:
        world.write(ON_SOURCES)
        world.repository.commit({"docs/a.md": "1"})
        wanted = world.repository.commit({"docs/b.md": "1", "src/a.py": "1"})
        world.repository.git("mv", "src/a.py", "elsewhere.py")
        moved = world.repository.commit()
        world.repository.commit()
        world.tick()
        assert [execution.source_revisions["Checkout"] for execution in world.executions()] == [wanted, moved]

    def test_the_very_first_commit_has_nothing_to_compare_with(self, tmp_path: Path) -> None:
        repository = Repository(tmp_path / "fresh")
        fresh = World(repository.directory, repository)
        git_hook.install(repository.directory, fresh.home)
        fresh.write(ON_SOURCES)
        repository.commit({"src/a.py": "1"})
        report = fresh.tick()
        assert [ignored.why for ignored in report.ignored] == [
            "trigger 1: a new branch has nothing to compare its files with"
        ]
        fresh.database.close()

    def test_without_triggers_the_followed_branch_starts(self, world: World) -> None:
        world.write("", PIPELINE.replace("{repository: .}", "{repository: ., branch: dev}"))
        world.repository.commit()
        world.repository.git("checkout", "--quiet", "-b", "dev")
        wanted = world.repository.commit()
        world.tick()
        assert [execution.source_revisions for execution in world.executions()] == [{"Checkout": wanted}]

    def test_without_triggers_and_branch_the_checked_out_branch_starts(self, world: World) -> None:
        world.write("")
        world.repository.commit()
        assert len(world.tick().started) == 1

    def test_an_empty_list_of_triggers_starts_nothing(self, world: World) -> None:
        world.write("triggers: []\n")
        world.repository.commit()
        assert [ignored.why for ignored in world.tick().ignored] == ["the pipeline has no push trigger"]

    def test_another_repository_is_none_of_its_business(self, world: World, tmp_path: Path) -> None:
        world.write(ON_MAIN)
        other = Repository(tmp_path / "other")
        git_hook.install(other.directory, world.home)
        other.commit()
        report = world.tick()
        assert [(ignored.pipeline, ignored.why) for ignored in report.ignored] == [
            ("", "no pipeline follows this repository")
        ]
        assert world.executions() == []

    def test_a_file_with_mistakes_refuses_the_event_with_all_of_them(self, world: World) -> None:
        world.write(ON_MAIN)
        world.tick()
        world.write(ON_MAIN, PIPELINE.replace("CodeBuild", "CodeBild"))
        world.repository.commit()
        report = world.tick()
        assert "did you mean 'CodeBuild'?" in report.ignored[0].why
        world.write(ON_MAIN)
        wanted = world.repository.commit()
        world.tick()
        assert [execution.source_revisions["Checkout"] for execution in world.executions()] == [wanted]

    def test_a_variable_without_a_value_refuses_the_event(self, world: World) -> None:
        world.write(ON_MAIN + "variables: {level: {}}\n")
        world.repository.commit()
        assert "level" in world.tick().ignored[0].why
        assert world.waiting() == []

    def test_the_triggers_are_those_of_the_file_as_it_is_now(self, world: World) -> None:
        world.write(ON_TAGS)
        world.repository.commit()
        world.tick()
        world.write(ON_MAIN)
        world.repository.commit()
        world.tick()
        assert len(world.executions()) == 1

    def test_a_pipeline_file_that_is_gone_starts_nothing(self, world: World) -> None:
        world.write(ON_MAIN)
        world.repository.commit()
        world.tick()
        world.file.unlink()
        world.repository.commit()
        world.tick()
        assert len(world.executions()) == 1


class TestPushes:
    """Pushes to a bare repository that the pipeline names by path or URL."""

    @pytest.fixture
    def origin(self, world: World, tmp_path: Path) -> Repository:
        git_hook.uninstall(world.repository.directory, world.home)
        made = Repository(tmp_path / "origin.git", bare=True)
        git_hook.install(made.directory, world.home)
        world.repository.git("remote", "add", "origin", str(made.directory))
        return made

    @pytest.mark.parametrize("address", ["../origin.git", "{path}", "file://{path}"])
    def test_a_push_starts_with_the_pushed_commit(self, world: World, origin: Repository, address: str) -> None:
        named = address.format(path=origin.directory)
        world.write(ON_MAIN, PIPELINE.replace("repository: .", f'repository: "{named}"'))
        commit = world.repository.commit()
        world.repository.git("push", "--quiet", "origin", "main")
        world.tick()
        assert [execution.source_revisions for execution in world.executions()] == [{"Checkout": commit}]

    def test_an_annotated_tag_starts_with_the_commit_it_stands_for(self, world: World, origin: Repository) -> None:
        world.write(ON_TAGS, PIPELINE.replace("repository: .", "repository: ../origin.git"))
        world.repository.git("tag", "--annotate", "--message=x", "v1")
        world.repository.git("push", "--quiet", "origin", "v1")
        world.tick()
        assert [execution.source_revisions for execution in world.executions()] == [
            {"Checkout": world.repository.head()}
        ]

    def test_all_files_between_two_pushes_are_looked_at(self, world: World, origin: Repository) -> None:
        world.write(ON_SOURCES, PIPELINE.replace("repository: .", "repository: ../origin.git"))
        world.repository.git("push", "--quiet", "origin", "main")
        world.repository.commit({"src/a.py": "1"})
        world.repository.commit({"docs/a.md": "1"})
        world.repository.git("push", "--quiet", "origin", "main")
        report = world.tick()
        assert "nothing to compare" in report.ignored[0].why
        assert len(report.started) == 1

    def test_of_two_sources_on_one_repository_the_one_with_that_branch_is_meant(
        self, world: World, origin: Repository
    ) -> None:
        text = PIPELINE.replace("repository: .", "repository: ../origin.git, branch: main").replace(
            "outputArtifacts: [Source]}",
            "outputArtifacts: [Source]}\n      - {name: Tools, provider: Git, outputArtifacts: [Tools],"
            " configuration: {repository: ../origin.git, branch: tools}}",
        )
        world.write('triggers: [{push: {branches: {includes: ["*"]}}}]\n', text)
        world.repository.git("push", "--quiet", "origin", "main:tools", "main:main", "main:third")
        world.tick()
        sources = [sorted(execution.source_revisions) for execution in world.executions()]
        assert sorted(sources) == [["Checkout"], ["Checkout", "Tools"], ["Tools"]]


class TestSchedules:
    """Due times."""

    def at(self, world: World, text: str) -> TickReport:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        world.clock.advance((moment - world.clock.now()).total_seconds())
        return world.tick()

    def cursors(self, world: World) -> set[datetime | None]:
        """How far each schedule of the file has come."""
        schedules = [
            item for item in checked(world.file.read_text(), "p").triggers if isinstance(item, ScheduleTrigger)
        ]
        with world.database.snapshot() as snapshot:
            return {snapshot.schedule_cursor("orders", digest(item)) for item in schedules}

    def test_a_due_time_starts_one_execution(self, world: World) -> None:
        world.write(AT_SIX)
        assert world.tick().started == []
        assert self.at(world, "2025-06-02 05:59:59").started == []
        (execution,) = self.at(world, "2025-06-02 06:00:00.5").started
        assert execution.trigger_type == "Schedule"
        assert execution.trigger_detail == "cron 0 6 * * * (UTC), due 2025-06-02T06:00:00.000000Z"
        assert self.cursors(world) == {datetime(2025, 6, 2, 6, tzinfo=UTC)}
        for text in ("2025-06-02 06:00:01", "2025-06-02 23:00:00"):
            assert self.at(world, text).started == []
        assert len(self.at(world, "2025-06-03 06:00:00").started) == 1

    @pytest.mark.parametrize("after", [False, True])
    def test_a_death_around_the_start_doubles_nothing(self, world: World, after: bool) -> None:
        world.write(AT_SIX)
        world.tick()
        world.restart(Dying(world.service, after=after))
        with pytest.raises(ProcessLookupError):
            self.at(world, "2025-06-02 06:00:00")
        world.restart()
        world.tick()
        world.restart()
        world.tick()
        assert len(world.executions()) == 1

    def test_a_due_time_while_the_server_was_down_is_caught_up(self, world: World) -> None:
        world.write(AT_SIX)
        world.tick()
        world.restart()
        (execution,) = self.at(world, "2025-06-05 09:00:00").started
        assert execution.trigger_detail.endswith("due 2025-06-05T06:00:00.000000Z")
        assert world.kinds() == ["ExecutionStarted", "ScheduleMissed"]

    def test_all_missed_ones_start_when_wanted(self, world: World) -> None:
        world.write(HOURLY)
        world.tick()
        world.restart()
        assert len(self.at(world, "2025-06-02 09:30:00").started) == 4
        assert len(world.executions()) == 4

    def test_a_schedule_never_seen_before_owes_nothing(self, world: World) -> None:
        world.write(AT_SIX)
        assert self.at(world, "2025-06-02 08:00:00").started == []
        assert len(self.at(world, "2025-06-03 06:00:00").started) == 1

    def test_a_changed_schedule_begins_anew(self, world: World) -> None:
        world.write(AT_SIX)
        world.tick()
        world.write(AT_SIX.replace("0 6", "0 5"))
        assert self.at(world, "2025-06-02 08:00:00").started == []
        assert len(self.at(world, "2025-06-03 05:00:00").started) == 1

    def test_every_minute_of_an_hour_is_met_once_however_often_one_looks(self, world: World) -> None:
        world.write(AT_SIX.replace("0 6 * * *", "*/10 * * * *"))
        for second in range(0, 3600, 45):
            if second % 900 == 0:
                world.restart()
            world.ticker.tick(START + timedelta(seconds=second))
        assert len(world.executions()) == 6
