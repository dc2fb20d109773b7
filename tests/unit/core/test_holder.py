"""A holder's name tells whether its process still lives."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from core.holder import is_alive, this_process


def test_this_process_has_one_name_and_is_alive() -> None:
    host, boot, pid, start = this_process().split("/")
    assert (host, pid) == (socket.gethostname(), str(os.getpid()))
    assert boot
    assert start
    assert this_process() == this_process()
    assert is_alive(this_process()) is True


def test_a_process_that_was_given_the_same_id_later_is_not_the_holder() -> None:
    before, _, start = this_process().rpartition("/")
    if start == "-":
        pytest.skip("this system does not tell when a process was started")
    assert is_alive(f"{before}/{int(start) - 1}") is False


def test_another_boot_of_this_host_holds_nothing() -> None:
    host, boot, pid, start = this_process().split("/")
    if boot == "-":
        pytest.skip("this system does not tell its boots apart")
    assert is_alive(f"{host}/another-boot/{pid}/{start}") is False


@pytest.mark.parametrize("holder", ["elsewhere/boot/1/1", "", "nonsense", "a/b/c/d"])
def test_nothing_is_known_of_others(holder: str) -> None:
    assert is_alive(holder) is None


def test_a_process_that_ended_is_dead_even_while_it_is_a_zombie() -> None:
    host, boot, *_ = this_process().split("/")
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    start = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    holder = f"{host}/{boot}/{child.pid}/{start}"
    assert is_alive(holder) is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_alive(holder) is False
    child.communicate()
    assert is_alive(holder) is False
