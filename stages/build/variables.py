"""The variables that CodeBuild sets for commands. Pure. Source: CodeBuild user guide, environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

ACCOUNT = "123456789012"  # what local ARNs say


@dataclass(frozen=True, slots=True)
class Project:
    """The names that AWS would give to a pipeline's build action."""

    name: str
    region: str

    @property
    def arn(self) -> str:
        """Of the project."""
        return f"arn:aws:codebuild:{self.region}:{ACCOUNT}:project/{self.name}"

    def build_id(self, uuid: str) -> str:
        """`<project>:<uuid>`."""
        return f"{self.name}:{uuid}"

    def build_arn(self, uuid: str) -> str:
        """Of one build."""
        return f"arn:aws:codebuild:{self.region}:{ACCOUNT}:build/{self.build_id(uuid)}"


def project(pipeline: str, stage: str, action: str, region: str) -> Project:
    """The project for a build action; characters a project's name cannot have become `-`."""
    return Project(re.sub(r"[^A-Za-z0-9\-_]", "-", f"{pipeline}-{stage}-{action}")[:150], region)


def region(base: Mapping[str, str]) -> str:
    """The region that builds are told, from the machine's environment."""
    return base.get("AWS_REGION") or base.get("AWS_DEFAULT_REGION") or "us-east-1"


def for_build(
    owner: Project, *, uuid: str, number: int, pipeline: str, image: str, started_at: datetime, commit: str
) -> dict[str, str]:
    """What a build says about itself; `commit` "" means the source's revision is not known."""
    variables = {
        **for_region(owner.region),
        "CODEBUILD_BUILD_ARN": owner.build_arn(uuid),
        "CODEBUILD_BUILD_ID": owner.build_id(uuid),
        "CODEBUILD_BUILD_IMAGE": image,
        "CODEBUILD_BUILD_NUMBER": str(number),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": f"codepipeline/{pipeline}",
        "CODEBUILD_LOG_PATH": uuid,
        "CODEBUILD_PROJECT_ARN": owner.arn,
        "CODEBUILD_START_TIME": str(int(started_at.timestamp() * 1000)),
    }
    return variables | for_commit(commit)


def for_region(name: str) -> dict[str, str]:
    """Where the commands' AWS calls go."""
    return {"AWS_REGION": name, "AWS_DEFAULT_REGION": name}


def for_commit(commit: str) -> dict[str, str]:
    """Which revision is built; nothing when `commit` is ""."""
    return {"CODEBUILD_RESOLVED_SOURCE_VERSION": commit, "CODEBUILD_SOURCE_VERSION": commit} if commit else {}


def for_sources(primary: str, directories: Mapping[str, str]) -> dict[str, str]:
    """Where each input artifact lies: CODEBUILD_SRC_DIR for the primary, CODEBUILD_SRC_DIR_<artifact> for the others.

    A name with `-`, which no shell can read, is there a second time with `_`.
    """
    variables = {"CODEBUILD_SRC_DIR": directories[primary]}
    for name, directory in directories.items():
        if name != primary:
            variables[f"CODEBUILD_SRC_DIR_{name}"] = directory
            variables[f"CODEBUILD_SRC_DIR_{name.replace('-', '_')}"] = directory
    return variables


def commit_of(primary: str, source_revisions: Mapping[str, str]) -> str:
    """The revision behind the primary input: the only source's, or that of the source action of the same name."""
    if len(source_revisions) == 1:
        return next(iter(source_revisions.values()))
    return source_revisions.get(primary, "")
