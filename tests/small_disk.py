"""A real disk of a few megabytes, to be filled."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_MOUNT = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$2" && echo mounted && exec cat'


class SmallDisk:
    """The disk.

    Attributes:
        root: Its uppermost folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._filler = root / "filler"

    @property
    def free(self) -> int:
        """Return the bytes that are free."""
        room = os.statvfs(self.root)
        return room.f_bavail * room.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Have another program take all room but so many bytes."""
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while self.free > leave:
                file.write(bytes(max(min(4096, self.free - leave), 1)))

    def make_room(self) -> None:
        """Have the other program go."""
        self._filler.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a disk on `folder` in a namespace of its own, which takes no rights and leaves nothing.

    Skips the test where the system lets nobody do that.
    """
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", size, str(folder)]
    try:
        holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        pytest.skip("this system has no namespaces")
    with holder:
        assert holder.stdout
        assert holder.stdin
        if holder.stdout.readline() != b"mounted\n":
            pytest.skip("this system lets nobody mount a disk")
        yield SmallDisk(Path(f"/proc/{holder.pid}/root{folder}"))
        holder.stdin.close()
