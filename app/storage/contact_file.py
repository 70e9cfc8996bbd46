"""The list of what was asked over the network, kept beside the logs so that it outlives a start."""

import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

_LARGEST = 64 << 10  # bytes of one file; there are two at most, and the older one goes first


class ContactFile:
    """Lines of JSON, the newest last. What cannot be written is not kept; processes may share it."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made by the first line."""
        self._path, self._older = path, path.with_suffix(f".1{path.suffix}")
        self._lock = threading.Lock()

    def append(self, entry: dict[str, Any]) -> None:
        """Keep an entry of JSON types."""
        with self._lock, suppress(OSError):
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
                full = file.tell() > _LARGEST
            if full:
                self._path.replace(self._older)

    def entries(self) -> list[dict[str, Any]]:
        """Return all that is kept, the oldest first."""
        found = []
        for path in (self._older, self._path):
            with suppress(OSError):
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                found += [entry for line in lines if (entry := _read(line)) is not None]
        return found


def _read(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:  # half a line: the process ended, or the disk was full
        return None
    return entry if isinstance(entry, dict) else None
