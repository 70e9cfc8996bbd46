"""Values for the whole app by key, kept between two starts."""

import json
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from app.storage.database import Database

if TYPE_CHECKING:
    import sqlite_utils


class PreferenceStore:
    """Values of JSON types by key, in the database of the chats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> "Future[Any]":
        """Return the value of `key`, or `default` when it was never set or cannot be read."""
        return self._database.read(lambda db: _get(db, key, default))

    def set(self, key: str, value: Any) -> "Future[None]":
        """Keep `value`, of JSON types, under `key`."""
        text = json.dumps(value)
        return self._database.write(lambda db: _set(db, key, text))


def _get(db: "sqlite_utils.Database", key: str, default: Any) -> Any:
    row = db.execute("SELECT value FROM preferences WHERE key = ?", [key]).fetchone()
    try:
        return default if row is None else json.loads(row[0])
    except ValueError:
        return default


def _set(db: "sqlite_utils.Database", key: str, text: str) -> None:
    db.execute(
        "INSERT INTO preferences VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, text],
    )
