"""The sha256 of every finished message: what says, years later, that its text is still what was said.

SQLite does not notice a changed byte within a text. `digests` has the sha256 of the UTF-8 of a message's
text, a zero byte, and its reasoning. TEMP triggers on the writer's connection write it in the transaction
that writes the message, so no way of writing can forget it. `damaged_at` is when a message was found not to
match any more; who changes its text since, also to mend it, takes that away.
"""

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST_ROWS, _MOST_BYTES = 256, 1 << 20  # of one look: about 2 ms
_NEW = "VALUES (NEW.id, message_sha256(CAST(NEW.text AS BLOB), CAST(NEW.reasoning AS BLOB)), NULL); END"
_TRIGGERS = (
    "CREATE TEMP TRIGGER digest_inserted AFTER INSERT ON main.messages WHEN NEW.status != 'writing' BEGIN"
    " INSERT OR REPLACE INTO digests " + _NEW,
    "CREATE TEMP TRIGGER digest_updated AFTER UPDATE OF text, reasoning, status ON main.messages"
    " WHEN NEW.status != 'writing' AND (OLD.status = 'writing' OR NEW.text IS NOT OLD.text"
    " OR NEW.reasoning IS NOT OLD.reasoning) BEGIN INSERT OR REPLACE INTO digests " + _NEW,
    "CREATE TEMP TRIGGER digest_resumed AFTER UPDATE OF status ON main.messages"
    " WHEN NEW.status = 'writing' BEGIN DELETE FROM digests WHERE message_id = NEW.id; END",
)


def digest(text: bytes, reasoning: bytes) -> bytes:
    """Return the sha256 of a message."""
    return sha256(b"%b\0%b" % (text, reasoning)).digest()


def define(db: "Database") -> None:
    """Let SQL on this connection compute digests."""
    db.conn.create_function("message_sha256", 2, digest, deterministic=True)


def follow(db: "Database") -> None:
    """Have all that this connection writes to messages followed by their digests."""
    define(db)
    for trigger in _TRIGGERS:
        db.execute(trigger)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has found.

    Attributes:
        last: The id of the last message that was looked at; None when there was none left.
        wrong: The messages whose text is not what was said.
    """

    last: int | None
    wrong: tuple[int, ...]


def look(db: "Database", after: int) -> Look:
    """Compare messages, a bounded number of those with ids above `after`, with their digests."""
    last, seen, wrong = None, 0, []
    sql = (
        "SELECT message_id, sha256, CAST(text AS BLOB), CAST(reasoning AS BLOB)"
        " FROM digests JOIN messages ON id = message_id"
        " WHERE message_id > ? AND status != 'writing' AND damaged_at IS NULL ORDER BY message_id LIMIT ?"
    )
    for last, expected, text, reasoning in db.execute(sql, [after, _MOST_ROWS]):
        if digest(text, reasoning) != expected:
            wrong.append(last)
        seen += len(text) + len(reasoning)
        if seen > _MOST_BYTES:
            break
    return Look(last, tuple(wrong))


def mark(db: "Database", message_id: int) -> bool:
    """Note that a message does not match; return False if it does by now, or is noted already."""
    row = db.execute(
        "SELECT sha256, CAST(text AS BLOB), CAST(reasoning AS BLOB) FROM digests"
        " JOIN messages ON id = message_id WHERE message_id = ? AND damaged_at IS NULL",
        [message_id],
    ).fetchone()
    if row is None or digest(*row[1:]) == row[0]:
        return False
    db.execute("UPDATE digests SET damaged_at = ? WHERE message_id = ?", [time.time(), message_id])
    return True
