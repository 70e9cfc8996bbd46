"""Which source a file comes from, and what it brings."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from app.domain.chat_file import Unreadable
from app.domain.language import _
from app.domain.whole_chat import WholeChat
from app.services.imports import chatgpt, fireside, jan, llama_ui, lm_studio, open_webui, sharegpt
from app.services.imports.containers import Entry, entries
from app.services.imports.growing import MOST_MESSAGES
from app.services.imports.shapes import LeftOut, name, of
from app.services.imports.values import LONGEST, Value, values


class Source(Protocol):
    """A module of this package."""

    NAME: str

    def claims(self, value: dict[str, Any]) -> bool:
        """Return whether a value is one of its chats."""
        ...

    def chat(self, value: dict[str, Any]) -> WholeChat:
        """Read one."""
        ...


# The most particular first: the last ones would claim some of the others'.
SOURCES: tuple[Source, ...] = (fireside, chatgpt, jan, llama_ui, open_webui, lm_studio, sharegpt)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A chat that can be taken over."""

    whole: WholeChat
    source: str


def arrivals(paths: Sequence[Path], read: Callable[[int], None]) -> Iterator[Arrival | LeftOut]:
    """Return every chat in files, folders and archives, and what cannot be taken over.

    Args:
        paths: What a person has chosen.
        read: Told how many bytes have been read since the last time; may raise to end it all.
    """
    for entry in entries(paths):
        if isinstance(entry, LeftOut):
            yield entry
        elif entry.name.endswith(jan.MESSAGES) and not entry.chosen:
            continue  # read with its thread
        else:
            yield from _of_file(entry, read)


def _of_file(entry: Entry, read: Callable[[int], None]) -> Iterator[Arrival | LeftOut]:
    known = False
    found: Iterable[Value] = llama_ui.gathered(_opened(entry, read))
    if entry.name.rsplit("/", 1)[-1] == jan.THREAD:
        found = _thread(entry, found, read)
    for value in found:
        if value.damage:
            known = True
            yield LeftOut(entry.name, value.damage)
            continue
        content = of(value.content)
        source = next((each for each in SOURCES if each.claims(content)), None)
        if source is not None:
            known = True
            yield _taken(source, content, entry)
        elif known:
            yield LeftOut(entry.name, _("Something in it is not a chat."))
        elif not entry.chosen:
            return  # an archive holds other files too, none of whose business this is
        else:
            break
    if entry.chosen and not known:
        yield LeftOut(entry.name, _("Fireside does not know this kind of file."))


def _taken(source: Source, content: dict[str, Any], entry: Entry) -> Arrival | LeftOut:
    try:
        return Arrival(source.chat(content), source.NAME)
    except Unreadable as error:
        title = (
            name(content.get("title")) or name(content.get("name")) or name(of(content, "conv").get("name"))
        )
        return LeftOut(title or entry.name, str(error))


def _opened(entry: Entry, read: Callable[[int], None]) -> Iterator[Value]:
    try:
        raw = entry.open()
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        yield Value(None, damage=_("The file is damaged."))
        return
    with raw:
        yield from values(_Counted(raw, read))


def _thread(entry: Entry, found: Iterable[Value], read: Callable[[int], None]) -> Iterator[Value]:
    """Join a thread of Jan with its messages, which lie beside it."""
    thread = next(iter(found), Value(None))
    other = entry.beside(jan.MESSAGES)
    messages: list[Any] = []
    length = 0
    damage = thread.damage
    for value in () if other is None else _opened(other, read):
        length += value.length
        damage = damage or value.damage
        if length > LONGEST or len(messages) == MOST_MESSAGES:
            damage = _("It is far too long.")
            break
        messages.append(value.content)
    yield Value({"thread": of(thread.content), "messages": messages}, length, damage)


class _Counted:
    """A file that tells how much of it is read."""

    def __init__(self, raw: IO[bytes], tell: Callable[[int], None]) -> None:
        self._raw, self._tell = raw, tell

    def read(self, count: int = -1, /) -> bytes:
        """Read, and tell how much."""
        found = self._raw.read(count)
        self._tell(len(found))
        return found
