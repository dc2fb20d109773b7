"""The /tmp of a sandbox: a file system of exactly its size, in a file that has no name and ends with the sandbox.

A sparse ext4 image behind a loop device. What is written there is page cache, which a memory limit can reclaim; a
tmpfs would count as the function's memory and get it killed. The device frees itself with the last mount.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import subprocess
import tempfile

from . import syscalls

USUAL_MB = 512
_MB = 1 << 20
_ROOM_MB, _ROOM_SHARE = 4, 0.03
"""What the file system needs for itself."""
_FILES_PER_MB = 32
_NEXT_FREE, _CONFIGURE = 0x4C82, 0x4C0A
_FREE_ITSELF, _UNBUFFERED = 4, 16
_TRIES = 100
_OPTIONS = "noinit_itable,nobarrier"


def blank(directory: str, size_mb: int) -> str:
    """The path of an empty image in `directory` that holds `size_mb`; made when there is none.

    Raises:
        OSError: it cannot be made.
    """
    path = os.path.join(directory, f"blank-{size_mb}.ext4")
    if os.path.exists(path):
        return path
    descriptor, unfinished = tempfile.mkstemp(dir=directory)
    try:
        os.ftruncate(descriptor, int(size_mb * (1 + _ROOM_SHARE) + _ROOM_MB) * _MB)
        command = ["mkfs.ext4", "-q", "-F", "-m", "0", "-N", str(size_mb * _FILES_PER_MB), "-O", "^has_journal"]
        done = subprocess.run(
            [*command, "-E", "nodiscard,lazy_itable_init=1", unfinished],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        )
        done.check_returncode()
        os.rename(unfinished, path)
    except subprocess.CalledProcessError as error:
        raise OSError(errno.EIO, error.stderr.decode("utf-8", "replace").strip(), "mkfs.ext4") from error
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished)
    return path


def mount(image: str, target: str, devices: str) -> None:
    """Mount a copy of the blank `image` at `target`; `devices` is where the machine's /dev is found.

    Raises:
        OSError: loop devices or ext4 cannot be used.
    """
    copy = _copy(image)
    try:
        device, path = _attach(copy, devices)
        try:
            syscalls.mount(path, target, "ext4", syscalls.NO_SUID | syscalls.NO_DEVICES, _OPTIONS)
        finally:
            os.close(device)
    finally:
        os.close(copy)
    with contextlib.suppress(OSError):
        os.rmdir(f"{target}/lost+found")


def _copy(image: str) -> int:
    """An open file without a name that has the data of `image`, and its holes."""
    source = os.open(image, os.O_RDONLY | os.O_CLOEXEC)
    copy = os.open(os.path.dirname(image), os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(source).st_size
        os.ftruncate(copy, size)
        at = 0
        while at < size:
            try:
                at = os.lseek(source, at, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            end = os.lseek(source, at, os.SEEK_HOLE)
            while at < end:
                at += os.copy_file_range(source, copy, end - at, at, at)
    except BaseException:
        os.close(copy)
        raise
    finally:
        os.close(source)
    return copy


def _attach(file: int, devices: str) -> tuple[int, str]:
    """A loop device that reads and writes `file`: its open descriptor and its path."""
    control = os.open(f"{devices}/loop-control", os.O_RDWR | os.O_CLOEXEC)
    information = bytearray(232)  # struct loop_info64; its flags are at 52
    struct.pack_into("I", information, 52, _FREE_ITSELF | _UNBUFFERED)
    configuration = struct.pack("II", file, 0) + bytes(information) + bytes(64)
    try:
        for _ in range(_TRIES):
            path = f"{devices}/loop{fcntl.ioctl(control, _NEXT_FREE)}"
            device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(device, _CONFIGURE, configuration)
            except OSError as error:
                os.close(device)
                if error.errno != errno.EBUSY:  # else somebody else was faster
                    raise
                continue
            return device, path
    finally:
        os.close(control)
    raise OSError(errno.EBUSY, "no loop device is free")
