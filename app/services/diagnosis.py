"""What a bug report needs: devices, libraries, folders, versions."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from app import __version__
from app.services import snapshots
from app.storage.database import Database
from app.storage.folders import Folders

_LIBRARIES = (
    "llama-cpp-python",
    "PySide6-Essentials",
    "huggingface-hub",
    "sqlite-utils",
    "pysqlite3",
    "jinja2",
)


def diagnose(folders: Folders, database: Database) -> dict[str, Any]:
    """Return facts about this installation as JSON types; nothing personal beyond the folders' paths."""
    from app.engine import native

    native.start()
    memory = psutil.virtual_memory()
    return {
        "fireside": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "cpu_cores": psutil.cpu_count(logical=False),
        "memory": {"total": memory.total, "available": memory.available},
        "devices": [
            {
                "name": device.name,
                "description": device.description,
                "memory_free": device.memory_free,
                "memory_total": device.memory_total,
            }
            for device in native.devices()
        ],
        "llama_cpp": native.system_info().strip(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "sqlite": database.read(lambda db: str(db.execute("SELECT sqlite_version()").fetchone()[0])).result(),
        "folders": {
            "data": str(folders.data),
            "models": str(folders.models),
            "database": str(folders.database),
            "logs": str(folders.logs),
            "writable": os.access(folders.data, os.W_OK),
        },
        "snapshots": snapshots.usage(folders).to_json(),
    }


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
