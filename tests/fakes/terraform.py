"""Terraform with its AWS provider from this machine's disk: nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_PROVIDER = Path("registry.terraform.io/hashicorp/aws")
_CONFIGURATION = """provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = ["registry.terraform.io/*/*"]
  }}
}}
disable_checkpoint = true
"""


def mirror() -> Path | None:
    """A directory that holds the provider: named by PENSTOCK_TERRAFORM_MIRROR, or where mirrors usually are.

    Source: Terraform's "Implied local mirror directories"; beside them, whatever was unpacked under /opt.
    """
    home = Path.home()
    usual = [
        home / ".terraform.d" / "plugins",
        Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share")) / "terraform" / "plugins",
        *(Path(each) / "terraform" / "plugins" for each in ("/usr/local/share", "/usr/share")),
        *sorted(Path("/opt").glob("*")),
    ]
    named = os.environ.get("PENSTOCK_TERRAFORM_MIRROR")
    for directory in ([Path(named)] if named else []) + usual:
        if (directory / _PROVIDER).is_dir():
            return directory
    return None


def missing() -> str:
    """Why Terraform cannot be run here; empty when it can."""
    if shutil.which("terraform") is None:
        return "terraform is not installed"
    return "" if mirror() is not None else "there is no local mirror of Terraform's AWS provider"


class Terraform:
    """`terraform` in one directory, with variables."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self._directory = directory
        configuration = directory / "terraform.rc"
        configuration.write_text(_CONFIGURATION.format(mirror=mirror()))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        self._environment = {
            **kept,
            **{f"TF_VAR_{name}": value for name, value in variables.items()},
            "TF_CLI_CONFIG_FILE": str(configuration),
            "TF_IN_AUTOMATION": "1",
        }

    def run(self, *arguments: str, timeout_s: float = 240.0) -> tuple[int, str]:
        """The exit code, and all that was said."""
        done = subprocess.run(
            ["terraform", *arguments, "-input=false", "-no-color"],
            cwd=self._directory, env=self._environment, timeout=timeout_s, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout
