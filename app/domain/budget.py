"""What of a long chat the model still sees: tokens by part, and the rules by which older messages give way.

Everything here is data and arithmetic. A *message* is one of a path through a chat; a *turn* begins with what
a person says. What the model reads is always: the system prompt, the summary if there is one, the pinned
messages that lie before the first that is seen, and every message from that one on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

WATCH = 0.75
"""From this share of what a prompt may take, a chat is about to outgrow its context."""
TARGET = 0.6
"""Down to this share older turns go at once: so most prompts begin as the one before, and little is read."""
AHEAD = 0.40
"""What a summary that is made ahead leaves room for: the chat grows on while it is being written."""
_ROOM_SHARE, _MOST_ROOM = 4, 1024  # of the context, for an answer without a limit of its own
_LEAST_ROOM, _LEAST_SHARE = 32, 16
_SUMMARY_SHARE, _LEAST_SUMMARY, _MOST_SUMMARY = 6, 48, 512


class Policy(StrEnum):
    """What happens when a chat outgrows its context. A chat without one is summarised."""

    SUMMARISE = "summarise"  # a summary stands for older turns
    DROP = "drop"  # the oldest turns are left out
    EXTEND = "extend"  # the context grows as far as memory goes; then the oldest turns are left out
    ASK = "ask"  # nothing more is sent


@dataclass(frozen=True, slots=True)
class Budget:
    """What the next message of a chat would send to the model, in tokens.

    Attributes:
        context: The context's size.
        exact: Counted by the model itself; False for an estimate by the length of the text.
        policy: What was chosen for this chat; None while nobody has.
        system: The system prompt, with what the chat template says itself.
        documents: Attached documents.
        summary: The summary that stands for older turns.
        pinned: Pinned messages.
        turns: All other messages that are seen.
        draft: What stands in the composer.
        room: Kept free for the answer.
        seen: The ids of the messages that the model would read, oldest first.
        unseen: The ids of the messages that it would not.
        summary_id: The summary that it would read; None for none.
        too_long: The draft with what must stay does not fit: sending it would be refused.
        waits: A summary has to be written before the answer can begin.
    """

    context: int
    exact: bool = True
    policy: Policy | None = None
    system: int = 0
    documents: int = 0
    summary: int = 0
    pinned: int = 0
    turns: int = 0
    draft: int = 0
    room: int = 0
    seen: tuple[int, ...] = ()
    unseen: tuple[int, ...] = ()
    summary_id: int | None = None
    too_long: bool = False
    waits: bool = False

    @property
    def used(self) -> int:
        """Return the tokens that would be sent."""
        return self.system + self.documents + self.summary + self.pinned + self.turns + self.draft

    @property
    def free(self) -> int:
        """Return the tokens that are neither sent nor kept free for the answer."""
        return max(0, self.context - self.used - self.room)

    @property
    def fraction(self) -> float:
        """Return how full the context is, from 0 to 1, the room for the answer counted as free."""
        return min(1.0, self.used / self.context) if self.context else 0.0

    @property
    def is_tight(self) -> bool:
        """Return whether the chat has outgrown its context, or is about to."""
        return bool(self.unseen) or self.too_long or self.used >= WATCH * (self.context - self.room)

    @property
    def asks(self) -> bool:
        """Return whether this is the moment to ask what shall happen: once, while nothing is chosen."""
        return self.policy is None and self.is_tight


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands for the older messages of a chat.

    Attributes:
        until_id: The last message it covers; it belongs to every version of the chat that goes through it.
        kept: What a person wrote of it, with which it begins: later summaries keep these words.
        created_at: Seconds since the epoch.
    """

    id: int
    chat_id: int
    until_id: int
    text: str
    kept: str = ""
    created_at: float = 0.0

    @property
    def edited(self) -> bool:
        """Return whether a person has changed it."""
        return bool(self.kept)


@dataclass(frozen=True, slots=True)
class Weight:
    """A message as choosing sees it.

    Attributes:
        tokens: What it takes, its frame in the template included.
        asks: A person says it: a turn begins here.
        pinned: It always stays.
    """

    tokens: int
    asks: bool
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """A summary as choosing sees it: it covers the messages before the one numbered `until`."""

    until: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What is sent.

    Attributes:
        start: The number of the first message from which on all are sent; those before only when pinned.
        digest: The summary that is sent; None for none.
        wanted: A summary of the messages before this number should be written first; None when not.
        tokens: What all of it takes.
    """

    start: int
    digest: Digest | None
    wanted: int | None
    tokens: int


def room_to_answer(context: int, max_tokens: int | None) -> int:
    """Return the tokens kept free for an answer of at most `max_tokens`; at most half of the context."""
    usual = min(_MOST_ROOM, context // _ROOM_SHARE)
    return min(usual if max_tokens is None else max_tokens, context // 2)


def least_room(context: int, max_tokens: int | None) -> int:
    """Return what is kept free when a message leaves no more."""
    return min(room_to_answer(context, max_tokens), max(_LEAST_ROOM, context // _LEAST_SHARE))


def summary_size(context: int) -> int:
    """Return how many tokens a summary may have."""
    return max(_LEAST_SUMMARY, min(_MOST_SUMMARY, context // _SUMMARY_SHARE))


class Rules:
    """What of one path fits into a prompt.

    Args:
        fixed: Tokens of the system prompt and of the template's frame.
        weights: The messages, oldest first; the last turn always stays.
        limit: The most tokens a prompt may have.
    """

    def __init__(self, fixed: int, weights: Sequence[Weight], limit: int) -> None:
        self.limit = limit
        self._weights = weights
        self._fixed = fixed
        self._before = list(accumulate((w.tokens for w in weights), initial=0))
        self._pinned = list(accumulate((w.tokens if w.pinned else 0 for w in weights), initial=0))
        begins = [number for number, weight in enumerate(weights) if weight.asks]
        self._last = begins[-1] if begins else 0
        self._starts = sorted({0, *begins})

    def cost(self, start: int, digest: int = 0) -> int:
        """Return the tokens of a prompt that begins at message `start`, with a summary of `digest` tokens."""
        return self._fixed + digest + self._pinned[start] + self._before[-1] - self._before[start]

    def choose(
        self,
        *,
        since: int = 0,
        held: Digest | None = None,
        ahead: Digest | None = None,
        summarises: bool = False,
        most_summary: int = 0,
    ) -> Choice | None:
        """Return what is sent, or None when not even the last turn fits beside what must stay.

        As long as it fits a prompt begins where the one before began, so that nothing is read twice. When it
        does not, it gives up a block of turns at once, down to `TARGET`.

        Args:
            since: Where the prompt before this one began.
            held: The summary that was sent with it.
            ahead: The newest summary there is.
            summarises: Whether a summary is to stand for what is given up.
            most_summary: The most tokens of one that has yet to be written.
        """
        since = min(since, self._last)
        if self.cost(0) <= (TARGET * self.limit if since else self.limit):
            return self._choice(0, None)
        held = held if held and held.until <= since else None
        if since and self._fits(since, held):
            return self._choice(since, held)
        ahead = ahead if ahead and 0 < ahead.until <= self._last else None
        if not summarises:
            return self._dropped(since, ahead or held)
        if ahead and ahead.until > since and self._fits(ahead.until, ahead):
            return self._choice(ahead.until, ahead)
        start = self._first_within(TARGET * self.limit, since, most_summary)
        written = ahead is not None and ahead.until >= start  # and yet too long
        if not start or written or self.cost(start, most_summary) > self.limit:
            return self._dropped(since, ahead or held)
        return Choice(start, None, start, self.cost(start, most_summary))

    def ahead(self, *, since: int, held: int, most_summary: int) -> int | None:
        """Return up to which message a summary should be written now; None while there is time.

        Args:
            since: Where the last prompt began.
            held: Tokens of the summary that it held.
            most_summary: The most tokens of the new one.
        """
        since = min(since, self._last)
        if self.cost(since, held) < WATCH * self.limit:
            return None
        start = self._first_within(AHEAD * self.limit, since, most_summary)
        return start if start > since else None

    def readable(self, start: int, end: int, extra: int) -> int:
        """Return up to which beginning of a turn, `end` at most, the messages from `start` on fit at once.

        Args:
            start: The first of them; the result when not even one turn fits.
            end: Where to stop.
            extra: Tokens that are to be read beside them and the pinned messages.
        """
        most = self.limit - self._fixed - self._pinned[start] - extra
        return max(
            (n for n in self._starts if start < n <= end and self._before[n] - self._before[start] <= most),
            default=start,
        )

    def _dropped(self, since: int, digest: Digest | None) -> Choice | None:
        for kept in (digest, None):
            start = self._first_within(TARGET * self.limit, since, kept.tokens if kept else 0)
            kept = kept if kept and kept.until <= start else None
            if self._fits(start, kept):
                return self._choice(start, kept)
        return None

    def _first_within(self, tokens: float, since: int, digest: int) -> int:
        """Return the earliest beginning after `since` of a prompt of at most `tokens`, or the latest."""
        later = (start for start in self._starts if start > since)
        return next((start for start in later if self.cost(start, digest) <= tokens), self._last)

    def _fits(self, start: int, digest: Digest | None) -> bool:
        return self.cost(start, digest.tokens if digest else 0) <= self.limit

    def _choice(self, start: int, digest: Digest | None) -> Choice:
        return Choice(start, digest, None, self.cost(start, digest.tokens if digest else 0))


def horizon(path: Sequence[tuple[int, int | None]]) -> int | None:
    """Return the id of the message above which the transcript draws its line; None for no line.

    Args:
        path: For each message of a path its id and its `Message.seen_from`, oldest first.
    """
    ids = {message_id for message_id, _seen_from in path}
    newest = next((seen_from for _id, seen_from in reversed(path) if seen_from is not None), None)
    return newest if newest in ids and newest != path[0][0] else None
