"""The filter of system calls, run as the kernel would."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from runtime.isolation.inside.seccomp import program

X86, ARM = 0xC000_003E, 0xC000_00B7
ALLOW = 0x7FFF_0000
CLONE_NEWUSER, CLONE_NEWPID, SIGCHLD, CLONE_VM = 0x1000_0000, 0x2000_0000, 17, 0x100


def decide(code: bytes, architecture: int, number: int, first: int = 0) -> int | str:
    """ALLOW or the name of the error."""
    steps = [struct.unpack_from("HBBI", code, at) for at in range(0, len(code), 8)]
    data = struct.pack("IIQ6Q", number, architecture, 0, first, 0, 0, 0, 0, 0)
    at, register = 0, 0
    while True:
        kind, then, otherwise, value = steps[at]
        at += 1
        if kind == 0x20:
            (register,) = struct.unpack_from("I", data, value)
        elif kind == 0x06:
            return ALLOW if value == ALLOW else errno.errorcode[value & 0xFFFF]
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[kind]
            at += then if holds else otherwise


@pytest.mark.parametrize(
    ("number", "first", "outcome"),
    [
        (0, 0, ALLOW), (1, 0, ALLOW), (59, 0, ALLOW), (231, 0, ALLOW), (334, 0, ALLOW), (451, 0, ALLOW),
        (101, 0, "EPERM"), (165, 0, "EPERM"), (166, 0, "EPERM"), (161, 0, "EPERM"), (272, 0, "EPERM"),
        (308, 0, "EPERM"), (321, 0, "EPERM"), (425, 0, "EPERM"), (428, 0, "EPERM"), (443, 0, "EPERM"),
        (56, SIGCHLD, ALLOW), (56, SIGCHLD | CLONE_VM, ALLOW), (56, SIGCHLD | CLONE_NEWUSER, "EPERM"),
        (56, CLONE_NEWPID, "EPERM"), (57, 0, ALLOW), (58, 0, ALLOW), (435, 0, "ENOSYS"),
        (41, 1, ALLOW), (41, 2, ALLOW), (41, 10, ALLOW), (41, 16, ALLOW), (41, 17, "EAFNOSUPPORT"),
        (41, 40, "EAFNOSUPPORT"), (41, 38, "EAFNOSUPPORT"), (41, 0, "EAFNOSUPPORT"),
        (0x4000_0000 | 101, 0, "ENOSYS"), (0x4000_0000, 0, "ENOSYS"),
    ],
)  # fmt: skip
def test_what_reaches_past_the_sandbox_is_refused(number: int, first: int, outcome: int | str) -> None:
    code = program("x86_64")
    assert code is not None
    assert decide(code, X86, number, first) == outcome


@pytest.mark.parametrize(
    ("number", "first", "outcome"),
    [(117, 0, "EPERM"), (40, 0, "EPERM"), (97, 0, "EPERM"), (220, SIGCHLD, ALLOW), (220, CLONE_NEWUSER, "EPERM"),
     (198, 2, ALLOW), (198, 40, "EAFNOSUPPORT"), (63, 0, ALLOW), (435, 0, "ENOSYS")],
)  # fmt: skip
def test_other_machines_have_numbers_of_their_own(number: int, first: int, outcome: int | str) -> None:
    code = program("aarch64")
    assert code is not None
    assert decide(code, ARM, number, first) == outcome


def test_calls_in_another_architecture_s_way_are_refused() -> None:
    code = program("x86_64")
    assert code is not None
    assert decide(code, 0x4000_0003, 20) == "ENOSYS"


def test_a_machine_whose_numbers_are_not_known_has_no_filter() -> None:
    assert program("riscv64") is None


def test_the_numbers_are_this_machine_s() -> None:
    """Of the calls that Python makes itself, as a sample: getpid must not be among the refused."""
    code = program(os.uname().machine)
    if code is not None and os.uname().machine == "x86_64":
        assert decide(code, X86, 39) == ALLOW
