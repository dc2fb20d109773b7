"""What a Git action's `repository` means: a path or a URL, its name, and how to show it without secrets. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import InvalidInput

_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*)://", re.IGNORECASE)
_SCP = re.compile(r"(?:[^/\s:@]+@)?[^/\s:@]{2,}:(?!//)\S+")
_HELPER = re.compile(r"\w+::")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
SCHEMES = ("file", "git", "http", "https", "ssh")


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A repository on this machine: the one that `path` lies in."""

    path: Path


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository somewhere else. `secrets` are what must never be shown of the URL."""

    url: str
    secrets: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The URL without credentials."""
        return without_credentials(self.url)

    @property
    def full_name(self) -> str:
        """`owner/name`, as far as the URL has both."""
        path = urlsplit(self.url).path if _SCHEME.match(self.url) else self.url.rsplit(":", 1)[-1]
        parts = [part for part in path.split("/") if part]
        return "/".join(parts[-2:]).removesuffix(".git") or self.shown

    @property
    def name(self) -> str:
        """The last part of its path without `.git`."""
        return self.full_name.rsplit("/", 1)[-1]

    @property
    def cache_name(self) -> str:
        """A file name that only this repository has; another password is still the same repository."""
        safe = re.sub(r"[^A-Za-z0-9._\-]", "-", self.name)[:40]
        return f"{safe}-{hashlib.sha256(self.shown.encode()).hexdigest()[:16]}.git"


def parse(repository: str, relative_to: Path) -> LocalPath | Remote:
    """What `repository` names; relative paths count from `relative_to`.

    Raises:
        InvalidInput: a URL of a kind that is not served.
    """
    if _HELPER.match(repository) or repository.startswith("-"):
        raise InvalidInput(f"'{repository}' is no repository", hint="give a path or a URL")
    scheme = _SCHEME.match(repository)
    if scheme is None:
        is_url = _SCP.fullmatch(repository) and not (relative_to / repository).exists()
        return Remote(repository) if is_url else LocalPath(relative_to / repository)
    if scheme.group(1).lower() not in SCHEMES:
        what = f"repositories cannot be fetched by {scheme.group(1)}"
        raise InvalidInput(what, where=without_credentials(repository), hint=f"use one of {', '.join(SCHEMES)}")
    return Remote(repository, _secrets(repository))


def without_credentials(text: str) -> str:
    """`text` with `***@` for the user information of every URL in it."""
    return _CREDENTIALS.sub("***@", text)


def _secrets(url: str) -> tuple[str, ...]:
    """The password of the URL; a user alone may be a token too, unless it is ssh's account."""
    parts = urlsplit(url)
    secret = parts.password or (parts.username if parts.scheme in ("http", "https") else None)
    return tuple({secret, unquote(secret)}) if secret else ()
