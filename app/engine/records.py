"""Small JSON files of what was learnt about model files, which last and are shared by processes.

Never imports llama.cpp.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from models_registry.shards import parts_of


def read(source: Path) -> dict[str, Any]:
    """Return the object in a JSON file; a missing or damaged one holds nothing."""
    try:
        content = json.loads(source.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def write(target: Path, content: dict[str, Any]) -> None:
    """Write JSON; others see the old file or the whole new one, also after a crash.

    Raises:
        OSError: When it cannot be written; the old file is still there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=target.name, suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def state_of(path: Path) -> list[list[int]]:
    """Return what changes when a model's files change; empty when there are none.

    For each part its bytes, and the nanoseconds of its last change. The sha256 would be surer, and cost
    longer than a load.
    """
    try:
        statuses = [part.stat() for part in parts_of(path)]
    except OSError:
        return []
    return [[status.st_size, status.st_mtime_ns] for status in statuses]
