"""LambdaTest: the action type and configuration. The work is in `stages.local_test.run`, which loads boto3."""

from __future__ import annotations

from pydantic import Field

from stages.base import ActionType, Configuration, Dependencies, Provider


class LambdaTestConfiguration(Configuration):
    """Which functions to try, and on which events."""

    events: str = Field(min_length=1, description="Directory, or glob, of JSON files in the input artifact.")
    target: str = Field(default="local", description="The target whose Lambda service runs the throw-away functions.")
    template: str = Field(default="template.yaml", description="SAM template in the input artifact.")
    function: str = Field(default="", description="Logical id for events that name none; not needed when there is one.")
    role: str = Field(default="", description="ARN of the throw-away functions' role; the template's when absent.")


ACTION_TYPE = ActionType(
    category="Test",
    provider="LambdaTest",
    inputs=(1, 1),
    outputs=(0, 1),
    configuration=LambdaTestConfiguration,
    variables=("TestsFailed", "TestsTotal"),
)


def create(dependencies: Dependencies) -> Provider:
    """The provider, ready to test."""
    from stages.local_test.run import EventTests  # boto3 and junitparser are only loaded to run tests

    return EventTests(dependencies)
