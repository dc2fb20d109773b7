"""An action's context and a provider's dependencies, with everything a provider may touch in plain sight."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from core.clock import SystemClock
from core.ids import RandomIds
from core.secrets import Redactor
from deploy.targets import Target
from stages.base import ActionContext, Dependencies


def dependencies(home: Path, **changes: Any) -> Dependencies:
    """What the composition root would hand over; without a database or artifacts unless given."""
    given: dict[str, Any] = {
        "clock": SystemClock(),
        "ids": RandomIds(random.Random(1)),
        "database": cast(Any, None),
        "artifacts": cast(Any, None),
        "targets": lambda name, _spec: Target(name, "eu-west-1"),
        "home": home,
        "base_environment": {"PATH": "/usr/local/bin:/usr/bin:/bin"},
    }
    return Dependencies(**{**given, **changes})


@dataclass
class Action:
    """One start of an action. `inputs` are input artifact → directory; what was logged and reported is kept."""

    root: Path
    inputs: Mapping[str, Path] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    stop: str = ""
    _unpacked: Path | None = None

    def context(self, **changes: Any) -> ActionContext:
        """The context, with `changes` to its fields."""
        workspace = self.root / "workspace"
        workspace.mkdir(exist_ok=True)
        given: dict[str, Any] = {
            "pipeline": "orders",
            "execution_id": "11111111-1111-4111-8111-111111111111",
            "stage": "Stage",
            "action": "Action",
            "action_execution_id": "22222222-2222-4222-8222-222222222222",
            "attempt": 1,
            "start": 1,
            "configuration": {},
            "commands": (),
            "environment": {},
            "input_artifacts": tuple(self.inputs),
            "output_artifacts": (),
            "target_specs": {"local": {}},
            "source_revisions": {},
            "repository_dir": self.root,
            "workspace": workspace,
            "tag": f"test-{self.root.name}",
            "deadline": None,
            "redactor": Redactor(),
            "input": self._unpack,
            "log": self.log.append,
            "report": lambda **progress: self.reports.append(progress),
            "stop_requested": lambda: self.stop,
            "fence": lambda _transaction: None,
        }
        return ActionContext(**{**given, **changes})

    def text(self) -> str:
        """The log as one text."""
        return "\n".join(self.log)

    def _unpack(self, name: str) -> Path:
        if self._unpacked is None:
            taken = len(list(self.root.glob("inputs*")))
            self._unpacked = self.root / (f"inputs-{taken}" if taken else "inputs")
        directory = self._unpacked / name
        if not directory.exists():
            shutil.copytree(self.inputs[name], directory, symlinks=True)
        return directory
