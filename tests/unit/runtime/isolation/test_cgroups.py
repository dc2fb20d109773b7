"""Where control groups are found, and what is written into them: on directories that look like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.isolation import cgroups
from runtime.isolation.cgroups import Group, Limit, Place

V1 = "cgroup {root}/{name} cgroup rw,relatime,{name} 0 0\n"
FILES = {"memory": "memory.limit_in_bytes", "cpu": "cpu.cfs_quota_us", "pids": "pids.max"}


def separate(root: Path, own: str = "/") -> Path:
    """A machine with version 1, where a group has its files as soon as it is made: what stands for /proc/self."""
    proc = root / "proc"
    proc.mkdir()
    (proc / "mounts").write_text("".join(V1.format(root=root, name=name) for name in FILES))
    (proc / "cgroup").write_text("".join(f"{n}:{name}:{own}\n" for n, name in enumerate(FILES, 1)))
    for name, file in FILES.items():
        group = (root / name).joinpath(own.strip("/"), "penstock-x")
        group.mkdir(parents=True)
        (group / file).touch()
    return proc


def unified(root: Path, own: str, given: dict[str, str]) -> Path:
    """A machine with version 2; `given` says which files a new group in a group has."""
    proc = root / "proc"
    proc.mkdir()
    (proc / "mounts").write_text(f"cgroup2 {root}/unified cgroup2 rw 0 0\n")
    (proc / "cgroup").write_text(f"0::{own}\n")
    (root / "unified").joinpath(own.strip("/")).mkdir(parents=True)
    for parent, files in given.items():
        group = (root / "unified").joinpath(parent.strip("/"), "penstock-x")
        group.mkdir()
        for file in files.split():
            (group / file).touch()
    return proc


def test_version_1_gives_a_place_for_each_controller_in_the_server_s_own_group(tmp_path: Path) -> None:
    places = cgroups.find("penstock-x", separate(tmp_path, "/user/mine"))
    assert places == {name: Place(1, tmp_path / name / "user" / "mine" / "penstock-x") for name in FILES}


def test_a_server_finds_its_group_of_before(tmp_path: Path) -> None:
    proc = separate(tmp_path)
    assert cgroups.find("penstock-x", proc) == cgroups.find("penstock-x", proc)


def test_version_2_goes_up_to_where_controllers_are_given(tmp_path: Path) -> None:
    proc = unified(
        tmp_path, "/user.slice/session", {"/user.slice": "memory.max cpu.max pids.max cgroup.subtree_control"}
    )
    places = cgroups.find("penstock-x", proc)
    assert places == {name: Place(2, tmp_path / "unified" / "user.slice" / "penstock-x") for name in FILES}
    assert (tmp_path / "unified/user.slice/penstock-x/cgroup.subtree_control").read_text() == "+pids"
    assert not (tmp_path / "unified/user.slice/session/penstock-x").exists(), "where there are none, nothing is left"


def test_version_2_may_give_some_controllers_only(tmp_path: Path) -> None:
    proc = unified(tmp_path, "/app", {"/app": "memory.max pids.max"})
    assert set(cgroups.find("penstock-x", proc)) == {"memory", "pids"}


def test_a_machine_without_controllers_gives_no_places(tmp_path: Path) -> None:
    assert cgroups.find("penstock-x", unified(tmp_path, "/app", {})) == {}
    assert list((tmp_path / "unified").rglob("penstock-x")) == []


def test_limits_of_version_1_are_on_top_of_what_is_used_already() -> None:
    places = {name: Place(1, Path("/cg") / name / "server") for name in FILES}
    group = Group(places, "one")
    memory = Path("/cg/memory/server/one")
    assert group.limits(1000, 7) == [
        Limit(memory / "memory.limit_in_bytes", 1000, memory / "memory.usage_in_bytes"),
        Limit(memory / "memory.memsw.limit_in_bytes", 1000, memory / "memory.usage_in_bytes", optional=True),
        Limit(Path("/cg/pids/server/one/pids.max"), 7),
    ]
    assert group.directories == tuple(sorted(Path("/cg") / name / "server" / "one" for name in FILES))


def test_limits_of_version_2_allow_no_swap() -> None:
    group = Group({"memory": Place(2, Path("/cg/server"))}, "one")
    directory = Path("/cg/server/one")
    assert group.limits(1000, 7) == [
        Limit(directory / "memory.max", 1000, directory / "memory.current"),
        Limit(directory / "memory.swap.max", 0, optional=True),
    ]


@pytest.mark.parametrize(
    ("processors", "quota"), [(128 / 1769, "1447"), (1.0, "20000"), (6.0, "120000"), (0.001, "1000"), (None, "-1")]
)
def test_processor_time_is_a_share_of_each_20_ms(tmp_path: Path, processors: float | None, quota: str) -> None:
    (tmp_path / "one").mkdir()
    Group({"cpu": Place(1, tmp_path)}, "one").limit_cpu(processors)
    assert (tmp_path / "one/cpu.cfs_period_us").read_text() == "20000"
    assert (tmp_path / "one/cpu.cfs_quota_us").read_text() == quota
    Group({"cpu": Place(2, tmp_path)}, "one").limit_cpu(processors)
    assert (tmp_path / "one/cpu.max").read_text() == ("max 20000" if quota == "-1" else f"{quota} 20000")


@pytest.mark.parametrize(("version", "file"), [(1, "memory.oom_control"), (2, "memory.events")])
def test_a_kill_for_lack_of_memory_is_told_once(tmp_path: Path, version: int, file: str) -> None:
    (tmp_path / "one").mkdir()
    group = Group({"memory": Place(version, tmp_path)}, "one")
    assert not group.out_of_memory()
    for kills, told in ((0, False), (1, True), (1, False), (3, True), (3, False)):
        (tmp_path / "one" / file).write_text(f"under_oom 0\noom_kill {kills}\n")
        assert group.out_of_memory() is told


def test_without_a_controller_nothing_is_said_or_done() -> None:
    group = Group({}, "one")
    assert group.limits(1, 1) == []
    assert (group.memory_peak(), group.out_of_memory(), group.counts_memory, group.remove()) == (0, False, False, True)
    group.limit_cpu(1.0)


def test_empty_groups_of_servers_that_are_gone_are_removed(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "77").mkdir()
    (proc / "self/mounts").write_text(V1.format(root=tmp_path, name="memory"))
    gone, alive, used = (tmp_path / "memory/user/session" / f"penstock-{pid}" for pid in (76, 77, 78))
    for group in (gone / "76-1", alive, used / "78-1", tmp_path / "memory/other"):
        group.mkdir(parents=True)
    (used / "78-1/cgroup.procs").write_text("99999999\n")
    assert cgroups.sweep(proc) == 1
    assert [group.exists() for group in (gone, alive, used)] == [False, True, True]
