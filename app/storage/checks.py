"""Whether the file of the chats, or a backup of it, is whole."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.findings import Findings
from app.storage import digests
from app.storage.connection import connect, readable_mode, transaction
from app.storage.faults import code_of, concerns_index, is_damage

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST = 100


def quick_check(path: Path, mode: str = "") -> tuple[str, ...]:
    """Return what SQLite finds wrong with the structure of a file, on a connection of its own.

    Raises:
        Exception: SQLite's, when the file cannot be read for any reason but damage.
    """
    try:
        db = connect(path, mode or readable_mode(path))
    except Exception as error:
        if is_damage(error):
            return (str(error),)
        raise
    try:
        return _quick_check(db)[0]
    finally:
        db.close()


def examine(path: Path) -> Findings:
    """Look at everything in a file that can be told to be right or wrong."""
    found = Findings()
    try:
        db = connect(path, readable_mode(path))
        try:
            with transaction(db, "DEFERRED"):
                found = _examine(db)
        finally:
            db.close()
    except Exception as error:
        if not is_damage(error):
            raise
        found = found if found.file else Findings(file=(str(error),))
    return found


def _examine(db: "Database") -> Findings:
    file, index = _quick_check(db)
    try:
        chats, messages = (
            int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 -- no outside text
            for table in ("chats", "messages")
        )
        return Findings(file, index, _changed(db), _orphans(db), chats, messages)
    except Exception as error:
        if not is_damage(error):
            raise
        return Findings(file=file or (str(error),), index=index)


def _quick_check(db: "Database") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is wrong with the file, and with its index of words."""
    try:
        rows = db.execute(f"PRAGMA quick_check({_MOST})").fetchall()
        said = [str(row[0]) for row in rows if row[0] != "ok"]
    except Exception as error:
        if code_of(error) is None:
            raise
        said = [str(error)]
    index = tuple(each for each in said if concerns_index(each))
    return tuple(each for each in said if each not in index), index


def _changed(db: "Database") -> tuple[tuple[int, str], ...]:
    wrong = [row[0] for row in db.execute("SELECT message_id FROM digests WHERE damaged_at IS NOT NULL")]
    after: int | None = 0
    while after is not None:
        found = digests.look(db, after)
        wrong += found.wrong
        after = found.last
    sql = "SELECT title FROM chats JOIN messages ON chats.id = chat_id WHERE messages.id = ?"
    titles = ((each, db.execute(sql, [each]).fetchone()) for each in sorted(wrong))
    return tuple((each, str(title[0]) if title else "") for each, title in titles)


def _orphans(db: "Database") -> dict[str, int]:
    found: dict[str, int] = {}
    for row in db.execute("PRAGMA foreign_key_check").fetchall():
        found[row[0]] = found.get(row[0], 0) + 1
    left = "SELECT count(*) FROM chunks JOIN messages ON id = message_id WHERE status != 'writing'"
    (chunks,) = db.execute(left).fetchone()
    if chunks:
        found["chunks"] = found.get("chunks", 0) + chunks
    return found
