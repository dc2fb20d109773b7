"""The system calls that no process of a function may make, as on Lambda: they answer "not permitted".

A list of what is refused, not of what is allowed: functions bring programs of every kind, and what is refused here is
what could reach the machine past the other walls (new namespaces and mounts, tracing, kernel programs and modules).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from . import syscalls

_NAMESPACES = 0x7E02_0000
"""Every CLONE_NEW* flag."""
_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK."""
# name: (x86_64, aarch64)
_REFUSED = {
    "ptrace": (101, 117), "syslog": (103, 116), "setdomainname": (171, 162), "pivot_root": (155, 41),
    "chroot": (161, 51), "acct": (163, 89), "settimeofday": (164, 170), "mount": (165, 40), "umount2": (166, 39),
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161), "iopl": (172, None),
    "ioperm": (173, None), "init_module": (175, 105), "delete_module": (176, 106), "quotactl": (179, 60),
    "clock_settime": (227, 112), "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "unshare": (272, 97), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "setns": (308, 268),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "finit_module": (313, 273),
    "kexec_file_load": (320, 294), "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "pidfd_getfd": (438, 438), "mount_setattr": (442, 442), "quotactl_fd": (443, 443),
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000_003E, 0, 56, 41), "aarch64": (0xC000_00B7, 1, 220, 198)}
"""Audit architecture, column above, clone, socket."""
_CLONE3 = 435
_X32 = 0x4000_0000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF_0000, 0x0005_0000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_FILTER_MODE = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def program(machine: str) -> bytes | None:
    """The filter for this machine's system calls, as BPF; None when they are not known. Pure."""
    if machine not in _MACHINES:
        return None
    architecture, column, clone, socket = _MACHINES[machine]
    refused = sorted(number for each in _REFUSED.values() if (number := each[column]) is not None)
    deny, unknown, family = (_ERRNO | each for each in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, unknown),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, unknown),
        _step(_EQUAL, _CLONE3, 0, 1),  # its flags are out of reach; the C library falls back to clone
        _step(_RETURN, unknown),
        _step(_EQUAL, clone, 0, 4),
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_ANY_BIT, _NAMESPACES, 0, 1),
        _step(_RETURN, deny),
        _step(_RETURN, _ALLOW),
        _step(_EQUAL, socket, 0, len(_FAMILIES) + 3),
        _step(_LOAD, _FIRST_ARGUMENT),
        *(_step(_EQUAL, each, len(_FAMILIES) - index, 0) for index, each in enumerate(_FAMILIES)),
        _step(_RETURN, family),
        _step(_RETURN, _ALLOW),
    ]
    for number in refused:
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, deny)]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def install() -> bool:
    """Whether this process, and whatever it starts, is held to the filter from now on.

    No new privileges must have been given up before.
    """
    filter_ = program(os.uname().machine)
    if filter_ is None:
        return False
    held = _Program(len(filter_) // 8, filter_)
    try:
        syscalls.prctl(syscalls.SECCOMP, _FILTER_MODE, ctypes.cast(ctypes.byref(held), ctypes.c_void_p))
    except OSError:
        return False
    return True


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)
