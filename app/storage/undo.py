"""Undo and redo of what a person does to the history, after https://sqlite.org/undoredo.html.

While an undoable write runs, TEMP triggers on the writer's connection note what each row was like. To undo
it is to put that back in the opposite order, in one transaction, in which the same triggers note what is
needed to do it again. What was noted lies in the memory of this process, and ends with it.

- A row is put back column by column, and only those that the step had changed: what was written since by
  something that cannot be undone, such as the rest of an answer, stays.
- A chat or message that a step has made is not taken out of the database when the step is undone, but put
  where deleted ones rest: no word is lost. Of a chat that the step has made nothing else is noted.
- An answer that is being written again is noted whole, as its text changes afterwards.
- Drafts belong to the composer, which has an undo of its own.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.undo import Act, Undone
from app.storage.database import Database
from app.storage.trash import moment

if TYPE_CHECKING:
    import sqlite_utils

_T = TypeVar("_T")

_Following = tuple[Act | None, Act | None]  # what is undone next, and what is done again next

MOST_STEPS = 200
_CHAT_OF = {
    "chats": "{row}.id",
    "messages": "{row}.chat_id",
    "summaries": "{row}.chat_id",
    "chat_tags": "{row}.chat_id",
    "folders": "NULL",
}
_UNNOTED = {("chats", "draft")}
_KEPT = ("chats", "messages")  # what rests among the deleted, and has a `deleted_at`


class UndoLog:
    """The steps of this process, in the order in which they were taken. Futures resolve after the commit.

    Attributes:
        next_undo: What would be undone now; None for nothing. Both are set before `Changed(UNDO)`.
        next_redo: What would be done again.
    """

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database, self._changes = database, changes
        self.next_undo: Act | None = None
        self.next_redo: Act | None = None

    def write(
        self,
        act: Act,
        fn: "Callable[[sqlite_utils.Database], _T]",
        *,
        durable: bool = False,
        committed: Callable[[_T], None] | None = None,
    ) -> "Future[_T]":
        """Do what `Database.write` does, so that it can be undone; what changes nothing is no step."""

        def told(written: tuple[_T, _Following]) -> None:
            result, following = written
            if committed is not None:
                committed(result)
            self._learn(*following)

        return _first(self._database.write(lambda db: _write(db, act, fn), durable=durable, committed=told))

    def undo(self) -> "Future[Undone | None]":
        """Undo the last step, if there is one.

        The future fails with a UserError while an answer is being written in a chat whose messages it
        would change.
        """
        return self._take_back("undo", "redo")

    def redo(self) -> "Future[Undone | None]":
        """Do again what was undone last, if nothing else was done since."""
        return self._take_back("redo", "undo")

    def forget(self) -> "Future[None]":
        """Forget every step, and with them all that was noted of what has been erased."""
        return self._database.write(_forget, committed=lambda done: self._learn(None, None))

    def _take_back(self, stack: str, other: str) -> "Future[Undone | None]":
        def told(taken: tuple[Undone | None, _Following]) -> None:
            undone, following = taken
            for change in undone.changes if undone else ():
                self._changes.publish(change)
            self._learn(*following)

        return _first(
            self._database.write(lambda db: _take_back(db, stack, other), durable=True, committed=told)
        )

    def _learn(self, undo: Act | None, redo: Act | None) -> None:
        if (undo, redo) != (self.next_undo, self.next_redo):
            self.next_undo, self.next_redo = undo, redo
            self._changes.publish(Changed(Kind.UNDO))


def _first(writing: "Future[tuple[_T, _Following]]") -> "Future[_T]":
    """Return a future of the first of two results."""
    first: Future[_T] = Future()

    def done(ended: "Future[tuple[_T, _Following]]") -> None:
        if (error := ended.exception()) is not None:
            first.set_exception(error)
        else:
            first.set_result(ended.result()[0])

    writing.add_done_callback(done)
    return first


# Inside of a transaction, on the writer's thread.


def _write(
    db: "sqlite_utils.Database", act: Act, fn: "Callable[[sqlite_utils.Database], _T]"
) -> tuple[_T, _Following]:
    _install(db)
    step = _begin(db, "undo", act)
    result = fn(db)
    if _end(db, step):
        _drop(db, _steps(db, "redo"))
        _drop(db, _steps(db, "undo")[:-MOST_STEPS])
    return result, _following(db)


def _take_back(db: "sqlite_utils.Database", stack: str, other: str) -> tuple[Undone | None, _Following]:
    _install(db)
    undone = None
    step, act = _last(db, stack)
    if step is not None and act is not None:
        _refuse_writing(db, step)
        inverse = _begin(db, other, act)
        log = "SELECT seq, kind, name, changed FROM temp.undo_log WHERE step = ? ORDER BY seq DESC"
        when = moment(db)
        for seq, kind, name, changed in db.execute(log, [step]).fetchall():
            _put_back(db, seq, kind, name, changed, when)
        _end(db, inverse)
        undone = Undone(act, _touched(db, step))
        _drop(db, [step])
    return undone, _following(db)


def _forget(db: "sqlite_utils.Database") -> None:
    _install(db)
    _drop(db, [*_steps(db, "undo"), *_steps(db, "redo")])


def _begin(db: "sqlite_utils.Database", stack: str, act: Act) -> int:
    (step,) = db.execute("SELECT coalesce(max(id), 0) + 1 FROM temp.undo_steps").fetchone()
    db.execute("INSERT INTO temp.undo_steps (id, stack, act) VALUES (?, ?, ?)", [step, stack, act.value])
    db.execute("INSERT INTO temp.undo_now (step) VALUES (?)", [step])
    return int(step)


def _end(db: "sqlite_utils.Database", step: int) -> bool:
    """Note nothing more; return whether anything was noted."""
    db.execute("DELETE FROM temp.undo_now")
    db.execute("DELETE FROM temp.undo_new")
    if db.execute("SELECT 1 FROM temp.undo_log WHERE step = ? LIMIT 1", [step]).fetchone():
        return True
    db.execute("DELETE FROM temp.undo_steps WHERE id = ?", [step])
    return False


def _steps(db: "sqlite_utils.Database", stack: str) -> list[int]:
    """Return the steps that can be undone or redone, the next one last."""
    sql = "SELECT id FROM temp.undo_steps WHERE stack = ? ORDER BY id"
    return [row[0] for row in db.execute(sql, [stack]).fetchall()]


def _last(db: "sqlite_utils.Database", stack: str) -> tuple[int | None, Act | None]:
    sql = "SELECT id, act FROM temp.undo_steps WHERE stack = ? ORDER BY id DESC LIMIT 1"
    found = db.execute(sql, [stack]).fetchone()
    return (None, None) if found is None else (found[0], Act(found[1]))


def _following(db: "sqlite_utils.Database") -> _Following:
    return _last(db, "undo")[1], _last(db, "redo")[1]


def _drop(db: "sqlite_utils.Database", steps: list[int]) -> None:
    """Forget some steps."""
    for step in steps:
        for name in _CHAT_OF:
            rows = f"DELETE FROM temp.undo_{name} WHERE seq IN (SELECT seq FROM temp.undo_log WHERE step = ?)"  # noqa: S608 -- no outside text
            db.execute(rows, [step])
        db.execute("DELETE FROM temp.undo_log WHERE step = ?", [step])
        db.execute("DELETE FROM temp.undo_steps WHERE id = ?", [step])


def _put_back(db: "sqlite_utils.Database", seq: int, kind: str, name: str, changed: str, when: float) -> None:
    """Undo what was done to one row."""
    keys = [column for column, key in _columns(db, name) if key]
    key = ", ".join(keys)
    row = f"({key}) = (SELECT {key} FROM temp.undo_{name} WHERE seq = :seq)"  # noqa: S608 -- no outside text
    values = {"seq": seq, "when": when}
    if kind == "update":
        columns = changed.strip(",")
        sql = f"UPDATE {name} SET ({columns}) = (SELECT {columns} FROM temp.undo_{name} WHERE seq = :seq)"  # noqa: S608 -- no outside text
        db.execute(f"{sql} WHERE {row}", values)
    elif kind == "delete":
        columns = ", ".join(column for column, _key in _columns(db, name))
        sql = f"INSERT INTO {name} ({columns}) SELECT {columns} FROM temp.undo_{name} WHERE seq = :seq"  # noqa: S608 -- no outside text
        db.execute(sql, values)
    elif name in _KEPT:
        db.execute(f"UPDATE {name} SET deleted_at = :when WHERE {row}", values)  # noqa: S608 -- no outside text
    else:
        db.execute(f"DELETE FROM {name} WHERE {row}", values)  # noqa: S608 -- no outside text


def _refuse_writing(db: "sqlite_utils.Database", step: int) -> None:
    """Raise UserError when an answer is on its way in a chat whose messages the step concerns."""
    writing = db.execute(
        "SELECT 1 FROM messages WHERE status = 'writing' AND chat_id IN ("
        " SELECT chat_id FROM temp.undo_log WHERE step = ? AND (name = 'messages'"
        "  OR (name = 'chats' AND (kind = 'insert' OR changed LIKE '%tip%'))"
        " ))",
        [step],
    ).fetchone()
    if writing:
        raise UserError(
            _("An answer is still being written in this chat."),
            _("Wait until it is finished, or stop it first."),
        )


def _touched(db: "sqlite_utils.Database", step: int) -> tuple[Changed, ...]:
    """Return what a step concerned, as it is published."""
    chats = "SELECT DISTINCT chat_id FROM temp.undo_log WHERE step = ? AND name IN ({}) ORDER BY 1"
    folders = "SELECT DISTINCT id FROM temp.undo_folders JOIN temp.undo_log USING (seq) WHERE step = ?"
    found = {
        Kind.FOLDERS: folders,
        Kind.CHATS: chats.format("'chats', 'chat_tags'"),
        Kind.TREES: chats.format("'messages'"),
        Kind.SUMMARIES: chats.format("'summaries'"),
    }
    ids = {kind: tuple(row[0] for row in db.execute(sql, [step]).fetchall()) for kind, sql in found.items()}
    return tuple(Changed(kind, each) for kind, each in ids.items() if each)


def _columns(db: "sqlite_utils.Database", name: str) -> list[tuple[str, bool]]:
    """Return the columns of a table, and whether each belongs to its primary key."""
    return [(row[1], bool(row[5])) for row in db.execute(f"PRAGMA main.table_info({name})").fetchall()]


def _install(db: "sqlite_utils.Database") -> None:
    """Make the tables and triggers of this connection, once."""
    if db.execute("SELECT 1 FROM temp.sqlite_master WHERE name = 'undo_steps'").fetchone():
        return
    for sql in (
        "CREATE TEMP TABLE undo_steps (id INTEGER PRIMARY KEY, stack TEXT, act TEXT)",
        "CREATE TEMP TABLE undo_now (step INTEGER)",  # one row while a step is noted
        "CREATE TEMP TABLE undo_new (chat_id INTEGER PRIMARY KEY)",  # chats that this step has made
        "CREATE TEMP TABLE undo_log"
        " (seq INTEGER PRIMARY KEY, step INTEGER, kind TEXT, name TEXT, chat_id INTEGER, changed TEXT)",
        "CREATE INDEX temp.undo_log_by_step ON undo_log(step)",
    ):
        db.execute(sql)
    for name in _CHAT_OF:
        for sql in _triggers(name, _columns(db, name)):
            db.execute(sql)


def _triggers(name: str, columns: list[tuple[str, bool]]) -> list[str]:
    """Return what notes the rows of one table; `seq` joins a row to its line in the log."""
    names = ", ".join(column for column, _key in columns)
    noted = [column for column, key in columns if not key and (name, column) not in _UNNOTED]
    again = "(NEW.status = 'writing' AND OLD.status IS NOT 'writing')" if name == "messages" else "0"
    differs = {column: f"(OLD.{column} IS NOT NEW.{column} OR {again})" for column in noted}
    changed = " || ".join(f"iif({test}, ',{column}', '')" for column, test in differs.items())
    old = ", ".join(
        f"iif({differs[column]}, OLD.{column}, NULL)" if column in differs else f"OLD.{column}"
        for column, _key in columns
    )
    new_key = ", ".join(f"NEW.{column}" if key else "NULL" for column, key in columns)
    all_old = ", ".join(f"OLD.{column}" for column, _key in columns)
    rows = {
        "insert": ("NEW", "''", new_key),
        "update": ("NEW", changed, old),
        "delete": ("OLD", "''", all_old),
    }
    made = [
        f"CREATE TEMP TABLE undo_{name} AS SELECT 0 AS seq, {names} FROM {name} LIMIT 0",  # noqa: S608 -- no outside text
        f"CREATE INDEX temp.undo_{name}_by_seq ON undo_{name}(seq)",
    ]
    if not noted:  # all of a row is its key: none is changed
        del rows["update"]
    for kind, (row, what, values) in rows.items():
        chat = _CHAT_OF[name].format(row=row)
        fresh = f" INSERT INTO undo_new VALUES ({chat});" if (name, kind) == ("chats", "insert") else ""  # noqa: S608 -- no outside text
        anything = f" AND ({' OR '.join(differs.values())})" if kind == "update" else ""
        made.append(
            f"CREATE TEMP TRIGGER undo_{name}_{kind} AFTER {kind.upper()} ON main.{name}"  # noqa: S608 -- no outside text
            " WHEN EXISTS (SELECT 1 FROM undo_now)"
            f" AND NOT EXISTS (SELECT 1 FROM undo_new WHERE chat_id = {chat}){anything} BEGIN"
            " INSERT INTO undo_log (step, kind, name, chat_id, changed)"
            f" SELECT step, '{kind}', '{name}', {chat}, {what} FROM undo_now;"
            f" INSERT INTO undo_{name} VALUES (last_insert_rowid(), {values});{fresh} END"
        )
    return made
