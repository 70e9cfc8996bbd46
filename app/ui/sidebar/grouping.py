"""Which rows the sidebar has, for these chats and folders: headings, folders, the archive, and the chats."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

from PySide6.QtCore import QDate, QLocale

from app.domain.chat import Chat, Folder
from app.domain.language import _, current


class Order(StrEnum):
    """By what chats are sorted."""

    USED = "used"
    NEWEST = "newest"
    TITLE = "title"


class Place(StrEnum):
    """Where chats stand."""

    PINNED = "pinned"
    FOLDERS = "folders"
    REST = "rest"
    ARCHIVE = "archive"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Heading:
    """The row over a group."""

    text: str
    place: Place = Place.REST


@dataclass(frozen=True, slots=True)
class Drawer:
    """A row that can be opened: a folder, the archive, or what leads to the deleted chats.

    Attributes:
        count: How many chats lie in it; None where that is not counted.
        open: Whether they are listed below it.
        folder_id: For a folder.
    """

    text: str
    place: Place
    count: int | None = None
    open: bool = False
    folder_id: int | None = None

    @property
    def key(self) -> str:
        """Return what it is remembered by."""
        return self.place if self.folder_id is None else f"{self.folder_id}"


Row = Heading | Drawer | Chat


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person wants to see the chats.

    Attributes:
        words: Only those with all of these, in lower case, in their titles or tags.
        order: By what they are sorted.
        opened: The keys of the drawers that are open.
    """

    words: tuple[str, ...] = ()
    order: Order = Order.USED
    opened: frozenset[str] = frozenset()


_KEYS: dict[Order, tuple[Callable[[Chat], Any], bool]] = {
    Order.USED: (attrgetter("updated_at", "id"), True),
    Order.NEWEST: (attrgetter("created_at", "id"), True),
    Order.TITLE: (lambda chat: (chat.title.casefold(), chat.id), False),
}


def grouped(
    chats: Iterable[Chat], folders: Iterable[Folder], wishes: Wishes, now: float, *, trash: bool = False
) -> list[Row]:
    """Return the rows. Searching finds chats wherever they lie, and shows no folders.

    Args:
        chats: All that are not deleted.
        folders: In their order.
        wishes: What is wanted of them.
        now: Seconds since the epoch.
        trash: Whether something was deleted that can be brought back.
    """
    pinned: list[Chat] = []
    rest: list[Chat] = []
    archived: list[Chat] = []
    inside: dict[int, list[Chat]] = {} if wishes.words else {folder.id: [] for folder in folders}
    for chat in chats:
        if wishes.words and not _has(chat, wishes.words):
            continue
        if chat.archived:
            archived.append(chat)
        elif chat.pinned:
            pinned.append(chat)
        else:
            inside.get(chat.folder_id or 0, rest).append(chat)
    rows: list[Row] = []
    if pinned:
        rows += [Heading(_("Pinned"), Place.PINNED), *_sorted(pinned, wishes.order)]
    if inside:
        rows.append(Heading(_("Folders"), Place.FOLDERS))
        for folder in folders:
            within = inside[folder.id]
            drawer = Drawer(
                folder.name, Place.FOLDERS, len(within), str(folder.id) in wishes.opened, folder.id
            )
            rows += [drawer, *(_sorted(within, wishes.order) if drawer.open else ())]
    rows += _by_time(_sorted(rest, wishes.order), wishes.order, now)
    if archived and wishes.words:
        rows += [Heading(_("Archive"), Place.ARCHIVE), *_sorted(archived, wishes.order)]
    elif archived:
        drawer = Drawer(_("Archive"), Place.ARCHIVE, len(archived), Place.ARCHIVE in wishes.opened)
        rows += [drawer, *(_sorted(archived, wishes.order) if drawer.open else ())]
    if trash and not wishes.words:
        rows.append(Drawer(_("Recently deleted"), Place.TRASH))
    return rows


def _has(chat: Chat, words: tuple[str, ...]) -> bool:
    text = " ".join((chat.title, *chat.tags)).casefold()
    return all(word in text for word in words)


def _sorted(chats: list[Chat], order: Order) -> list[Chat]:
    key, reverse = _KEYS[order]
    chats.sort(key=key, reverse=reverse)
    return chats


def _by_time(chats: list[Chat], order: Order, now: float) -> list[Row]:
    if order is Order.TITLE:
        return [Heading(_("By title")), *chats] if chats else []
    calendar, start = _Calendar(now), math.inf
    rows: list[Row] = []
    for chat in chats:
        moment = chat.updated_at if order is Order.USED else chat.created_at
        if moment < start:
            start, name = calendar.group(moment)
            rows.append(Heading(name))
        rows.append(chat)
    return rows


class _Calendar:
    """Names the group of a moment, given moments from the newest to the oldest."""

    def __init__(self, now: float) -> None:
        today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
        self._year = today.year
        self._starts = [
            ((today - timedelta(days=days)).timestamp(), name)
            for days, name in ((0, _("Today")), (1, _("Yesterday")), (7, _("Last week")))
        ]

    def group(self, moment: float) -> tuple[float, str]:
        """Return when the group of `moment` begins, in seconds since the epoch, and its name."""
        while self._starts and moment < self._starts[0][0]:
            del self._starts[0]
        if not self._starts:
            day = datetime.fromtimestamp(moment)
            # Translators: a month of this year, and of an earlier one, in the letters of QLocale::toString.
            form = _("MMMM") if day.year == self._year else _("MMMM yyyy")
            name = QLocale(current()).toString(QDate(day.year, day.month, 1), form)
            first = day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            return first.timestamp(), name
        return self._starts[0]
