"""Putting Penstock's hooks into a git repository, and taking them out again; what others put there stays."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import NotAllowed, PenstockError
from core.files import write_atomic
from pipelines.triggers import hook_script, observe

State = Literal["installed", "outdated", "absent"]


@dataclass(frozen=True, slots=True)
class HookState:
    """One hook of a repository. `foreign` says that a hook of somebody else's is there too."""

    name: str
    path: Path
    state: State
    foreign: bool


@dataclass(frozen=True, slots=True)
class HooksReport:
    """The hooks of a repository for one PENSTOCK_HOME.

    `shared` says that core.hooksPath names a directory outside the repository, so that the hooks run for others too
    (their events are no pipeline's, and are dropped).
    """

    repository: Path
    directory: Path
    shared: bool
    hooks: tuple[HookState, ...]


def status(repository: Path, home: Path) -> HooksReport:
    """What is there now, changing nothing.

    Raises:
        NotFound: there is no git repository at `repository`.
    """
    common = observe.common_directory(repository)
    directory = _hooks_directory(repository)
    top = common.parent if common.name == ".git" else common
    return HooksReport(
        repository=common,
        directory=directory,
        shared=not directory.is_relative_to(top),
        hooks=tuple(_state(directory, name, home.absolute()) for name in hook_script.HOOKS),
    )


def install(repository: Path, home: Path) -> HooksReport:
    """The hooks after both spool their events into `home`. Doing it again changes nothing.

    Into a hook of a shell's a marked block is put; any other is kept beside, and called afterwards.

    Raises:
        NotFound: there is no git repository at `repository`.
        NotAllowed: a hook must be kept beside, and there is one kept already.
        PenstockError: the directory of the hooks cannot be written.
    """
    report = status(repository, home)
    try:
        report.directory.mkdir(parents=True, exist_ok=True)
        for hook in report.hooks:
            _install(hook, home.absolute())
    except OSError as error:
        raise _unwritable(report.directory, error) from None
    return status(repository, home)


def uninstall(repository: Path, home: Path) -> HooksReport:
    """The hooks after nothing spools into `home` any more; other hooks are as they were before.

    Raises:
        NotFound: there is no git repository at `repository`.
        PenstockError: the directory of the hooks cannot be written.
    """
    report = status(repository, home)
    try:
        for hook in report.hooks:
            if hook.state != "absent":
                _uninstall(hook.path, home.absolute())
    except OSError as error:
        raise _unwritable(report.directory, error) from None
    return status(repository, home)


def _hooks_directory(repository: Path) -> Path:
    """Where git looks for hooks: core.hooksPath, relative to where hooks run, or the repository's own."""
    inside = observe.git(repository, "rev-parse", "--is-inside-work-tree") == "true"
    runs_in = Path(observe.git(repository, "rev-parse", "--show-toplevel" if inside else "--absolute-git-dir"))
    return (runs_in / observe.git(runs_in, "rev-parse", "--git-path", "hooks")).resolve()


def _state(directory: Path, name: str, home: Path) -> HookState:
    path = directory / name
    text = _read(path)
    kept = _kept(path).is_symlink() or _kept(path).exists()
    if not hook_script.has_block(text, home):
        return HookState(name, path, "absent", kept or (bool(text) and not hook_script.has_any_block(text)))
    good = text == hook_script.with_block(text, name, home) and os.access(path, os.X_OK)
    rest = hook_script.without_block(text, home)
    foreign = kept or rest != hook_script.HEADER
    return HookState(name, path, "installed" if good else "outdated", foreign)


def _install(hook: HookState, home: Path) -> None:
    text = _read(hook.path)
    ours = hook_script.has_any_block(text)
    if not text:
        text = hook_script.HEADER
    elif not ours and not _takes_block(hook.path, text):
        _set_aside(hook.path)
        text = hook_script.HEADER + hook_script.CALL_KEPT
    _write(hook.path, hook_script.with_block(text, hook.name, home))


def _takes_block(path: Path, text: str) -> bool:
    """Whether the hook there can hold a block: a shell's, in force, and its own file rather than a link to one."""
    return hook_script.is_shell(text) and os.access(path, os.X_OK) and not path.is_symlink()


def _set_aside(path: Path) -> None:
    kept = _kept(path)
    if kept.exists() or kept.is_symlink():
        raise NotAllowed(f"{kept.name} is in the way", where=str(kept), hint="move it elsewhere, then try again")
    path.rename(kept)


def _uninstall(path: Path, home: Path) -> None:
    rest = hook_script.without_block(_read(path), home)
    if hook_script.has_any_block(rest):
        _write(path, rest)
    elif rest == hook_script.HEADER + hook_script.CALL_KEPT:
        path.unlink()
        if _kept(path).exists() or _kept(path).is_symlink():
            _kept(path).rename(path)
    elif rest == hook_script.HEADER:
        path.unlink()
    else:
        _write(path, rest)


def _kept(path: Path) -> Path:
    return path.with_name(path.name + hook_script.KEPT)


def _read(path: Path) -> str:
    """The hook's text, odd bytes as surrogate escapes; "" when there is none."""
    try:
        return os.fsdecode(path.read_bytes())
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    """`text` in the file, executable; nothing is touched when it holds that already."""
    raw = os.fsencode(text)
    mode = stat.S_IMODE(path.stat().st_mode) | 0o111 if path.exists() else 0o755
    if not (path.exists() and path.read_bytes() == raw and os.access(path, os.X_OK)):
        write_atomic(path, raw, mode)


def _unwritable(directory: Path, error: OSError) -> PenstockError:
    return PenstockError("the hooks cannot be written", where=str(directory), why=error.strerror or str(error))
