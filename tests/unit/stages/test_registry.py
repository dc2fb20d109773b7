"""The registry: providers by name, plug-ins by entry point, nothing imported before it is asked for."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from core.errors import NotAllowed, NotFound
from stages import registry
from tests.fakes.actions import Action, dependencies


def test_every_provider_has_an_action_type_of_its_own_name() -> None:
    assert registry.names() == ["CodeBuild", "CodeDeploy", "Commands", "Git", "LambdaTest", "Manual"]
    for name in registry.names():
        found = registry.action_type(name)
        assert found is not None
        assert found.provider == name


def test_an_unknown_provider_is_none_and_cannot_be_created(tmp_path: Path) -> None:
    assert registry.action_type("CodeBiuld") is None
    with pytest.raises(NotFound, match="there is no provider 'CodeBiuld'; use one of CodeBuild, "):
        registry.create("CodeBiuld", dependencies(tmp_path))


def test_the_counts_of_artifacts_are_those_of_codepipeline() -> None:
    counts = {}
    for name in registry.names():
        found = registry.action_type(name)
        assert found is not None
        counts[name] = (found.category, found.inputs, found.outputs)
    assert counts == {
        "CodeBuild": ("Build", (1, 5), (0, 5)),
        "CodeDeploy": ("Deploy", (1, 1), (0, 0)),
        "Commands": ("Compute", (1, 10), (0, 1)),
        "Git": ("Source", (0, 0), (1, 1)),
        "LambdaTest": ("Test", (1, 1), (0, 1)),
        "Manual": ("Approval", (0, 0), (0, 0)),
    }


def test_an_approval_is_performed_by_a_person_and_refuses_to_run(tmp_path: Path) -> None:
    manual = registry.action_type("Manual")
    assert manual is not None
    assert manual.performed_by == "person"
    with pytest.raises(NotAllowed, match="answered by a person"):
        registry.create("Manual", dependencies(tmp_path)).run(Action(tmp_path).context())


def test_reading_action_types_loads_neither_git_nor_boto3_nor_docker_nor_sqlalchemy() -> None:
    """What `penstock validate` does must stay quick; asked in a fresh interpreter."""
    program = """
        import sys
        from stages import registry
        assert all(registry.action_type(name) for name in registry.names())
        print(sorted({"git", "boto3", "docker", "sqlalchemy", "junitparser"} & set(sys.modules)))
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_a_plug_in_is_found_by_its_entry_point_and_cannot_replace_ours(tmp_path: Path) -> None:
    """Installed as a distribution on the path of a fresh interpreter."""
    _install(tmp_path, {"Echo": "penstock_echo", "Git": "penstock_echo", "Broken": "penstock_nowhere", "Empty": "json"})
    (tmp_path / "penstock_echo.py").write_text(
        textwrap.dedent("""
            from stages.base import ActionType, Configuration
            ACTION_TYPE = ActionType("Test", "Echo", (0, 1), (0, 0), Configuration)
            def create(dependencies):
                return "the provider"
        """)
    )
    program = """
        from core.errors import PenstockError
        from stages import registry
        print(registry.names())
        echo = registry.action_type("Echo")
        print(echo.category, registry.create("Echo", None), registry.action_type("Git").category)
        for name in ("Broken", "Empty"):
            try:
                registry.action_type(name)
            except PenstockError as error:
                print(error)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}", "PATH": "/usr/bin:/bin"},
    )
    lines = found.stdout.splitlines()
    assert "'Echo'" in lines[0]
    assert lines[1] == "Test the provider Source"
    assert "penstock_nowhere: the plug-in for provider 'Broken' cannot be loaded: ModuleNotFoundError" in lines[2]
    assert lines[3] == "json: the plug-in for provider 'Empty' is no provider: it lacks ACTION_TYPE and create"


def _install(site: Path, providers: dict[str, str]) -> None:
    about = site / "penstock_echo-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: penstock-echo\nVersion: 1.0\n")
    lines = "".join(f"{name} = {module}\n" for name, module in providers.items())
    (about / "entry_points.txt").write_text(f"[penstock.providers]\n{lines}")
