"""The chats as rows for a list view, with a heading over each group."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionRange,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
    Signal,
)

from app.domain.chat import Chat, Folder
from app.domain.language import _, plural
from app.ui.sidebar.grouping import Drawer, Heading, Order, Row, Wishes, grouped

Index = QModelIndex | QPersistentModelIndex

DRAGGED = "application/x-fireside-chats"
"""The type of what is dragged from the list: the ids of chats, as JSON."""


class ChatRole(IntEnum):
    """What a row answers beside its text."""

    CHAT = Qt.ItemDataRole.UserRole  # the Chat, or None for a heading
    OPEN = Qt.ItemDataRole.UserRole + 1  # whether it is the chat in the window
    LIVE = Qt.ItemDataRole.UserRole + 2  # whether it is being answered
    ROW = Qt.ItemDataRole.UserRole + 3  # the Chat, Heading or Drawer
    INDENTED = Qt.ItemDataRole.UserRole + 4  # whether it stands below a drawer


class ChatList(QStringListModel):
    """Pinned chats, folders, then today's, yesterday's, last week's, and the rest by month; the archive last.

    Built on a model of Qt's own for its count of rows alone: a view that lays out asks for it twice
    a row, which takes 25 ms for ten thousand chats where the answer comes from Python.

    Attributes:
        now: Returns seconds since the epoch: the clock that makes today today.
        folders: In their order.
        known: Whether the chats have been read.

    Signals:
        rearranging: The rows are about to be others.
        rename_requested: The id of a chat and the title that was typed for it.
        folder_rename_requested: The id of a folder and the name that was typed for it.
        wishes_changed: Another order, or another drawer is open.
    """

    rearranging = Signal()
    rename_requested = Signal(int, str)
    folder_rename_requested = Signal(int, str)
    wishes_changed = Signal()

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.now = now
        self._chats: dict[int, Chat] = {}
        self.folders: list[Folder] = []
        self.known = False
        self._rows: list[Row] = []
        self._wishes = Wishes()
        self._trash = False
        self._open: int | None = None
        self._live: frozenset[int] = frozenset()

    @property
    def empty(self) -> bool:
        """Return whether there is no chat at all, filtered out or not."""
        return not self._chats

    @property
    def open_id(self) -> int:
        """Return the id of the chat that is in the window; 0 for none."""
        return self._open or 0

    def set_chats(self, chats: Iterable[Chat]) -> None:
        """Show these chats instead of all others."""
        self._chats = {chat.id: chat for chat in chats}
        self.known = True
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
        """Show only the chats with all words of `text` in their titles or tags."""
        self._wishes = replace(self._wishes, words=tuple(text.casefold().split()))
        self.regroup()

    def set_folders(self, folders: Iterable[Folder]) -> None:
        """Show these folders."""
        self.folders = list(folders)
        self.regroup()

    def set_trash(self, trash: bool) -> None:
        """Lead to the deleted chats, if there is something deleted."""
        if trash != self._trash:
            self._trash = trash
            self.regroup()

    @property
    def order(self) -> Order:
        """Return by what the chats are sorted."""
        return self._wishes.order

    @property
    def opened(self) -> frozenset[str]:
        """Return the keys of the drawers that are open."""
        return self._wishes.opened

    def wish(self, *, order: Order | None = None, opened: Iterable[str] | None = None) -> None:
        """Sort by something else, or open other drawers."""
        self._wishes = replace(
            self._wishes,
            order=self._wishes.order if order is None else order,
            opened=self._wishes.opened if opened is None else frozenset(opened),
        )
        self.regroup()
        self.wishes_changed.emit()

    def toggle(self, drawer: Drawer, *, open_: bool | None = None) -> None:
        """Open a drawer that is closed, or close it; with `open_` make sure of either."""
        if open_ is None or open_ != drawer.open:
            self.wish(opened=self._wishes.opened ^ {drawer.key})

    def tags(self) -> list[str]:
        """Return all tags, in the order of their names."""
        return sorted({tag for chat in self._chats.values() for tag in chat.tags}, key=str.casefold)

    def found(self, ids: Iterable[int]) -> list[Chat]:
        """Return those chats that are there."""
        return [self._chats[each] for each in ids if each in self._chats]

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

    def rows_of(self, chat_ids: Iterable[int]) -> QItemSelection:
        """Return where those chats stand that are shown."""
        wanted, found = frozenset(chat_ids), QItemSelection()
        first: int | None = None
        for row, shown in enumerate([*self._rows, None]):
            here = isinstance(shown, Chat) and shown.id in wanted
            if here and first is None:
                first = row
            elif not here and first is not None:
                found.append(QItemSelectionRange(self.index(first), self.index(row - 1)))
                first = None
        return found

    def chats_in(self, chosen: QItemSelection) -> list[Chat]:
        """Return the chats that stand in some rows, from above."""
        ranges = [chosen.at(number) for number in range(chosen.size())]
        rows = sorted(row for each in ranges for row in range(each.top(), each.bottom() + 1))
        return [shown for row in rows if isinstance(shown := self._rows[row], Chat)]

    def row_of_folder(self, folder_id: int) -> QModelIndex:
        """Return where a folder stands; an invalid index when it is not shown."""
        for row, shown in enumerate(self._rows):
            if isinstance(shown, Drawer) and shown.folder_id == folder_id:
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
        if role == ChatRole.ROW:
            return shown
        if not isinstance(shown, Chat):
            return _of_group(shown, role)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return shown_title(shown)
            case Qt.ItemDataRole.EditRole:
                return shown.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(shown)
            case ChatRole.CHAT:
                return shown
            case ChatRole.OPEN:
                return shown.id == self._open
            case ChatRole.LIVE:
                return shown.id in self._live
            case ChatRole.INDENTED:
                below = shown.archived or (shown.folder_id is not None and not shown.pinned)
                return below and not self._wishes.words
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename a chat or a folder."""
        shown = index.data(ChatRole.ROW)
        title = " ".join(str(value).split())
        if isinstance(shown, Drawer) and shown.folder_id is not None:
            if title and title != shown.text:
                self.folder_rename_requested.emit(shown.folder_id, title)
            return bool(title)
        if role != Qt.ItemDataRole.EditRole or not isinstance(shown, Chat) or title == shown.title:
            return False
        if title:  # an empty one is left to the first message, which the store knows
            self.put(replace(shown, title=title))
        self.rename_requested.emit(shown.id, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Say that headings are only to be read, and that chats can be dragged."""
        flag = Qt.ItemFlag
        shown = self._rows[index.row()] if index.isValid() else None
        if isinstance(shown, Chat):
            chat = flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemIsDragEnabled
            return chat | flag.ItemIsEnabled | flag.ItemNeverHasChildren
        if isinstance(shown, Drawer):
            edits = flag.ItemIsEditable if shown.folder_id is not None else flag.NoItemFlags
            return flag.ItemIsEnabled | flag.ItemNeverHasChildren | edits
        return flag.NoItemFlags

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return the chats among `indexes` as what is dragged."""
        ids = [chat.id for index in indexes if (chat := index.data(ChatRole.CHAT))]
        data = QMimeData()
        data.setData(DRAGGED, json.dumps(ids).encode())
        return data

    def _spoken(self, chat: Chat) -> str:
        spoken = shown_title(chat)
        if chat.tags:
            spoken = _("{title}, tags: {tags}").format(title=spoken, tags=", ".join(chat.tags))
        return _("{title}, being answered").format(title=spoken) if chat.id in self._live else spoken

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def _grouped(self) -> list[Row]:
        return grouped(self._chats.values(), self.folders, self._wishes, self.now(), trash=self._trash)


def shown_title(chat: Chat) -> str:
    """Return what a chat is called on screen."""
    return chat.title or _("New chat")


def _of_group(shown: Heading | Drawer, role: int) -> Any:
    """Answer one role of a row that is no chat."""
    if role == Qt.ItemDataRole.AccessibleTextRole and isinstance(shown, Drawer) and shown.count is not None:
        words = plural("{name}, {count} chat, {state}", "{name}, {count} chats, {state}", shown.count)
        state = _("open") if shown.open else _("closed")
        return words.format(name=shown.text, count=shown.count, state=state)
    if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
        return shown.text
    return None


def _identities(rows: list[Row]) -> list[Row | int]:
    return [row.id if isinstance(row, Chat) else row for row in rows]
