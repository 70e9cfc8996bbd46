"""The queue of downloads in the database, so that it survives a quit and a crash."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from app.domain.changes import Changed, Changes, Kind
from app.domain.download import Download, RemotePart, State
from app.storage.database import Database
from app.storage.writers import is_alive, this_process

if TYPE_CHECKING:
    import sqlite_utils

_COLUMNS = "id, name, endpoint, repository, commit_id, quantization, parts, state, problem, hint"


class DownloadStore:
    """Downloads in the order in which they are fetched.

    `Changed` is published after each commit and before its future resolves.
    """

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def all(self) -> "Future[list[Download]]":
        """Return every download, in order; one whose row makes no sense is left out."""
        return self._database.read(lambda db: _read(db, "ORDER BY position"))

    def add(self, download: Download) -> "Future[Download]":
        """Put a download at the end of the queue, unless the same one is there; then it waits anew."""
        return self._database.write(
            lambda db: _add(db, download), durable=True, committed=lambda added: self._publish([added.id])
        )

    def take(self, only: int | None = None) -> "Future[Download | None]":
        """Return the first that waits, or `only` this one, for no other process to take; None for none."""
        return self._database.write(lambda db: _take(db, only))

    def set_state(self, number: int, state: State, problem: str = "", hint: str = "") -> "Future[None]":
        """Say how a download stands; whoever fetched it lets go of it."""
        row = {"state": state.value, "problem": problem, "hint": hint, "fetcher": None}

        def change(db: "sqlite_utils.Database") -> None:
            if next(iter(db.execute("SELECT 1 FROM downloads WHERE id = ?", [number])), None):
                db.table("downloads").update(number, row)

        return self._database.write(change, committed=lambda _nothing: self._publish([number]))

    def release(self, number: int) -> "Future[None]":
        """Let go of a download that goes on another time."""
        return self._database.write(
            lambda db: _run(db, "UPDATE downloads SET fetcher = NULL WHERE id = ?", [number])
        )

    def remove(self, numbers: Sequence[int]) -> "Future[None]":
        """Take downloads off the list."""
        marks = ", ".join("?" * len(numbers))
        return self._database.write(
            lambda db: _run(db, f"DELETE FROM downloads WHERE id IN ({marks})", list(numbers)),  # noqa: S608
            committed=lambda _nothing: self._publish(numbers),
        )

    def move(self, number: int, before: int | None) -> "Future[None]":
        """Fetch a download before another one, or last."""
        return self._database.write(
            lambda db: _move(db, number, before), committed=lambda _nothing: self._publish([number])
        )

    def _publish(self, numbers: Sequence[int]) -> None:
        self._changes.publish(Changed(Kind.DOWNLOADS, tuple(numbers)))


def _run(db: "sqlite_utils.Database", statement: str, values: list[Any]) -> None:
    db.execute(statement, values)


def _read(db: "sqlite_utils.Database", rest: str, values: Sequence[Any] = ()) -> list[Download]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM downloads {rest}", list(values)).fetchall()  # noqa: S608
    return [found for row in rows if (found := _download(row))]


def _download(row: tuple[Any, ...]) -> Download | None:
    number, name, endpoint, repository, commit, quantization, parts, state, problem, hint = row
    try:
        files = tuple(RemotePart.from_json(part) for part in json.loads(parts))
        return Download(
            number, name, endpoint, repository, commit, quantization, files, State(state), problem, hint
        )
    except (ValueError, TypeError, KeyError):
        return None


def _add(db: "sqlite_utils.Database", download: Download) -> Download:
    parts = json.dumps([part.to_json() for part in download.parts])
    same = "WHERE repository = ? AND commit_id = ? AND parts = ?"
    for known in _read(db, same, [download.repository, download.commit, parts]):
        if known.state is not State.WAITING:
            db.table("downloads").update(known.id, {"state": State.WAITING.value, "problem": "", "hint": ""})
        return _read(db, "WHERE id = ?", [known.id])[0]
    last = db.execute("SELECT coalesce(max(position), 0) FROM downloads").fetchone()[0]
    row = {
        "position": last + 1,
        "created_at": time.time(),
        "name": download.name,
        "endpoint": download.endpoint,
        "repository": download.repository,
        "commit_id": download.commit,
        "quantization": download.quantization,
        "parts": parts,
        "state": State.WAITING.value,
    }
    number = db.table("downloads").insert(row).last_pk
    return _read(db, "WHERE id = ?", [number])[0]


def _take(db: "sqlite_utils.Database", only: int | None) -> Download | None:
    fetchers = dict(db.execute("SELECT id, fetcher FROM downloads WHERE state = 'waiting'"))
    for download in _read(db, "WHERE state = 'waiting' ORDER BY position"):
        if only in (None, download.id) and not is_alive(fetchers[download.id]):
            db.table("downloads").update(download.id, {"fetcher": this_process()})
            return download
    return None


def _move(db: "sqlite_utils.Database", number: int, before: int | None) -> None:
    order = [row[0] for row in db.execute("SELECT id FROM downloads ORDER BY position") if row[0] != number]
    order.insert(order.index(before) if before in order else len(order), number)
    for position, each in enumerate(order, 1):
        db.execute("UPDATE downloads SET position = ? WHERE id = ?", [position, each])
