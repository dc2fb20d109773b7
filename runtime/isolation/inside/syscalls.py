"""The system calls that Python has no names for. Linux only."""

from __future__ import annotations

import ctypes
import os

NEW_MOUNTS, NEW_NAMES, NEW_IPC = 0x0002_0000, 0x0400_0000, 0x0800_0000
NEW_USERS, NEW_PIDS = 0x1000_0000, 0x2000_0000
"""Namespaces: CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID."""

READ_ONLY, NO_SUID, NO_DEVICES, NO_EXECUTE, NO_ACCESS_TIMES = 1, 2, 4, 8, 1024
REMOUNT, BIND, RECURSIVE, PRIVATE = 32, 4096, 16384, 1 << 18
_DETACH = 2

PARENT_DEATH_SIGNAL, DUMPABLE, SECCOMP, BOUNDING_DROP, CHILD_SUBREAPER, NO_NEW_PRIVILEGES = 1, 4, 22, 24, 36, 38
"""Options of prctl."""
CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP = 0, 5, 6, 7, 8
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION = 0x2008_0522

_PAGE = os.sysconf("SC_PAGESIZE")
_READ_WRITE, _SHARED = 3, 1

_libc = ctypes.CDLL(None, use_errno=True)
_map = _libc.mmap
_map.restype = ctypes.c_void_p
_map.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Words(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2).

    Raises:
        OSError: the kernel refused.
    """
    _check(_libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()), target)


def bind(source: str, target: str, flags: int = READ_ONLY | NO_SUID | NO_DEVICES, *, deep: bool = False) -> None:
    """Show `source` at `target`, with these restrictions.

    Raises:
        OSError: the kernel refused.
    """
    mount(source, target, flags=BIND | (RECURSIVE if deep else 0))
    try:
        mount("", target, flags=BIND | REMOUNT | flags)
    except PermissionError:  # in a user namespace, what the mount already forbids has to be repeated
        mount("", target, flags=BIND | REMOUNT | flags | _already(target))


def _already(path: str) -> int:
    """The restrictions that the mount at `path` has, as mount flags: their values in statvfs are the same."""
    found = os.statvfs(path).f_flag & (READ_ONLY | NO_SUID | NO_DEVICES | NO_EXECUTE)
    return found | (os.statvfs(path).f_flag & NO_ACCESS_TIMES)


def unmount(target: str) -> None:
    """Take the mount at `target`, and those below, out of this namespace.

    Raises:
        OSError: the kernel refused.
    """
    _check(_libc.umount2(target.encode(), _DETACH), target)


def pivot_root(root: str, old: str) -> None:
    """Make `root` the root directory; the former one is found at `old`.

    Raises:
        OSError: the kernel refused.
    """
    _check(_libc.pivot_root(root.encode(), old.encode()), root)


def unshare(namespaces: int) -> None:
    """Leave the namespaces shared so far.

    Raises:
        OSError: the kernel refused.
    """
    _check(_libc.unshare(namespaces), "unshare")


def enter(descriptor: int, namespaces: int) -> None:
    """Join the namespace that `descriptor` stands for.

    Raises:
        OSError: the kernel refused.
    """
    _check(_libc.setns(descriptor, namespaces), "setns")


def set_host_name(name: str) -> None:
    """Raises:
    OSError: the kernel refused.
    """
    _check(_libc.sethostname(name.encode(), len(name)), "sethostname")


def prctl(option: int, value: int = 0, pointer: ctypes.c_void_p | int = 0) -> None:
    """prctl(2).

    Raises:
        OSError: the kernel refused.
    """
    _check(_libc.prctl(option, ctypes.c_ulong(value), pointer, 0, 0), "prctl")


def bound_capabilities(*kept: int) -> None:
    """No program that this process or a child starts can gain any capability but these."""
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in kept and _libc.prctl(BOUNDING_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            return  # past the last one, or not allowed to: then there is none to be gained either


def keep_capabilities(*kept: int) -> None:
    """Give up every capability but these.

    Raises:
        OSError: not all of `kept` are there.
    """
    mask = sum(1 << capability for capability in kept)
    words = (_Words * 2)(_Words(mask, mask, 0), _Words(0, 0, 0))
    _check(_libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), words), "capset")


def shared_number(descriptor: int, page: int) -> ctypes.c_uint32:
    """A number that lies at the start of that page of the file and is shared with whoever maps it too."""
    address = _map(None, _PAGE, _READ_WRITE, _SHARED, descriptor, page * _PAGE)
    if address == ctypes.c_void_p(-1).value:
        _check(-1, "mmap")
    return ctypes.c_uint32.from_address(address)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
