"""The index of the words of all messages, and how it follows them.

`search` is a contentless FTS5 table (https://sqlite.org/fts5.html#contentless_delete_tables) with the id of
a message as its rowid. Whatever changes a message leaves its id in `search_queue`, by triggers: no way of
writing can forget it. `work_off` takes ids out of the queue and brings the index in line with their
messages, a little at a time. What is deleted, but not gone, stays in the index: `app.storage.search` looks
at the messages themselves. What is gone leaves the index for good: see `_rewrite`.
"""

import json
import logging
from typing import TYPE_CHECKING

from app.domain.search_text import spaced

if TYPE_CHECKING:
    from sqlite_utils import Database

_log = logging.getLogger(__name__)

CODE = "\ue001"
"""A word that stands in the index alone: the message has a block of code."""
REWRITE = -1
"""An id in the queue: messages are gone, and their words must leave the file."""

_MOST_TEXT = 3 << 14  # characters in one step: about 8 ms
_MOST_ROWS = 256
_PAGES = 100  # of the index, rewritten in one step: about 8 ms
_CORRUPT, _CORRUPT_VTAB = 11, 267  # https://sqlite.org/rescode.html
_SHORT = 200
"""Messages that are waited for before a search: as many are prepared in an instant."""


def work_off(db: "Database") -> bool:
    """Take one step, inside of a transaction; return whether more is left to do."""
    rows = db.execute(
        "SELECT message_id FROM search_queue WHERE message_id > 0 ORDER BY message_id DESC LIMIT ?",
        [_MOST_ROWS],
    ).fetchall()
    if rows:
        _index(db, [row[0] for row in rows])
    elif is_rewrite_due(db):
        _rewrite(db)
    return bool(db.execute("SELECT 1 FROM search_queue LIMIT 1").fetchone())


def catch_up(db: "Database") -> None:
    """Index what was said last; no more than one step."""
    if count_waiting(db, _SHORT):
        work_off(db)


def needs_catching_up(db: "Database") -> bool:
    """Return whether a message waits that was only just written."""
    waiting = count_waiting(db, _SHORT + 1)
    if waiting <= _SHORT:
        return waiting > 0
    newest, indexed = db.execute(
        "SELECT (SELECT max(message_id) FROM search_queue), (SELECT max(id) FROM search_docsize)"
    ).fetchone()
    return bool(newest > (indexed or 0))


def count_waiting(db: "Database", most: int = -1) -> int:
    """Return how many messages are not in the index as they are now; counts no further than `most`."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM search_queue WHERE message_id > 0 LIMIT ?)"
    return int(db.execute(sql, [most]).fetchone()[0])


def is_rewrite_due(db: "Database") -> bool:
    """Return whether words of messages that are gone still stand in the file."""
    return bool(db.execute("SELECT 1 FROM search_queue WHERE message_id = ?", [REWRITE]).fetchone())


def rebuild(db: "Database") -> None:
    """Make the index anew, as it is damaged: all messages wait for it again."""
    _log.warning("The index of words is damaged; it is made anew.")
    (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'search'").fetchone()
    db.execute("DROP TABLE search")
    db.execute(made)
    db.execute("DELETE FROM search_queue")
    db.execute("INSERT INTO search_queue SELECT id FROM messages")


def is_damage(error: BaseException) -> bool:
    """Return whether `error` says that the index is damaged, not the file: it can be made anew."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code == _CORRUPT_VTAB or (code == _CORRUPT and str(error).startswith("fts5"))


def _index(db: "Database", ids: list[int]) -> None:
    texts: dict[int, str] = {}
    length, done = 0, ids
    sql = (
        "SELECT id, text FROM messages WHERE id IN (SELECT value FROM json_each(?)) AND status != 'writing'"
        " ORDER BY id DESC"
    )
    for message_id, text in db.execute(sql, [json.dumps(ids)]):
        texts[message_id] = text
        length += len(text)
        if length > _MOST_TEXT:
            done = [each for each in ids if each >= message_id]
            break
    for message_id in reversed(done):  # FTS5 wants them in this order
        text = texts.get(message_id)
        if text is None:
            db.execute("DELETE FROM search WHERE rowid = ?", [message_id])
        else:
            words = spaced(text) + (f" {CODE}" if has_code(text) else "")
            db.execute("INSERT OR REPLACE INTO search (rowid, text) VALUES (?, ?)", [message_id, words])
    done_sql = "DELETE FROM search_queue WHERE message_id IN (SELECT value FROM json_each(?))"
    db.execute(done_sql, [json.dumps(done)])


def has_code(text: str) -> bool:
    """Return whether a text has a block of code between fences."""
    return "```" in text or "~~~" in text


def _rewrite(db: "Database") -> None:
    """Write a part of the index anew, without the words of what is gone; the pages they stood on are zeroed.

    A deleted row of a contentless table is only marked, until what it stood in is merged. A negative number
    merges all there is, so many pages at a time (https://sqlite.org/fts5.html#the_merge_command).
    """
    db.execute("PRAGMA secure_delete=ON")
    before = db.conn.total_changes
    db.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", [-_PAGES])
    if db.conn.total_changes - before < 2:  # no work was left, says FTS5
        db.execute("DELETE FROM search_queue WHERE message_id = ?", [REWRITE])
    db.execute("PRAGMA secure_delete=FAST")
