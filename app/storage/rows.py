"""Rows of the database as objects of the domain.

Reading never fails on the content of one row: a field that makes no sense is left out, so that
one damaged answer cannot hide its chat.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from app.domain.budget import Policy
from app.domain.chat import Chat, Message, ModelIdentity, Role, Status
from app.domain.errors import UserError
from app.domain.generation import Stats
from app.domain.settings import Settings

if TYPE_CHECKING:
    from sqlite_utils import Database

_T = TypeVar("_T")

_ROLES = {role.value: role for role in Role}
_STATUSES = {status.value: status for status in Status}
_POLICIES = {policy.value: policy for policy in Policy}
_TAG_END = "\x1f"  # no name of a tag holds it
_STATS = tuple(each.name for each in fields(Stats))
_CHAT = """
    id, title, tip_message_id, model_path, system_prompt, draft, pinned, created_at, updated_at,
    policy, context, folder_id, archived, deleted_at,
    (SELECT group_concat(name, char(31) ORDER BY name) FROM chat_tags WHERE chat_id = chats.id)
"""
_MESSAGE = """
    id, chat_id, parent_id, role,
    CASE status
        WHEN 'writing' THEN text || coalesce(
            (SELECT group_concat(chunks.text, '' ORDER BY number)
             FROM chunks WHERE message_id = messages.id), '')
        ELSE text
    END,
    status, created_at, model_name, model_sha256, model_path, settings, stats, error,
    CASE status
        WHEN 'writing' THEN reasoning || coalesce(
            (SELECT group_concat(chunks.reasoning, '' ORDER BY number)
             FROM chunks WHERE message_id = messages.id), '')
        ELSE reasoning
    END,
    CASE status
        WHEN 'writing' THEN max(reasoning_seconds, coalesce(
            (SELECT max(chunks.reasoning_seconds) FROM chunks WHERE message_id = messages.id), 0))
        ELSE reasoning_seconds
    END,
    pinned, seen_from, summary_id, deleted_at
"""


def read_chats(db: "Database", rest: str, parameters: Iterable[Any] = ()) -> list[Chat]:
    """Return the chats that `rest`, what follows FROM chats, selects."""
    rows = db.execute(f"SELECT {_CHAT} FROM chats {rest}", list(parameters))  # noqa: S608 -- no outside text
    return [_chat(*row) for row in rows]


def read_messages(db: "Database", rest: str, parameters: Iterable[Any] = ()) -> list[Message]:
    """Return the messages that `rest`, what follows FROM messages, selects.

    The text and the reasoning of a message that is being written hold its chunks. The parent of each is
    the next message above it that is not deleted.
    """
    rows = db.execute(f"SELECT {_MESSAGE} FROM messages {rest}", list(parameters))  # noqa: S608 -- no outside text
    found = [_message(*row) for row in rows]
    gone = _deleted_parents(db, {message.chat_id for message in found})
    if not gone:
        return found
    return [
        replace(message, parent_id=_living(message.parent_id, gone)) if message.parent_id in gone else message
        for message in found
    ]


def read_path(db: "Database", tip_id: int | None) -> list[Message]:
    """Return the messages from the first of a chat to `tip_id` that are not deleted."""
    # A parent is always older than its child, so the order of ids is the order of the path,
    # and insisting on it keeps a damaged parent_id from leading round in a circle.
    return read_messages(
        db,
        """
        WHERE id IN (
            WITH RECURSIVE path(id, parent_id) AS (
                SELECT id, parent_id FROM messages WHERE id = ?
                UNION ALL
                SELECT messages.id, messages.parent_id FROM path JOIN messages
                ON messages.id = path.parent_id AND messages.id < path.id
            ) SELECT id FROM path
        ) AND deleted_at IS NULL ORDER BY id
        """,
        [tip_id],
    )


def _deleted_parents(db: "Database", chats: set[int]) -> dict[int, int | None]:
    """Return the deleted messages of some chats, and what each followed."""
    rows = db.execute(
        "SELECT id, parent_id FROM messages WHERE deleted_at IS NOT NULL"
        " AND chat_id IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(chats))],
    )
    return dict(rows.fetchall())


def _living(message_id: int | None, gone: dict[int, int | None]) -> int | None:
    while message_id in gone:
        above = gone[message_id]
        message_id = above if above is None or above < message_id else None  # never round in a circle
    return message_id


def columns(db: "Database", table: str) -> list[str]:
    """Return the names of the columns of a table."""
    return [row[1] for row in db.execute(f"PRAGMA main.table_info({table})").fetchall()]


def storable(text: str) -> str:
    """Return `text` as UTF-8 can hold it: halves of a surrogate pair are joined, or else replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def compact(values: Settings | Stats) -> str:
    """Return as JSON, without names, the stats of an answer; or of its settings those that are not as usual.

    With all names they would take more room than many an answer. New fields of `Stats` go to its end.
    """
    if isinstance(values, Stats):
        return _brief.encode(list(values.to_json().values()))
    usual = {each.name: each.default for each in fields(values)}
    return _brief.encode(
        {name: value for name, value in values.to_json().items() if value not in (usual[name], {})}
    )


_brief = json.JSONEncoder(separators=(",", ":"))


def require(found: int, otherwise: UserError) -> None:
    """Raise `otherwise` when nothing was `found`."""
    if not found:
        raise otherwise


def _chat(
    chat_id: int,
    title: str,
    tip_id: int | None,
    model_path: str,
    system_prompt: str,
    draft: str,
    pinned: int,
    created_at: float,
    updated_at: float,
    policy: str | None,
    context: int | None,
    folder_id: int | None,
    archived: int,
    deleted_at: float | None,
    tags: str | None,
) -> Chat:
    return Chat(
        chat_id,
        title,
        tip_id,
        model_path,
        system_prompt,
        draft,
        bool(pinned),
        created_at,
        updated_at,
        _POLICIES.get(policy or ""),
        context,
        folder_id,
        bool(archived),
        tuple(tags.split(_TAG_END)) if tags else (),
        deleted_at,
    )


def _message(
    message_id: int,
    chat_id: int,
    parent_id: int | None,
    role: str,
    text: str,
    status: str,
    created_at: float,
    model_name: str | None,
    model_sha256: str | None,
    model_path: str | None,
    settings: str | None,
    stats: str | None,
    error: str,
    reasoning: str,
    reasoning_seconds: float,
    pinned: int,
    seen_from: int | None,
    summary_id: int | None,
    deleted_at: float | None,
) -> Message:
    return Message(
        message_id,
        chat_id,
        parent_id,
        _ROLES.get(role, Role.ASSISTANT),
        text,
        _STATUSES.get(status, Status.COMPLETE),
        created_at,
        None if model_name is None else _identity(model_name, model_sha256 or "", model_path or ""),
        _settings(settings),
        _parsed(stats, Stats.from_json, _STATS),
        error,
        reasoning,
        reasoning_seconds,
        bool(pinned),
        seen_from,
        summary_id,
        deleted_at,
    )


# The answers of a chat mostly share these two.
_identity = lru_cache(maxsize=64)(ModelIdentity)


@lru_cache(maxsize=64)
def _settings(text: str | None) -> Settings | None:
    return _parsed(text, lambda values: Settings.from_json(values).checked())


def _parsed(
    text: str | None, parse: Callable[[dict[str, Any]], _T], names: tuple[str, ...] = ()
) -> _T | None:
    """Parse an object, or where `names` are given, also a list of their values."""
    if text is None:
        return None
    try:
        values = json.loads(text)
        if names and isinstance(values, list):
            values = dict(zip(names, values, strict=False))
        return parse(values) if isinstance(values, dict) else None
    except (ValueError, TypeError, KeyError, RecursionError, UserError):
        return None
