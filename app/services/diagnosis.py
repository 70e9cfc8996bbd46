"""What a bug report needs: devices, libraries, folders, versions."""

import os
import platform
import sys
from dataclasses import asdict
from typing import Any

import psutil

from app import __version__
from app.domain.loading import LoadOptions
from app.engine.threads import Cores, Threads
from app.services import place, snapshots
from app.storage.database import Database
from app.storage.folders import Folders
from models_registry.fit import DEFAULT_CONTEXT, choose, usual_context
from models_registry.library import Entry, Library
from models_registry.memory import estimate
from models_registry.rope import declared

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
        "engine": _engine(),
        "models": _models(folders, native.identity(), gpu=native.has_gpu()),
        "llama_cpp": native.system_info().strip(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "sqlite": database.read(lambda db: str(db.execute("SELECT sqlite_version()").fetchone()[0])).result(),
        "folders": {
            "data": str(folders.data),
            "models": str(folders.models),
            "database": str(folders.database),
            "logs": str(folders.logs),
            "writable": os.access(folders.data, os.W_OK),
            "warning": place.warning(folders),
        },
        "snapshots": snapshots.usage(folders).to_json(),
    }


def _engine() -> dict[str, Any]:
    """Return what the engine does unless it is told otherwise."""
    usual = LoadOptions()
    options = {name: value for name, value in asdict(usual).items() if value is not None}
    options["rope"] = usual.rope.method
    threads = asdict(Threads.usual_here())
    return {"cores": asdict(Cores.here()), "threads": threads, "context": DEFAULT_CONTEXT, **options}


def _models(folders: Folders, engine: str, *, gpu: bool) -> list[dict[str, Any]]:
    """Return how the engine lays out each model by itself, what that takes in bytes, and its threads."""
    threads = Threads(folders.data)

    def facts(entry: Entry) -> dict[str, Any]:
        if entry.header is None:
            return {"name": entry.name, "problem": entry.error.problem if entry.error else ""}
        layout = choose(entry.header, usual_context(entry.header.context_length), gpu=gpu)
        memory = estimate(entry.header, layout, gpu=gpu)
        measured = threads.known(entry.path, engine)
        return {
            "name": entry.name,
            "layout": {**asdict(layout), "rope": declared(entry.header).type},
            "memory": {**asdict(memory), "total": memory.total},
            "threads": {**asdict(measured or Threads.usual_here()), "measured": measured is not None},
        }

    return [facts(entry) for entry in Library(folders.models).entries()]


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
