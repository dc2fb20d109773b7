"""Manual: a person approves or rejects. Only the action type; the engine itself waits for the answer."""

from __future__ import annotations

from pydantic import Field

from core.errors import NotAllowed
from core.outcome import Outcome
from stages.base import ActionContext, ActionType, Configuration, Dependencies, Provider


class ManualConfiguration(Configuration):
    """What the reviewer is shown."""

    custom_data: str = Field(default="", max_length=1000, description="Text shown to the reviewer.")
    external_entity_link: str = Field(default="", max_length=1000, description="A link shown to the reviewer.")


ACTION_TYPE = ActionType(
    category="Approval",
    provider="Manual",
    inputs=(0, 0),
    outputs=(0, 0),
    configuration=ManualConfiguration,
    performed_by="person",
)


class Manual:
    """Nothing to run: `performed_by` says that the engine waits for a person's answer."""

    def run(self, context: ActionContext) -> Outcome:
        """Refuses: an approval cannot be performed by a program."""
        raise NotAllowed(
            "a manual approval is answered by a person, not run", where=f"{context.stage}/{context.action}"
        )


def create(_dependencies: Dependencies) -> Provider:
    """The provider; see `Manual`."""
    return Manual()
