"""`fireside-chat`: a chat as JSON, with nothing left out, for backup and for other programs.

A file holds one JSON object for each chat, each on a line of its own (JSON Lines, https://jsonlines.org);
a file with one chat may be spread over several lines. The text is UTF-8. The JSON Schema is
assets/formats/fireside-chat-1.schema.json.

What an object holds; names that are not listed are to be ignored, and what is left out has the value that
is given here:

- `format`: "fireside-chat". `version`: 1; it grows only when a reader of an older one would go wrong.
- `title`, `system_prompt`, `draft` (what stands unsent), `model_path`, `folder` (its name): "".
- `created_at`, `updated_at`: seconds since 1970-01-01 UTC, with fractions.
- `pinned`, `archived`: false. `tags`: [].
- `policy` (what happens when the chat outgrows its context: "summarise", "drop", "extend", "ask"): null.
- `context` (tokens that the model sees at once, where the chat has its own): null.
- `tip`: the id of the last message of the version that is shown; null for a chat without messages.
- `messages`: a tree, as a list in which a parent comes before its children. Versions of a message are
  children of the same parent, the oldest first. Ids are whole numbers that hold in this object alone.
  - `id`; `parent`: an id, or null for a first message; `role`: "user", "assistant" or "system"; `text`.
  - `created_at`: as above. `pinned` (the model always sees it): false.
  - Of an answer: `status`: "complete", "cut" (by a limit), "stopped" (by a person), "interrupted" or
    "failed" with the sentence `error`; `model`: {`name`, `sha256`, `path`} or null; `reasoning`: what the
    model thought before, and `reasoning_seconds`: for how long; `settings`: the samplers, by the names of
    llama.cpp, or null; `stats`: tokens and seconds, or null.
  - `seen_from`: the first message that the model saw for this answer, `summary`: the summary that stood for
    those before; null.
  - `probabilities`: for each token [id, text, logprob, [[id, text, logprob] …]], the likeliest ones at its
    place last: [].
- `summaries`: [{`id`, `until`: the last message it covers, `text`, `kept`: its beginning that a person
  wrote, `created_at`}]: [].
"""

import math
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from json import dumps, loads
from typing import Any, TypeVar

from app.domain.budget import Policy, Summary
from app.domain.chat import Chat, Message, ModelIdentity, Role, Status
from app.domain.errors import UserError
from app.domain.generation import Choice, Chosen, Stats
from app.domain.language import _
from app.domain.settings import Settings
from app.domain.whole_chat import WholeChat

FORMAT, VERSION = "fireside-chat", 1
_DEFAULTS = {field.name: field.default for field in (*fields(Chat), *fields(Message), *fields(Summary))}
_LATEST = 253_402_300_799.0  # the end of the year 9999
_T = TypeVar("_T")
_Object = dict[str, Any]


class Unreadable(Exception):
    """A chat that cannot be taken over; the sentence says why."""


def to_object(whole: WholeChat) -> _Object:
    """Return a chat as JSON types."""
    chat = whole.chat
    made: _Object = {
        "format": FORMAT,
        "version": VERSION,
        "title": chat.title,
        "created_at": chat.created_at,
        "updated_at": chat.updated_at,
        "tip": chat.tip_id,
        "folder": whole.folder,
        "tags": list(chat.tags),
    }
    for name in ("system_prompt", "draft", "model_path", "pinned", "archived", "policy", "context"):
        _put(made, name, getattr(chat, name))
    made = {name: value for name, value in made.items() if value not in ("", [])}
    made["messages"] = [_message(message, whole) for message in whole.messages]
    if whole.summaries:
        made["summaries"] = [_summary(summary) for summary in whole.summaries]
    return made


def _message(message: Message, whole: WholeChat) -> _Object:
    made: _Object = {
        "id": message.id,
        "parent": message.parent_id,
        "role": str(message.role),
        "text": message.text,
        "created_at": message.created_at,
    }
    for name in ("status", "error", "reasoning", "reasoning_seconds", "pinned", "seen_from"):
        _put(made, name, getattr(message, name))
    if message.model is not None:
        made["model"] = {
            "name": message.model.name,
            "sha256": message.model.sha256,
            "path": message.model.path,
        }
    for name in ("settings", "stats"):
        value = getattr(message, name)
        if value is not None:
            made[name] = value.to_json()
    if message.summary_id is not None:
        made["summary"] = message.summary_id
    if chosen := whole.probabilities.get(message.id):
        made["probabilities"] = [
            [
                each.choice.token,
                each.choice.text,
                each.choice.logprob,
                [list(_values(top)) for top in each.top],
            ]
            for each in chosen
        ]
    return made


def _summary(summary: Summary) -> _Object:
    return {
        "id": summary.id,
        "until": summary.until_id,
        "text": summary.text,
        "kept": summary.kept,
        "created_at": summary.created_at,
    }


def _values(choice: Choice) -> tuple[int, str, float]:
    return choice.token, choice.text, choice.logprob


def _put(made: _Object, name: str, value: Any) -> None:
    if value != _DEFAULTS[name]:
        made[name] = value


def from_object(values: _Object) -> WholeChat:
    """Read what `to_object` wrote.

    Raises:
        Unreadable: When it is of a newer version, or not what the format says.
    """
    version = values.get("version")
    if isinstance(version, int) and version > VERSION:
        raise Unreadable(_("It was written by a newer version of Fireside."))
    if values.get("format") != FORMAT or version != VERSION:
        raise Unreadable(_("It is not in Fireside's format."))
    listed = _list(values, "messages")
    ids: set[int] = set()
    messages = tuple(_read_message(_object(each), ids) for each in listed)
    summaries = tuple(_read_summary(_object(each), ids) for each in _list(values, "summaries"))
    if len({summary.id for summary in summaries}) < len(summaries):
        raise Unreadable(_("Two of its summaries have the same number."))
    return WholeChat(
        _read_chat(values, ids),
        tuple(sorted(messages, key=lambda message: message.id)),
        tuple(sorted(summaries, key=lambda summary: summary.id)),
        _text(values, "folder"),
        {
            message.id: found
            for message, each in zip(messages, listed, strict=True)
            if (found := _chosen(each))
        },
    )


def _read_chat(values: _Object, ids: set[int]) -> Chat:
    tags = {tag.strip() for tag in _list(values, "tags") if isinstance(tag, str)}
    context = values.get("context")
    return Chat(
        1,
        _text(values, "title"),
        _reference(values, "tip", ids) or max(ids, default=None),
        _text(values, "model_path"),
        _text(values, "system_prompt"),
        _text(values, "draft"),
        values.get("pinned") is True,
        _moment(values, "created_at"),
        _moment(values, "updated_at"),
        _one_of(Policy, values.get("policy"), None),
        context if type(context) is int and 0 < context < 2**31 else None,
        archived=values.get("archived") is True,
        tags=tuple(sorted(tag for tag in tags if tag)),
    )


def _read_message(values: _Object, ids: set[int]) -> Message:
    number = values.get("id")
    if type(number) is not int or number in ids:
        raise Unreadable(_("Two of its messages have the same number, or one has none."))
    parent = values.get("parent")
    if parent is not None and (type(parent) is not int or parent not in ids or parent >= number):
        raise Unreadable(_("One of its messages comes before the one that it answers."))
    ids.add(number)
    role = _one_of(Role, values.get("role"), None)
    if role is None or not isinstance(values.get("text"), str):
        raise Unreadable(_("One of its messages has no text, or nobody who says it."))
    status = _one_of(Status, values.get("status"), Status.COMPLETE)
    return Message(
        number,
        1,
        parent,
        role,
        values["text"],
        Status.INTERRUPTED if status is Status.WRITING else status,
        _moment(values, "created_at"),
        _read_model(values.get("model")),
        _read_settings(values.get("settings")),
        _parsed(values.get("stats"), _read_stats),
        _text(values, "error"),
        _text(values, "reasoning"),
        _moment(values, "reasoning_seconds"),
        values.get("pinned") is True,
        _reference(values, "seen_from", ids),
        values["summary"] if type(values.get("summary")) is int else None,
    )


def _read_summary(values: _Object, ids: set[int]) -> Summary:
    number, until = values.get("id"), _reference(values, "until", ids)
    if type(number) is not int or until is None:
        raise Unreadable(_("One of its summaries does not say which messages it stands for."))
    return Summary(
        number, 1, until, _text(values, "text"), _text(values, "kept"), _moment(values, "created_at")
    )


def _read_model(values: Any) -> ModelIdentity | None:
    if not isinstance(values, dict):
        return None
    return ModelIdentity(_text(values, "name"), _text(values, "sha256"), _text(values, "path"))


def _read_settings(values: Any) -> Settings | None:
    # Most answers of a chat share them.
    return _settings(dumps(values)) if isinstance(values, dict) else None


@lru_cache(maxsize=64)
def _settings(text: str) -> Settings | None:
    return _parsed(loads(text), _checked)


def _checked(values: _Object) -> Settings:
    found = Settings.from_json(values).checked()
    texts = (found.grammar, found.json_schema, *found.dry_breakers)
    if not (isinstance(found.template_variables, dict) and all(isinstance(text, str) for text in texts)):
        raise TypeError
    return found


def _read_stats(values: _Object) -> Stats:
    found = Stats.from_json(values)
    for each in fields(Stats):
        value = getattr(found, each.name)
        if each.type in (int, float) and not (type(value) in (int, float) and math.isfinite(value)):
            raise TypeError
    if not all(isinstance(text, str) for text in (found.rope, found.kv_type, *found.samplers)):
        raise TypeError
    return found


def _chosen(values: _Object) -> tuple[Chosen, ...]:
    listed = values.get("probabilities")
    if not isinstance(listed, list):
        return ()
    try:
        return tuple(
            Chosen(_choice(token, text, logprob), tuple(_choice(*each) for each in top))
            for token, text, logprob, top in listed
        )
    except (TypeError, ValueError, OverflowError):
        return ()


def _choice(token: Any, text: Any, logprob: Any) -> Choice:
    if type(token) is not int or not isinstance(text, str) or not math.isfinite(logprob):
        raise TypeError
    return Choice(token, text, float(logprob))


def _parsed(values: Any, parse: Callable[[_Object], _T]) -> _T | None:
    """Return what makes sense; what does not is left out, so that it cannot hide its chat."""
    try:
        return parse(values) if isinstance(values, dict) else None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, UserError):
        return None


def _object(value: Any) -> _Object:
    if not isinstance(value, dict):
        raise Unreadable(_("Its messages are not in the form that they should have."))
    return value


def _list(values: _Object, name: str) -> list[Any]:
    value = values.get(name, [])
    if not isinstance(value, list):
        raise Unreadable(_("Its messages are not in the form that they should have."))
    return value


def _text(values: _Object, name: str) -> str:
    value = values.get(name, "")
    return value if isinstance(value, str) else ""


def _moment(values: _Object, name: str) -> float:
    value = values.get(name, 0.0)
    if type(value) not in (int, float) or not 0 <= value <= _LATEST or not math.isfinite(value):
        return 0.0
    return float(value)


def _reference(values: _Object, name: str, ids: set[int]) -> int | None:
    value = values.get(name)
    return value if type(value) is int and value in ids else None


def _one_of(kind: Any, value: Any, otherwise: Any) -> Any:
    return kind(value) if isinstance(value, str) and value in set(kind) else otherwise
