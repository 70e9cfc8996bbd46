"""What is looked for in the history, and what was found."""

import re
from dataclasses import dataclass, field
from itertools import islice

from app.domain.chat import Role
from app.domain.search_text import Phrase, parse, pattern
from app.domain.shown_text import shown_text

SNIPPET = 180
"""Characters of a text that are shown of a message."""
_BEFORE = 48  # of them before the first match
_MOST_MATCHES = 60  # among which the best part of a text is chosen
_BARS = re.compile(r"\s*\|\s*")  # of tables


@dataclass(frozen=True, slots=True)
class Query:
    """What a person looks for.

    Attributes:
        text: As typed: see `app.domain.search_text.parse`.
        model: Only answers of the model of this name.
        role: Only what a person, or a model, has said.
        since, until: Only what was said from `since` on and before `until`, in seconds since the epoch.
        folder_id: Only chats in this folder.
        tag: Only chats with this tag.
        code: Only messages with a block of code.
        chat_id: Only this chat.
    """

    text: str = ""
    model: str = ""
    role: Role | None = None
    since: float | None = None
    until: float | None = None
    folder_id: int | None = None
    tag: str = ""
    code: bool = False
    chat_id: int | None = None

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """Return what must all be found in a message; empty when nothing is looked for."""
        return parse(self.text)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text, and the parts of it, by start and end, that were looked for."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found.

    Attributes:
        title: Of its chat.
        created_at: Seconds since the epoch.
        model: The name of the model that wrote it, or empty.
    """

    message_id: int
    chat_id: int
    title: str
    role: Role
    created_at: float
    model: str
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a query.

    Attributes:
        hits: Messages, the newest first.
        more: There are others beyond these.
        waiting: How many messages are not prepared for searching yet: they were not looked at.
    """

    hits: list[Hit] = field(default_factory=list)
    more: bool = False
    waiting: int = 0


def snippet(text: str, phrases: tuple[Phrase, ...]) -> Snippet:
    """Return the part of a message that has most of what was looked for, without marks of Markdown."""
    wanted = pattern(phrases)
    start = 0 if wanted is None else _densest(text, wanted)
    begin = _word_start(text, max(0, start - _BEFORE)) if start > _BEFORE else 0
    cut = text[begin : begin + 2 * SNIPPET]
    shown = " ".join(_BARS.sub(" ", shown_text(cut)).split())
    if len(shown) > SNIPPET:
        shown = shown[:SNIPPET].rstrip() + "…"
    elif begin + 2 * SNIPPET < len(text):
        shown += "…"
    if begin:
        shown = "…" + shown
    marks = () if wanted is None else tuple(match.span() for match in wanted.finditer(shown))
    return Snippet(shown, marks)


def _densest(text: str, wanted: re.Pattern[str]) -> int:
    """Return where the part begins that holds the most different phrases."""
    matches = islice(wanted.finditer(text), 1 if wanted.groups == 1 else _MOST_MATCHES)
    places = [(match.start(), match.lastindex) for match in matches]
    best, start = 0, 0
    for number, (place, _phrase) in enumerate(places):
        near = {phrase for other, phrase in places[number:] if other < place + SNIPPET - _BEFORE}
        if len(near) > best:
            best, start = len(near), place
            if best == wanted.groups:
                break
    return start


def _word_start(text: str, place: int) -> int:
    """Return the beginning of the next word, if one begins soon: a snippet does not start inside of one."""
    space = text.find(" ", place, place + 16)
    return place if space < 0 else space + 1
