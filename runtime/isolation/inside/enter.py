"""The way into the private root: built once per template, then the template is started inside it.

Run in an interpreter of the machine. The root is a small read-only tmpfs onto which what programs need of the machine
is bound, read-only, at the places where Lambda has it. The machine's own root is left at /.host, for keepers to take
what they are told to show, and taken away by each of them before anything of a function runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from . import syscalls

HOST, OURS = "/.host", "/.penstock"
INTERPRETER, RUNTIME = "/var/lang", "/var/runtime"
LIBRARY_PATH = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
_PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_CONFIGURATION = (
    "alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "crypto-policies", "gai.conf",
    "host.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "os-release",
    "pki", "profile", "protocols", "resolv.conf", "services", "ssl", "system-release", "timezone",
)  # fmt: skip
_DEVICES = ("null", "zero", "full", "random", "urandom")
_DEVICE_LINKS = (("fd", "/proc/self/fd"), *((name, f"/proc/self/fd/{n}") for n, name in enumerate(("stdin", "stdout", "stderr"))))  # noqa: E501  # fmt: skip
_EMPTY_DIRECTORIES = ("/proc", "/tmp", "/opt", "/var/task", HOST, "/home")
_START = "import sys; startup = frozenset(sys.modules); from inside.template import main; exec(*main(startup))"
_UNPROTECTED = (
    "import sys; sys.path.insert(0, '.'); import site; site.setquit(); site.setcopyright(); site.sethelper(); "
)
"""What goes before that where the interpreter's packages are not hidden: site, without what it does to sys.path."""


def main() -> None:
    """Become the template, in the best isolation that this machine lets the server have."""
    configuration = json.loads(sys.argv[1])
    os.umask(0o022)  # what is made here must be readable to handlers, whatever the server's own files are
    mode, refused = "none", "it was switched off" if configuration["off"] else ""
    if not configuration["off"]:
        mode, refused = _isolate(configuration)
    directory, interpreter = OURS, configuration["interpreter"]["inside"]
    environment = {"LANG": "en_US.UTF-8", "LD_LIBRARY_PATH": LIBRARY_PATH}
    flags: list[str] = []
    if mode == "none":
        # isolated, because a handler must not find the packages of the interpreter it happens to share
        directory, interpreter = configuration["ours"], configuration["interpreter"]["path"]
        flags = ["-I", "-S", "-X", "utf8"]
        environment = {"LANG": "C.UTF-8"}
    os.chdir(directory)
    options = json.dumps({**configuration, "mode": mode, "refused": refused})
    start = f"{_UNPROTECTED}{_START}" if flags else _START
    arguments = [interpreter, *flags, "-c", start, options]
    os.execve(interpreter, arguments, {**environment, "PENSTOCK_RUNTIMES": configuration["mark"]})


def _isolate(configuration: dict[str, Any]) -> tuple[str, str]:
    """ "root", "user" or "none", and why it is none."""
    refused = []
    for mode, attempt in (("root", _as_root), ("user", _as_user)):
        reading, writing = os.pipe()
        pid = os.fork()  # tried in a process of its own: what fails half-way cannot be undone
        if pid == 0:
            why = (
                _attempt(attempt) or _attempt(_build, configuration, mode) or _attempt(_try_keeper, configuration, mode)
            )
            os.write(writing, why.encode())
            os._exit(0)
        os.close(writing)
        with open(reading, encoding="utf-8") as answer:
            why = answer.read()
        os.waitpid(pid, 0)
        if not why:
            attempt()
            _build(configuration, mode)
            return mode, ""
        refused.append(why)
    return "none", "; ".join(refused)


def _attempt(step: Callable[..., None], *arguments: Any) -> str:
    """Why it failed; empty when it did not."""
    try:
        step(*arguments)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the reason)
        return f"{error.__class__.__name__}: {error}"
    return ""


def _as_root() -> None:
    if os.geteuid() != 0:
        raise PermissionError("not root")
    syscalls.unshare(syscalls.NEW_MOUNTS)


def _as_user() -> None:
    user, group = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.NEW_USERS | syscalls.NEW_MOUNTS)
    map_user(0, user, group)


def map_user(inside: int, user: int, group: int) -> None:
    """In a new user namespace: be `inside` there, and nobody else."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inside} {user} 1"), ("gid_map", f"{inside} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _try_keeper(configuration: dict[str, Any], mode: str) -> None:
    """What the template, a keeper and its children do first; not every machine that allows the rest allows it."""
    own = os.open(f"{HOST}/proc/self/ns/pid", os.O_RDONLY)
    syscalls.unshare(syscalls.NEW_PIDS | syscalls.NEW_IPC | syscalls.NEW_NAMES)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        why = _attempt(syscalls.mount, "proc", "/proc", "proc") or _attempt(_become_nobody, configuration, mode)
        os.write(writing, why.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as answer:
        why = answer.read()
    os.waitpid(pid, 0)
    if why:
        raise PermissionError(why)
    if mode == "root":
        syscalls.enter(own, syscalls.NEW_PIDS)


def _become_nobody(configuration: dict[str, Any], mode: str) -> None:
    """Not everybody who is called root may become another user."""
    if mode == "root":
        user = configuration["users"][0]
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    else:
        syscalls.unshare(syscalls.NEW_USERS)
        map_user(configuration["inner"], 0, 0)


def _build(configuration: dict[str, Any], mode: str) -> None:
    syscalls.mount("", "/", flags=syscalls.PRIVATE | syscalls.RECURSIVE)
    root = configuration["root"]
    syscalls.mount("tmpfs", root, "tmpfs", syscalls.NO_SUID, "mode=0755,size=8m")
    for path in _PROGRAMS:
        _show(path, f"{root}{path}")
    for path in _EMPTY_DIRECTORIES:
        os.makedirs(f"{root}{path}", 0o755)
    for name in _DEVICES:
        _show(f"/dev/{name}", f"{root}/dev/{name}", syscalls.NO_SUID | syscalls.NO_EXECUTE)
    for name, target in _DEVICE_LINKS:
        os.symlink(target, f"{root}/dev/{name}")
    _configure(f"{root}/etc", configuration, mode)
    _bring_interpreter(root, configuration["interpreter"])
    for name, path in configuration["runtime"].items():
        _show(path, f"{root}{RUNTIME}/{name}")
    _show(f"{configuration['ours']}/inside", f"{root}{OURS}/inside")
    _cover(root, configuration["hidden"])
    os.chdir(root)
    syscalls.pivot_root(".", f".{HOST}")
    os.chdir("/")
    syscalls.mount("", "/", flags=syscalls.REMOUNT | syscalls.READ_ONLY | syscalls.NO_SUID, data="mode=0755,size=8m")


def _show(path: str, target: str, flags: int = syscalls.READ_ONLY | syscalls.NO_SUID | syscalls.NO_DEVICES) -> None:
    """What the machine has at `path`, if anything, appears at `target`."""
    if os.path.islink(path) and not os.path.isabs(os.readlink(path)) and path in _PROGRAMS:
        os.symlink(os.readlink(path), target)
    elif os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
        syscalls.bind(os.path.realpath(path), target, flags, deep=True)
    elif os.path.exists(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        syscalls.bind(os.path.realpath(path), target, flags)


def _configure(directory: str, configuration: dict[str, Any], mode: str) -> None:
    os.makedirs(directory)
    for name in _CONFIGURATION:
        _show(f"/etc/{name}", f"{directory}/{name}")
    users: Iterable[int] = range(*configuration["users"]) if mode == "root" else (configuration["inner"],)
    people = "".join(f"sbx_user{user}:x:{user}:{user}::/home/sbx_user{user}:/sbin/nologin\n" for user in users)
    groups = "".join(f"sbx_user{user}:x:{user}:\n" for user in users)
    hosts = ""
    with contextlib.suppress(OSError), open("/etc/hosts", encoding="utf-8") as file:
        hosts = file.read()
    texts = {
        "passwd": f"root:x:0:0:root:/root:/sbin/nologin\n{people}",
        "group": f"root:x:0:\n{groups}",
        "hosts": f"127.0.0.1\tlocalhost sandbox sandbox.localdomain\n{hosts}",
    }
    for name, text in texts.items():
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def _bring_interpreter(root: str, interpreter: dict[str, Any]) -> None:
    """Its installation, at /var/lang, without the packages of others; its own path leads there too."""
    prefix = interpreter["prefix"]
    _show(prefix, f"{root}{INTERPRETER}")
    for directory in interpreter["packages"]:
        if os.path.isdir(f"{root}{INTERPRETER}/{directory}"):
            syscalls.bind(f"{root}/home", f"{root}{INTERPRETER}/{directory}")
    if not os.path.exists(f"{root}{prefix}"):
        os.makedirs(os.path.dirname(f"{root}{prefix}"), exist_ok=True)
        os.symlink(INTERPRETER, f"{root}{prefix}")


def _cover(root: str, hidden: Iterable[str]) -> None:
    """Where one of these directories is part of what is shown, nothing is seen of it."""
    for directory in hidden:
        target = f"{root}{directory}"
        if os.path.isdir(target):
            syscalls.bind(f"{root}/home", target)
