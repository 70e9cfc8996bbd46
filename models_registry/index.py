"""What the library keeps between starts: the linked files and the sha256 computed so far, as JSON."""

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int], ...]
"""Size in bytes and time of the last change in nanoseconds, of each file of a model."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model came from, and the bytes it had then.

    Attributes:
        repository: At a hub, "maker/name"; empty for a file that was here when it was first seen.
        commit: Of the repository; empty without one.
        sha256: Of each of its files, as the hub says; of all together where they were here already.
    """

    repository: str
    commit: str
    sha256: tuple[str, ...]


@dataclass
class Index:
    """What is known beyond the files themselves, by absolute path.

    Attributes:
        linked: Files that are used where they lie, in the order they were linked.
        sha256: Each with the stamp its file had; another stamp means another file.
        names: What to call linked files that say nothing of it themselves.
        titles: What a person calls them, whatever they say themselves.
        sources: Where they came from.
    """

    linked: list[str] = field(default_factory=list)
    sha256: dict[str, tuple[Stamp, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    def forget(self, path: str) -> None:
        """Drop all that is known of a file."""
        self.linked = [linked for linked in self.linked if linked != path]
        for known in (self.sha256, self.names, self.titles, self.sources):
            known.pop(path, None)


class IndexFile:
    """An index in a file that several processes may change: each change reads it anew and replaces it whole.

    Two changes in the very same moment can lose one of the two, never the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Index:
        """Return what the file holds, an empty index when there is none.

        A damaged file is set aside as "library.json.damaged-1", or the next number that is free.

        Raises:
            OSError: When the file is there but cannot be read.
        """
        try:
            return _parse(self._path.read_bytes())
        except FileNotFoundError:
            return Index()
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            self._set_aside()
            return Index()

    def update(self, change: Callable[[Index], None]) -> None:
        """Apply `change` to what the file holds now and write it; a crash leaves the old or the new file.

        Raises:
            OSError: When the file cannot be read or written; it is then as it was.
        """
        index = self.read()
        change(index)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = asdict(index)
        descriptor, name = tempfile.mkstemp(prefix=self._path.name, suffix=".tmp", dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(self._path.parent)

    def _set_aside(self) -> None:
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.damaged-{number}")).exists():
            number += 1
        logger.warning("The list of linked models is damaged and set aside as %s", aside.name)
        # In a folder that cannot be written to, the damaged file stays and is passed over each time.
        with contextlib.suppress(OSError):
            self._path.rename(aside)


def _parse(content: bytes) -> Index:
    """Return the index in `content`; any error of conversion or look-up says that it is damaged."""
    data = json.loads(content)
    linked = data["linked"]
    if not isinstance(linked, list) or not all(isinstance(path, str) and path for path in linked):
        raise TypeError(linked)
    return Index(
        linked,
        {
            path: (tuple((int(size), int(changed)) for size, changed in stamp), str(sha256))
            for path, (stamp, sha256) in data["sha256"].items()
        },
        # Not in the files of earlier versions.
        {path: str(name) for path, name in data.get("names", {}).items()},
        {path: str(title) for path, title in data.get("titles", {}).items()},
        {
            path: Source(str(each["repository"]), str(each["commit"]), tuple(map(str, each["sha256"])))
            for path, each in data.get("sources", {}).items()
        },
    )


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
