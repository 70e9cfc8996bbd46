"""A real database in a folder of its own, and a real disk that can be filled and locked."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.domain.changes import Changed, Changes, Kind
from app.storage.chats import ChatStore
from app.storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "chats.db")
    yield database
    database.close()


@pytest.fixture
def published() -> list[Changed]:
    return []


@pytest.fixture
def store(database: Database, published: list[Changed]) -> ChatStore:
    changes = Changes(lambda call: call())
    # What can be undone is told beside nearly every write; its own tests listen to it.
    changes.subscribe(lambda change: None if change.kind is Kind.UNDO else published.append(change))
    return ChatStore(database, changes)


@pytest.fixture
def reopen() -> Iterator[Callable[..., Database]]:
    """Open a file as another start of the app does."""
    opened = []

    def open_again(path: Path, **options: Any) -> Database:
        opened.append(Database(path, **options))
        return opened[-1]

    yield open_again
    for database in opened:
        database.close()


class SmallDisk:
    """Two megabytes of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._filler = root / "filler"

    def fill(self) -> None:
        descriptor = os.open(self._filler, os.O_CREAT | os.O_WRONLY)
        with suppress(OSError):
            while True:
                os.write(descriptor, b"x" * 512)
        os.close(descriptor)

    def free(self) -> None:
        self._filler.unlink()

    def allow_writing(self, allowed: bool) -> None:
        options = f"remount,{'rw' if allowed else 'ro'}"
        subprocess.run(["mount", "-o", options, self.root], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    root = tmp_path / "disk"
    root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", root], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system lets nobody mount a disk")
    yield SmallDisk(root)
    subprocess.run(["umount", "-l", root], check=True)
