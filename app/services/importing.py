"""Chats from other apps, and from files of our own: first what would come, then all of it or nothing."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from app.domain.errors import UserError
from app.domain.language import _
from app.domain.whole_chat import WholeChat, marks
from app.services.imports.containers import Entry, entries
from app.services.imports.shapes import LeftOut
from app.services.imports.sources import Arrival, arrivals
from app.services.running import Running
from app.services.threads import Threads
from app.storage.whole_chats import WholeChats

_BATCH_MESSAGES, _BATCH_TEXT = 1000, 2 * 2**20  # of one transaction: others wait no longer than for these
_ERASED_AT_ONCE = 50
MOST_NAMED = 200


@dataclass(slots=True)
class Found:
    """What files bring.

    Attributes:
        sources: What the apps are called that wrote the files, and how many chats each has.
        chats, messages: How many would come, or have come.
        versions: How many of the messages are other versions of one.
        first, last: When the oldest and the newest of the chats were begun, in seconds since the epoch.
        titles: Of the first chats.
        known: How many chats are here already, or are in the files twice.
        left_out: What cannot be taken over and why; the first ones of `left_out_count`.
        ids: Of the chats that have come.
    """

    sources: dict[str, int] = field(default_factory=dict)
    chats: int = 0
    messages: int = 0
    versions: int = 0
    first: float = 0.0
    last: float = 0.0
    titles: list[str] = field(default_factory=list)
    known: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    left_out_count: int = 0
    ids: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {
            "sources": self.sources,
            "chats": self.chats,
            "messages": self.messages,
            "versions": self.versions,
            "first": self.first or None,
            "last": self.last or None,
            "already_here": self.known,
            "left_out": [{"what": each.what, "reason": each.reason} for each in self.left_out],
            "left_out_count": self.left_out_count,
            "ids": list(self.ids),
        }


class Importing:
    """Reads files of chats on a thread of its own. Chats are recognised by what was said in them."""

    def __init__(self, store: WholeChats, backup: Callable[[], "Future[Any]"] | None = None) -> None:
        """Wire the service.

        Args:
            store: Where the chats go.
            backup: Makes a copy of what is here, before anything is added; None for none.
        """
        self._store = store
        self._backup = backup or _no_backup
        self._threads = Threads(1, "importing")
        self._running: Running[Found] | None = None

    def begin(self) -> None:
        """Take away what an import that broke off has left."""
        self._threads.submit(self._tidy)

    def preview(self, paths: Sequence[Path]) -> Running[Found]:
        """Read files, folders and archives, and say what would come; nothing is changed."""
        self._running = Running(self._threads, lambda running: self._read(paths, running))
        return self._running

    def commit(self, paths: Sequence[Path]) -> Running[Found]:
        """Take over what `preview` has found: all of it in one step that can be undone, or nothing.

        The future fails with a UserError when it cannot be stored; it is cancelled when it was stopped.
        """
        self._running = Running(self._threads, lambda running: self._take(paths, running))
        return self._running

    def close(self) -> None:
        """Stop what is on its way, and end the thread."""
        if self._running is not None:
            self._running.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)

    # On the thread.

    def _read(self, paths: Sequence[Path], running: Running[Found]) -> Found:
        found = Found()
        for _whole in self._new(paths, running, found):
            pass
        return found

    def _take(self, paths: Sequence[Path], running: Running[Found]) -> Found:
        self._tidy()
        found = Found()
        try:
            self._store_all(self._new(paths, running, found))
            running.advance()
        except (UserError, CancelledError):
            self._tidy()
            raise
        found.ids = tuple(self._store.show().result()) if found.chats else ()
        return found

    def _store_all(self, chats: Iterator[WholeChat]) -> None:
        """Store chats, a batch while the next is being read; before the first of them comes a backup."""
        batch: list[WholeChat] = []
        messages = length = 0
        before: Future[Any] | None = None
        try:
            for whole in chats:
                before = before or self._backup()
                batch.append(whole)
                messages += len(whole.messages) + 1
                length += sum(len(message.text) + len(message.reasoning) for message in whole.messages)
                if messages >= _BATCH_MESSAGES or length >= _BATCH_TEXT:
                    before.result()
                    before, batch, messages, length = self._store.insert(batch), [], 0, 0
        finally:
            if before is not None:
                before.result()  # also when it all ends: nothing may be stored after that
        if batch:
            self._store.insert(batch).result()

    def _new(self, paths: Sequence[Path], running: Running[Found], found: Found) -> Iterator[WholeChat]:
        """Return the chats that are not here yet, and count everything in `found`."""
        known = _Known(self._store)
        size = max(1, sum(entry.size for entry in entries(paths) if isinstance(entry, Entry)))
        read = 0

        def advance(count: int) -> None:
            nonlocal read
            read += count
            running.advance(read / size, found.chats)

        for each in arrivals(paths, advance):
            running.advance(count=found.chats)
            if isinstance(each, LeftOut):
                found.left_out_count += 1
                if len(found.left_out) < MOST_NAMED:
                    found.left_out.append(each)
            elif known.has(each.whole):
                found.known += 1
            else:
                _count(found, each)
                yield each.whole

    def _tidy(self) -> None:
        left = self._store.left_behind().result()
        for at in range(0, len(left), _ERASED_AT_ONCE):
            self._store.erase(left[at : at + _ERASED_AT_ONCE]).result()


def _no_backup() -> "Future[Any]":
    done: Future[Any] = Future()
    done.set_result(None)
    return done


class _Known:
    """The conversations that are here, and those that came before in the same files."""

    def __init__(self, store: WholeChats) -> None:
        self._store = store
        self._beginnings = store.beginnings().result()
        self._marks: dict[int, frozenset[bytes]] = {}
        self._seen: set[bytes] = set()

    def has(self, whole: WholeChat) -> bool:
        """Return whether every message is in one chat that is here; such chats may have gone on since."""
        found = marks(whole.messages)
        if not found:
            return False
        same = blake2b(b"".join(sorted(found)), digest_size=16).digest()
        if same in self._seen:
            return True
        self._seen.add(same)
        roots = [
            each for each, message in zip(found, whole.messages, strict=True) if message.parent_id is None
        ]
        candidates = set.intersection(*(set(self._beginnings.get(root, ())) for root in roots))
        return any(self._marks_of(chat_id).issuperset(found) for chat_id in candidates)

    def _marks_of(self, chat_id: int) -> frozenset[bytes]:
        if chat_id not in self._marks:
            self._marks[chat_id] = self._store.marks(chat_id).result()
        return self._marks[chat_id]


def _count(found: Found, arrival: Arrival) -> None:
    whole = arrival.whole
    found.sources[arrival.source] = found.sources.get(arrival.source, 0) + 1
    found.chats += 1
    found.messages += len(whole.messages)
    found.versions += len(whole.messages) - len({message.parent_id for message in whole.messages})
    begun = whole.chat.created_at
    found.first = min(found.first or begun, begun)
    found.last = max(found.last, begun)
    if len(found.titles) < MOST_NAMED:
        found.titles.append(whole.chat.title)


def nothing_found(found: Found) -> UserError | None:
    """Return what to say when nothing would come; None when something would."""
    if found.chats:
        return None
    if found.known:
        return UserError(_("All these chats are here already."))
    if found.left_out:
        first = found.left_out[0]
        return UserError(
            _("No chats could be read from {name}.").format(name=first.what),
            first.reason,
        )
    return UserError(
        _("Fireside found no chats there."),
        _("Choose a file that another app has exported, or a folder of such files."),
    )
