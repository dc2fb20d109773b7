"""Git: a source action's type and configuration. The work is in `stages.source.checkout`, which loads GitPython."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from stages.base import ActionType, Configuration, Dependencies, Provider


class GitConfiguration(Configuration):
    """Which commit of which repository. At most one of branch, tag and commit; none means the default branch."""

    repository: str = Field(default=".", min_length=1, description="Path (from the pipeline file's directory) or URL.")
    branch: str = Field(default="", description="The newest commit of this branch.")
    tag: str = Field(default="", description="The commit of this tag.")
    commit: str = Field(default="", description="This commit; its id, or the beginning of it.")
    directory: str = Field(default="", description="Only this directory of the repository becomes the artifact.")


def check(configuration: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """More than one way to name the commit."""
    named = [key for key in ("branch", "tag", "commit") if configuration.get(key)]
    return [(key, f"{named[0]} already says which commit", "keep one of the two") for key in named[1:]]


# Source: CodePipeline variables of CodeCommit and CodeStarSourceConnection. BranchName is there when the commit was
# found by a branch, TagName when by a tag.
ACTION_TYPE = ActionType(
    category="Source",
    provider="Git",
    inputs=(0, 0),
    outputs=(1, 1),
    configuration=GitConfiguration,
    variables=(
        *("AuthorDate", "AuthorDisplayName", "AuthorEmail", "BranchName", "CommitId", "CommitMessage"),
        *("CommitterDate", "FullRepositoryName", "RepositoryName", "TagName"),
    ),
    check=check,
)


def create(dependencies: Dependencies) -> Provider:
    """The provider, ready to check out."""
    from stages.source.checkout import Checkout  # GitPython takes 0.1 s to load, which reading action types must not

    return Checkout(dependencies)
