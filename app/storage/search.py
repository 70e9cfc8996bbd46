"""Finding messages by their words."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.domain.chat import Role
from app.domain.search import Found, Hit, Query, snippet
from app.domain.search_text import Phrase
from app.storage import search_index
from app.storage.database import Database

if TYPE_CHECKING:
    import sqlite_utils

MOST = 50
_CANDIDATES = 1000
"""The newest rows among which the newest messages are chosen: imported ones may be older than their rows."""
_FEW = 3000
"""Messages of the chats that are asked for, up to which they are listed before anything is looked up."""
_MANY = {1: 40_000, 2: 250_000}
"""Messages from which on a word of so few letters stands for itself: all that begins so takes too long."""

_MESSAGES = """
    FROM search CROSS JOIN messages ON messages.id = search.rowid
        CROSS JOIN chats ON chats.id = messages.chat_id
    WHERE search MATCH :words AND messages.deleted_at IS NULL AND chats.deleted_at IS NULL
"""


class SearchStore:
    """The words of all messages. What was deleted is not found, nor an answer that is being written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rebuilt = False
        database.at_leisure(self._work)

    def find(self, query: Query, most: int = MOST) -> "Future[Found]":
        """Return the newest messages that have all that `query` asks for; none when it asks for no word.

        What was said just now is found too. A future that is cancelled before its turn asks nothing.
        """
        if not query.phrases:
            nothing: Future[Found] = Future()
            nothing.set_result(Found())
            return nothing
        return _Search(self._database, query, most, self._rebuild).begin()

    def models(self) -> "Future[list[str]]":
        """Return the names of the models that have answered, the one that did so last first."""
        sql = (
            "SELECT model_name FROM messages WHERE model_name IS NOT NULL AND deleted_at IS NULL"
            " GROUP BY model_name ORDER BY max(id) DESC"
        )
        return self._database.read(lambda db: [row[0] for row in db.execute(sql)])

    def prepare(self) -> "Future[int]":
        """Index some of the messages that wait for it; return how many are left."""

        def step(db: "sqlite_utils.Database") -> int:
            self._work(db)
            return search_index.count_waiting(db)

        return self._database.write(step)

    def _work(self, db: "sqlite_utils.Database") -> bool:
        try:
            return search_index.work_off(db)
        except Exception as error:
            if self._rebuilt or not search_index.is_damage(error):
                raise
            self._rebuild(db)
            return True

    def _rebuild(self, db: "sqlite_utils.Database") -> None:
        """Make a damaged index anew, but only once: what is damaged then is not the index."""
        if not self._rebuilt:
            self._rebuilt = True
            search_index.rebuild(db)
        search_index.catch_up(db)


class _Search:
    """One search: looks, has the index brought up to date where it must be, and then looks once more."""

    def __init__(
        self,
        database: Database,
        query: Query,
        most: int,
        rebuild: "Callable[[sqlite_utils.Database], None]",
    ) -> None:
        self._database, self._query, self._most = database, query, most
        self._amend: Callable[[sqlite_utils.Database], None] = search_index.catch_up
        self._rebuild = rebuild
        self._answer: Future[Found] = Future()

    def begin(self) -> "Future[Found]":
        self._database.read(self._look).add_done_callback(self._looked)
        return self._answer

    def _look(self, db: "sqlite_utils.Database") -> Found | None:
        if not self._answer.set_running_or_notify_cancel():
            return None
        try:
            return None if search_index.needs_catching_up(db) else find(db, self._query, self._most)
        except Exception as error:
            if not search_index.is_damage(error):
                raise
            self._amend = self._rebuild
            return None

    def _looked(self, looking: "Future[Found | None]") -> None:
        error = looking.exception()
        if self._answer.cancelled():
            return
        if error is not None:
            self._answer.set_exception(error)
        elif (found := looking.result()) is not None:
            self._answer.set_result(found)
        else:
            self._then(lambda: self._database.write(self._amend).add_done_callback(self._look_again))

    def _look_again(self, amended: "Future[None]") -> None:
        """Look as the index is now: where nothing can be written, it is as it was."""

        def look(db: "sqlite_utils.Database") -> Found:
            return find(db, self._query, self._most)

        self._then(lambda: self._database.read(look).add_done_callback(self._tell))

    def _tell(self, looking: "Future[Found]") -> None:
        if (error := looking.exception()) is not None:
            self._answer.set_exception(error)
        else:
            self._answer.set_result(looking.result())

    def _then(self, ask: Callable[[], None]) -> None:
        try:
            ask()
        except RuntimeError as closed:
            self._answer.set_exception(closed)


def find(db: "sqlite_utils.Database", query: Query, most: int) -> Found:
    """Return what `SearchStore.find` does, as the index is now."""
    conditions, values = _conditions(db, query)
    phrases = _affordable(db, query.phrases)
    values |= {"words": expression(phrases, code=query.code), "candidates": max(_CANDIDATES, most + 1)}
    sql = (
        f"SELECT messages.id, messages.created_at {_MESSAGES} AND messages.status != 'writing' {conditions}"
        " ORDER BY search.rowid DESC LIMIT :candidates"
    )
    rows = db.execute(sql, values).fetchall()
    newest = sorted(rows, key=lambda row: (row[1], row[0]), reverse=True)
    hits = _hits(db, [row[0] for row in newest[:most]], phrases)
    return Found(hits, more=len(rows) > most, waiting=search_index.count_waiting(db))


def expression(phrases: Sequence[Phrase], *, code: bool = False) -> str:
    """Return `phrases` as FTS5 asks for them: nothing that was typed is taken for a part of its language."""
    each = [f'"{" ".join(phrase.words)}"{" *" if phrase.open else ""}' for phrase in phrases]
    return " AND ".join([*each, *[f'"{search_index.CODE}"'] * code])


def _affordable(db: "sqlite_utils.Database", phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """Return `phrases`, the last of them closed where too much begins like it."""
    if not phrases or not phrases[-1].open:
        return phrases
    (messages,) = db.execute("SELECT coalesce(max(id), 0) FROM search_docsize").fetchone()
    if messages < _MANY.get(len(phrases[-1].words[-1]), messages + 1):
        return phrases
    return (*phrases[:-1], replace(phrases[-1], open=False))


def _conditions(db: "sqlite_utils.Database", query: Query) -> tuple[str, dict[str, Any]]:
    asked: list[tuple[str, str, Any]] = [
        ("messages.model_name = :model", "model", query.model or None),
        ("messages.role = :role", "role", query.role and query.role.value),
        ("messages.created_at >= :since", "since", query.since),
        ("messages.created_at < :until", "until", query.until),
    ]
    conditions = [sql for sql, _name, value in asked if value is not None]
    values = {name: value for _sql, name, value in asked if value is not None}
    chats: list[tuple[str, str, Any]] = [
        ("id = :chat", "chat", query.chat_id),
        ("folder_id = :folder", "folder", query.folder_id),
        ("id IN (SELECT chat_id FROM chat_tags WHERE name = :tag)", "tag", query.tag or None),
    ]
    within = " AND ".join(sql for sql, _name, value in chats if value is not None)
    if within:
        inside = {name: value for _sql, name, value in chats if value is not None}
        among = f"SELECT id FROM messages WHERE chat_id IN (SELECT id FROM chats WHERE {within})"  # noqa: S608
        few, first, last = db.execute(
            f"SELECT count(*), min(id), max(id) FROM ({among} LIMIT {_FEW})",  # noqa: S608
            inside,
        ).fetchone()
        if few < _FEW:
            conditions.append("search.rowid BETWEEN :first AND :last")
            conditions.append(f"+search.rowid IN ({among})")  # not one question to the index for each
            inside |= {"first": first or 0, "last": last or 0}
        else:
            conditions.append(f"messages.chat_id IN (SELECT id FROM chats WHERE {within})")  # noqa: S608
        values |= inside
    return "".join(f" AND {condition}" for condition in conditions), values


def _hits(db: "sqlite_utils.Database", ids: list[int], phrases: tuple[Phrase, ...]) -> list[Hit]:
    sql = """
        SELECT messages.id, chat_id, title, role, messages.created_at, model_name, text FROM messages
        JOIN chats ON chats.id = chat_id WHERE messages.id IN (SELECT value FROM json_each(?))
    """
    found = {row[0]: row for row in db.execute(sql, [json.dumps(ids)])}
    return [_hit(phrases, *found[message_id]) for message_id in ids if message_id in found]


def _hit(
    phrases: tuple[Phrase, ...],
    message_id: int,
    chat_id: int,
    title: str,
    role: str,
    created_at: float,
    model: str | None,
    text: str,
) -> Hit:
    said = Role.USER if role == Role.USER else Role.ASSISTANT
    return Hit(message_id, chat_id, title, said, created_at, model or "", snippet(text, phrases))
