"""When each model last answered, and how fast it was: learned from finished answers, kept without them."""

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.generation import Stats
from app.domain.model import Use
from app.storage.database import Database

if TYPE_CHECKING:
    import sqlite_utils

_LEAST_READ = 32  # tokens; reading fewer takes as long as setting out to

# Of what was learned before, 0.8 counts beside one more answer: some five answers make the speed.
_ADD = """
    INSERT INTO model_uses VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (model) DO UPDATE SET
        used_at = max(used_at, excluded.used_at),
        written = 0.8 * written + excluded.written,
        writing_seconds = 0.8 * writing_seconds + excluded.writing_seconds,
        read = 0.8 * read + excluded.read,
        reading_seconds = 0.8 * reading_seconds + excluded.reading_seconds
"""


class UseStore:
    """What was learned of each model. A file is known by its sha256, so that it may move or come back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> "Future[dict[str, Use]]":
        """Return it by the sha256 of the model's file, or by its path where that was not known."""
        return self._database.read(_read)


def learn(db: "sqlite_utils.Database", message_id: int, stats: Stats, now: float) -> None:
    """Note that an answer has been written; inside of the transaction that stores it."""
    row = db.execute("SELECT model_sha256, model_path FROM messages WHERE id = ?", [message_id]).fetchone()
    model = row and (row[0] or row[1])
    if not model or stats.generated_tokens < 1:
        return
    written = max(0, stats.generated_tokens - 1) if stats.decode_seconds > 0 else 0
    read = stats.prompt_tokens - stats.reused_tokens
    if read < _LEAST_READ or stats.prefill_seconds <= 0:
        read = 0
    seconds = stats.decode_seconds if written else 0.0, stats.prefill_seconds if read else 0.0
    db.execute(_ADD, [model, now, float(written), seconds[0], float(read), seconds[1]])


def identify(db: "sqlite_utils.Database", path: str, sha256: str) -> None:
    """Keep under its sha256 what was learned of the file `path` before that was known."""
    values = (
        "SELECT ?, used_at, written, writing_seconds, read, reading_seconds FROM model_uses WHERE model = ?"
    )
    db.execute(_ADD.replace("VALUES (?, ?, ?, ?, ?, ?)", values), [sha256, path])
    db.execute("DELETE FROM model_uses WHERE model = ?", [path])


def use_of(uses: dict[str, Use], path: Path, sha256: str) -> Use | None:
    """Return what was learned of a file; None for one that has never answered."""
    return uses.get(sha256) or uses.get(str(path))


def _read(db: "sqlite_utils.Database") -> dict[str, Use]:
    rows = db.execute(
        "SELECT model, used_at, written, writing_seconds, read, reading_seconds FROM model_uses"
    )
    return {
        model: Use(
            used_at,
            written / writing_seconds if writing_seconds > 0 else 0.0,
            read / reading_seconds if reading_seconds > 0 else 0.0,
        )
        for model, used_at, written, writing_seconds, read, reading_seconds in rows
    }
