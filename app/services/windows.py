"""What an answer is asked with: the conversation, and what may be left out where it does not fit."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from app.domain.budget import Policy, Summary
from app.domain.chat import Chat, Message
from app.domain.generation import Request, Standing, Turn, Window
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model
from app.domain.settings import Settings


class Writer(NamedTuple):
    """What answers: a model, how it is loaded, and what is laid over it."""

    model: Model
    options: LoadOptions | None = None
    adapters: tuple[Adapter, ...] = ()


def request_for(
    chat: Chat,
    path: Sequence[Message],
    summaries: Iterable[Summary],
    settings: Settings,
    writer: Writer,
    *,
    continues: bool = False,
) -> Request:
    """Return what is asked of the engine for the answer to `path`, or, with `continues`, for its rest."""
    return Request(
        writer.model.path,
        turns_of(chat, path),
        extended(chat, settings),
        continues=continues,
        options=writer.options or LoadOptions(),
        adapters=writer.adapters,
        chat=chat.id,
        window=window_of(chat, path, summaries),
    )


def window_of(chat: Chat, path: Sequence[Message], summaries: Iterable[Summary]) -> Window:
    """Return what may be left out of `path` for its next answer, from what its answers so far saw."""
    places = {message.id: number for number, message in enumerate(path)}
    known = [] if chat.policy is Policy.DROP else list(summaries)
    last = next((m for m in reversed(path) if m.seen_from is not None), None)
    held = next((s for s in known if last and s.id == last.summary_id and s.until_id in places), None)
    usable = [summary for summary in known if summary.until_id in places]
    ahead = max(usable, key=lambda summary: (places[summary.until_id], summary.id), default=None)
    return Window(
        chat.policy or Policy.SUMMARISE,
        frozenset(number for number, message in enumerate(path) if message.pinned),
        places.get(last.seen_from, 0) if last and last.seen_from else 0,
        None if held is None else _standing(held, places),
        None if ahead is None else _standing(ahead, places),
    )


def standing_id(
    path: Sequence[Message], summaries: Iterable[Summary], standing: Standing | None
) -> int | None:
    """Return the id of the summary that a request held as `standing`."""
    places = {message.id: number for number, message in enumerate(path)}
    usable = [summary for summary in summaries if summary.until_id in places]
    return next((s.id for s in reversed(usable) if _standing(s, places) == standing), None)


def turns_of(chat: Chat, path: Iterable[Message]) -> tuple[Turn, ...]:
    """Return a whole conversation: the system prompt of the chat, and the messages of `path`."""
    system = [Turn("system", chat.system_prompt)] if chat.system_prompt else []
    return (*system, *(Turn(str(m.role), m.text, m.reasoning) for m in path))


def extended(chat: Chat, settings: Settings) -> Settings:
    """Return `settings` with the context of the chat, where that has one of its own."""
    return settings if chat.context is None else replace(settings, context=chat.context)


def _standing(summary: Summary, places: dict[int, int]) -> Standing:
    return Standing(places[summary.until_id] + 1, summary.text, summary.kept)
