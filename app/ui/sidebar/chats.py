"""The chats as rows for a list view, with a heading over each group."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from operator import attrgetter
from typing import Any

from PySide6.QtCore import QDate, QLocale, QModelIndex, QPersistentModelIndex, QStringListModel, Qt, Signal

from app.domain.chat import Chat
from app.domain.language import _, current

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Heading:
    """The row over a group."""

    text: str


class ChatRole(IntEnum):
    """What a row answers beside its text."""

    CHAT = Qt.ItemDataRole.UserRole  # the Chat, or None for a heading
    OPEN = Qt.ItemDataRole.UserRole + 1  # whether it is the chat in the window
    LIVE = Qt.ItemDataRole.UserRole + 2  # whether it is being answered


class ChatList(QStringListModel):
    """Pinned chats, then today's, yesterday's, last week's, and the rest by month.

    Built on a model of Qt's own for its count of rows alone: a view that lays out asks for it twice
    a row, which takes 25 ms for ten thousand chats where the answer comes from Python.

    Attributes:
        now: Returns seconds since the epoch: the clock that makes today today.

    Signals:
        rearranging: The rows are about to be others.
        rename_requested: The id of a chat and the title that was typed for it.
    """

    rearranging = Signal()
    rename_requested = Signal(int, str)

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.now = now
        self._chats: dict[int, Chat] = {}
        self._rows: list[Heading | Chat] = []
        self._filter = ""
        self._open: int | None = None
        self._live: frozenset[int] = frozenset()

    @property
    def empty(self) -> bool:
        """Return whether there is no chat at all, filtered out or not."""
        return not self._chats

    def set_chats(self, chats: Iterable[Chat]) -> None:
        """Show these chats instead of all others."""
        self._chats = {chat.id: chat for chat in chats}
        self.regroup()

    def put(self, chat: Chat) -> None:
        """Add a chat, or show its newer state."""
        self._chats[chat.id] = chat
        self.regroup()

    def remove(self, chat_id: int) -> None:
        """Take a chat off the list."""
        if self._chats.pop(chat_id, None) is not None:
            self.regroup()

    def set_filter(self, text: str) -> None:
        """Show only the chats with all words of `text` in their titles."""
        self._filter = text
        self.regroup()

    def set_open(self, chat_id: int | None) -> None:
        """Mark the chat that is in the window."""
        self._open = chat_id
        self._repaint()

    def set_live(self, chat_ids: Iterable[int]) -> None:
        """Mark the chats that are being answered."""
        live = frozenset(chat_ids)
        if live != self._live:
            self._live = live
            self._repaint()

    def row_of(self, chat_id: int | None) -> QModelIndex:
        """Return where a chat stands; an invalid index when it is not shown."""
        for row, shown in enumerate(self._rows):
            if isinstance(shown, Chat) and shown.id == chat_id:
                return self.index(row)
        return QModelIndex()

    def neighbour(self, chat_id: int | None, step: int) -> int | None:
        """Return the id of the chat `step` rows of chats below; from no chat, the first or the last one."""
        ids = [shown.id for shown in self._rows if isinstance(shown, Chat)]
        if not ids:
            return None
        if chat_id not in ids:
            return ids[0 if step > 0 else -1]
        place = ids.index(chat_id) + step
        return ids[place] if 0 <= place < len(ids) else None

    def regroup(self) -> None:
        """Write the rows anew: after a change, and when another day has begun."""
        rows = self._grouped()
        if _identities(rows) == _identities(self._rows):
            self._rows = rows
            self._repaint()
        else:
            self.rearranging.emit()
            self._rows = rows
            self.setStringList([""] * len(rows))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        shown = self._rows[index.row()]
        if isinstance(shown, Heading):
            return shown.text if role == Qt.ItemDataRole.DisplayRole else None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return shown_title(shown)
            case Qt.ItemDataRole.EditRole:
                return shown.title
            case Qt.ItemDataRole.AccessibleTextRole:
                title = shown_title(shown)
                return _("{title}, being answered").format(title=title) if shown.id in self._live else title
            case ChatRole.CHAT:
                return shown
            case ChatRole.OPEN:
                return shown.id == self._open
            case ChatRole.LIVE:
                return shown.id in self._live
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename a chat."""
        chat = index.data(ChatRole.CHAT)
        title = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or chat is None or title == chat.title:
            return False
        if title:  # an empty one is left to the first message, which the store knows
            self.put(replace(chat, title=title))
        self.rename_requested.emit(chat.id, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Say that headings are only to be read."""
        if not index.isValid() or isinstance(self._rows[index.row()], Heading):
            return Qt.ItemFlag.NoItemFlags
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemNeverHasChildren

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def _grouped(self) -> list[Heading | Chat]:
        words = self._filter.casefold().split()
        found = [
            chat
            for chat in self._chats.values()
            if not words or all(word in chat.title.casefold() for word in words)
        ]
        found.sort(key=attrgetter("pinned", "updated_at", "id"), reverse=True)
        calendar = _Calendar(self.now())
        rows: list[Heading | Chat] = []
        pinned, start = False, math.inf
        for chat in found:
            if chat.pinned:
                if not pinned:
                    rows.append(Heading(_("Pinned")))
                pinned = True
            elif chat.updated_at < start:
                start, name = calendar.group(chat.updated_at)
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


def shown_title(chat: Chat) -> str:
    """Return what a chat is called on screen."""
    return chat.title or _("New chat")


def _identities(rows: list[Heading | Chat]) -> list[str | int]:
    return [row.text if isinstance(row, Heading) else row.id for row in rows]
