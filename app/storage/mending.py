"""A message whose text is not what was said gets it back from a backup that still has it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.backup import Backup
from app.storage import digests
from app.storage.backups import ALONE, backups
from app.storage.connection import connect
from app.storage.faults import code_of

if TYPE_CHECKING:
    from sqlite_utils import Database

_TEXTS = "SELECT CAST(text AS BLOB), CAST(reasoning AS BLOB) FROM messages WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Words:
    """What was said: UTF-8 that has the sha256 that was kept."""

    text: bytes
    reasoning: bytes
    backup: Backup


def find_words(database: Path, message_id: int, sha256: bytes) -> Words | None:
    """Return what a message was when its sha256 was kept, from the newest backup that has it."""
    for backup in backups(database):
        try:
            db = connect(backup.path, ALONE)
            try:
                row = db.execute(_TEXTS, [message_id]).fetchone()
            finally:
                db.close()
        except Exception as error:
            if code_of(error) is None:
                raise
            continue
        if row is not None and digests.digest(*row) == sha256:
            return Words(row[0], row[1], backup)
    return None


def put_back(db: "Database", message_id: int, words: Words) -> bool:
    """Give a message its words again, if nobody has changed it meanwhile; return whether so."""
    row = db.execute("SELECT sha256 FROM digests WHERE message_id = ?", [message_id]).fetchone()
    if row is None or row[0] != digests.digest(words.text, words.reasoning):
        return False
    db.execute(
        "UPDATE messages SET text = CAST(? AS TEXT), reasoning = CAST(? AS TEXT) WHERE id = ?",
        [words.text, words.reasoning, message_id],
    )
    return True
