"""Walking through folders of others, within bounds, and reading their small files."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

_SMALL = 1 << 20
# Where devices and the state of the system look like files.
_NO_FOLDERS = tuple(map(Path, ("/dev", "/proc", "/sys")))

Identity = tuple[int, int]
"""Device and inode: the same file or folder, whatever its path."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a scan goes, all its folders together.

    Attributes:
        depth: Folders below the one that an app is known to use.
        entries: Files and folders that are looked at.
        seconds: After these no file is looked at any more.
    """

    depth: int = 8
    entries: int = 50_000
    seconds: float = 30.0


class Walk:
    """One pass through the folders of others; never raises OSError.

    Attributes:
        unreadable: Folders that are there and cannot be listed.
        complete: Whether all was seen: no limit was reached, and nobody cancelled.
    """

    def __init__(self, limits: Limits, cancelled: Callable[[], bool]) -> None:
        self.unreadable: list[Path] = []
        self.complete = True
        self._goes_on = True
        self._limits = limits
        self._cancelled = cancelled
        self._left = limits.entries
        self._end = time.monotonic() + limits.seconds

    def goes_on(self) -> bool:
        """Return whether there is time left, and nobody cancelled."""
        if self._goes_on and (self._cancelled() or time.monotonic() >= self._end):
            self._goes_on = self.complete = False
        return self._goes_on

    def files(self, root: Path) -> Iterator[Path]:
        """Yield what is no folder below `root`, links to files too, folder by folder, each in order.

        Links to folders are followed, each folder once, but not into those of devices.
        """
        visited: set[Identity] = set()
        waiting = [(root, 0)]
        while waiting and self.goes_on():
            folder, depth = waiting.pop()
            if not self._enter(folder, visited):
                continue
            entries = self._listed(folder)
            yield from (Path(entry.path) for entry in entries if not _is_folder(entry))
            below = [Path(entry.path) for entry in entries if _is_folder(entry)]
            if below and depth >= self._limits.depth:
                self.complete = False
                continue
            waiting += [(path, depth + 1) for path in reversed(below)]

    def folders(self, root: Path) -> Iterator[Path]:
        """Yield the folders in `root` by name, links to folders too."""
        if self.goes_on() and self._enter(root, set()):
            yield from (Path(entry.path) for entry in self._listed(root) if _is_folder(entry))

    def _enter(self, folder: Path, visited: set[Identity]) -> bool:
        """Return whether `folder` is one that was not visited, and may be."""
        try:
            status = folder.stat()
            resolved = folder.resolve()
        except PermissionError:
            self.unreadable.append(folder)
            return False
        except (OSError, ValueError, RuntimeError):
            return False
        identity = status.st_dev, status.st_ino
        if not stat.S_ISDIR(status.st_mode) or identity in visited:
            return False
        visited.add(identity)
        return not any(resolved.is_relative_to(place) for place in _NO_FOLDERS)

    def _listed(self, folder: Path) -> list["os.DirEntry[str]"]:
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not self._left:
                        self.complete = False
                        break
                    self._left -= 1
                    if not entry.name.startswith("."):
                        found.append(entry)
        except FileNotFoundError:
            pass  # it went meanwhile
        except OSError:
            self.unreadable.append(folder)
        return sorted(found, key=lambda entry: entry.name)


def identify(path: Path) -> Identity | None:
    """Return what tells a file or folder from every other, None when it is not there."""
    try:
        status = path.stat()
    except (OSError, ValueError, RuntimeError):
        return None
    return status.st_dev, status.st_ino


def read_small(path: PurePath) -> bytes | None:
    """Return the content of a regular file of at most 1 MiB; None for everything else."""
    try:
        # Asked before it is opened: to open a device may do something.
        if not _is_small_file(Path(path).stat()):
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    try:
        # The path may lead to something else by now.
        return os.read(descriptor, _SMALL) if _is_small_file(os.fstat(descriptor)) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def read_text(path: PurePath) -> str:
    """Return the text of a small regular file, empty where there is none."""
    return (read_small(path) or b"").decode("utf-8-sig", errors="replace")


def _is_small_file(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size <= _SMALL


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circle of links
        return False
