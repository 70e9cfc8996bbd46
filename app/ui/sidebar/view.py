"""The list of chats: opened, chosen, dragged, renamed and put in order by mouse or keyboard."""

import json
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.domain.chat import Chat
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.sidebar.chats import DRAGGED, ChatList, ChatRole
from app.ui.sidebar.grouping import Drawer, Heading, Place
from app.ui.sidebar.menus import chat_menu, folder_menu
from app.ui.sidebar.rows import RowDelegate

_ENTER = {Qt.Key.Key_Return, Qt.Key.Key_Enter}
_NOTHING = Qt.KeyboardModifier.NoModifier


class ChatView(QListView):
    """A list that scrolls the same with ten chats and with ten thousand.

    Attributes:
        export: Called with the ids of the chats to be written to a file; without, that is not offered.

    Signals:
        open_requested: The id of the chat to show.
        asked: What is wanted, the ids of chats, and what belongs to it: "pin" or "archive" and whether,
            "move" and a folder's id or None, "new-folder", "tag" or "untag" and a tag, "delete".
        folder_deleted: The id of a folder to be deleted.
        trash_requested: The chats that were deleted.
    """

    open_requested = Signal(int)
    asked = Signal(str, list, object)
    folder_deleted = Signal(int)
    trash_requested = Signal()

    def __init__(self, appearance: Appearance, chats: ChatList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._kept: tuple[int | None, list[int], int] = (None, [], 0)
        self._pressed: QModelIndex | None = None
        self.export: Callable[[list[int]], None] | None = None
        self._rows = RowDelegate(appearance, self)
        self.setItemDelegate(self._rows)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDropIndicatorShown(False)
        self.setAccessibleName(_("Chats"))
        chats.rearranging.connect(self._keep_place)
        self.setModel(chats)
        chats.modelReset.connect(self._restore_place)
        appearance.changed.connect(self.doItemsLayout)

    @property
    def chats(self) -> ChatList:
        """Return the model behind the view."""
        model = self.model()
        assert isinstance(model, ChatList)  # noqa: S101 -- set in the constructor
        return model

    def chosen(self) -> list[Chat]:
        """Return the chats that are chosen together; none when it is only one."""
        found = self.chats.chats_in(self.selectionModel().selection())
        return found if len(found) > 1 else []

    def rename_folder(self, folder_id: int) -> None:
        """Offer the name of a folder for editing."""
        self._edit(self.chats.row_of_folder(folder_id))

    # ---- keyboard

    def event(self, event: QEvent) -> bool:
        """Keep Esc while several chats are chosen: else it would stop the answer."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and self._rows.several
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Return, delete with Delete; F2 renames, Right and Left open and close a folder."""
        index, key = self.currentIndex(), event.key()
        row = index.data(ChatRole.ROW) if index.isValid() else None
        if self.state() == self.State.EditingState:
            super().keyPressEvent(event)
        elif key in _ENTER:
            self._open(index)
        elif key in {Qt.Key.Key_Right, Qt.Key.Key_Left} and isinstance(row, Drawer):
            self._toggle(row, open_=key == Qt.Key.Key_Right)
        elif key == Qt.Key.Key_Escape and self._rows.several:
            self.clearSelection()
        elif key == Qt.Key.Key_Delete and (ids := self._ids_at(index)):
            self.asked.emit("delete", ids, None)
        elif key == Qt.Key.Key_Delete and isinstance(row, Drawer) and row.folder_id is not None:
            self.folder_deleted.emit(row.folder_id)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keyboard is."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid():
            rows = (self.model().index(row, 0) for row in range(self.model().rowCount()))
            first = next((index for index in rows if index.data(ChatRole.CHAT)), QModelIndex())
            self.selectionModel().setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)

    # ---- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose with Ctrl or Shift; else it opens when the button comes up, or is dragged before that."""
        index = self.indexAt(event.position().toPoint())
        self._pressed = None
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return
        more = self._rows.more_rect(self.visualRect(index))
        row = index.data(ChatRole.ROW)
        has_menu = isinstance(row, Chat) or (isinstance(row, Drawer) and row.folder_id is not None)
        if has_menu and more.contains(event.position().toPoint()) and event.modifiers() == _NOTHING:
            self._show_menu(index, more)
            return
        super().mousePressEvent(event)
        if event.modifiers() == _NOTHING:
            self._pressed = index

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open what was pressed, unless it was dragged."""
        super().mouseReleaseEvent(event)
        index, self._pressed = self._pressed, None
        if index is not None and index == self.indexAt(event.position().toPoint()):
            self._open(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of a row, also from the keyboard."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        if index.isValid():
            self._show_menu(index, QRect(event.pos(), event.pos()) if by_mouse else self.visualRect(index))

    # ---- dragging

    def startDrag(self, supported: Qt.DropAction) -> None:
        """Take the chats that are chosen, or the one under the pointer, along."""
        self._pressed = None
        indexes = [index for index in self.selectedIndexes() if index.data(ChatRole.CHAT)]
        if indexes:
            drag = QDrag(self)
            drag.setMimeData(self.chats.mimeData(indexes))
            drag.exec(Qt.DropAction.MoveAction)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take only chats."""
        if event.mimeData().hasFormat(DRAGGED):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Show where the chats would go."""
        super().dragMoveEvent(event)
        wanted = self._wanted_by(event)
        self._mark_drop(self.indexAt(event.position().toPoint()).row() if wanted else -1)
        if wanted:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Show no place any more."""
        super().dragLeaveEvent(event)
        self._mark_drop(-1)

    def dropEvent(self, event: QDropEvent) -> None:
        """Put the chats where they were dropped."""
        wanted = self._wanted_by(event)
        self._mark_drop(-1)
        self.stopAutoScroll()
        self.setState(self.State.NoState)
        if wanted is not None:
            event.acceptProposedAction()
            self.asked.emit(*wanted)

    def _wanted_by(self, event: QDropEvent) -> tuple[str, list[int], object] | None:
        """Return what dropping the chats here asks for; None where they cannot be dropped."""
        index = self.indexAt(event.position().toPoint())
        ids: list[int] = []
        with suppress(ValueError):
            ids = json.loads(bytes(event.mimeData().data(DRAGGED).data()) or b"[]")
        if not ids or not index.isValid():
            return None
        row = index.data(ChatRole.ROW)
        if isinstance(row, Drawer) and row.folder_id is not None:
            return ("move", ids, row.folder_id)
        if isinstance(row, Drawer):
            return ("archive", ids, True) if row.place is Place.ARCHIVE else ("delete", ids, None)
        place = row.place if isinstance(row, Heading) else _place_of(row)
        if place is Place.PINNED:
            return ("pin", ids, True)
        if isinstance(row, Chat) and row.folder_id is not None and not row.archived:
            return ("move", ids, row.folder_id)
        if place is Place.REST and any(chat.folder_id is not None for chat in self.chats.found(ids)):
            return ("move", ids, None)
        return None

    def _mark_drop(self, row: int) -> None:
        if row != self._rows.drop_row:
            self._rows.drop_row = row
            self.viewport().update()

    # ---- what is done

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Draw chats as chosen when there are several."""
        super().selectionChanged(selected, deselected)
        several = bool(self.chosen())
        if several != self._rows.several:
            self._rows.several = several
            self.viewport().update()

    def _open(self, index: QModelIndex) -> None:
        row = index.data(ChatRole.ROW) if index.isValid() else None
        if isinstance(row, Drawer):
            self._toggle(row)
        elif isinstance(row, Chat):
            self.open_requested.emit(row.id)

    def _toggle(self, row: Drawer, *, open_: bool | None = None) -> None:
        if row.place is Place.TRASH:
            self.trash_requested.emit()
        else:
            self.chats.toggle(row, open_=open_)

    def _ids_at(self, index: QModelIndex) -> list[int]:
        """Return the chats that are meant: those that are chosen, or that of the row."""
        chosen = [chat.id for chat in self.chosen()]
        chat = index.data(ChatRole.CHAT) if index.isValid() else None
        return chosen if chat is None or chat.id in chosen else [chat.id]

    def _show_menu(self, index: QModelIndex, where: QRect) -> None:
        row = index.data(ChatRole.ROW)
        if isinstance(row, Chat):
            shown = chat_menu(
                self,
                self._appearance,
                self.chats,
                self.chats.found(self._ids_at(index)),
                self.asked.emit,
                rename=lambda: self._edit(self.chats.row_of(row.id)),
                export=self.export,
            )
        elif isinstance(row, Drawer) and (folder_id := row.folder_id) is not None:
            shown = folder_menu(
                self,
                self._appearance,
                rename=lambda: self.rename_folder(folder_id),
                delete=lambda: self.folder_deleted.emit(folder_id),
            )
        else:
            return
        shown.popup(self.viewport().mapToGlobal(where.bottomLeft() + QPoint(0, 2)))

    def _edit(self, index: QModelIndex) -> None:
        if index.isValid():
            self.setCurrentIndex(index)
            self.edit(index)

    def _keep_place(self) -> None:
        chat = self.currentIndex().data(ChatRole.CHAT) if self.currentIndex().isValid() else None
        chosen = [each.id for each in self.chosen()]
        self._kept = (chat.id if chat else None, chosen, self.verticalScrollBar().value())

    def _restore_place(self) -> None:
        chat_id, chosen, scrolled = self._kept
        self._rows.several = False
        self.doItemsLayout()
        flag = QItemSelectionModel.SelectionFlag
        if chat_id is not None:
            self.selectionModel().setCurrentIndex(self.chats.row_of(chat_id), flag.ClearAndSelect)
        if chosen:
            self.selectionModel().select(self.chats.rows_of(chosen), flag.Select)
        self.verticalScrollBar().setValue(scrolled)


def _place_of(chat: Chat) -> Place:
    return Place.PINNED if chat.pinned else Place.ARCHIVE if chat.archived else Place.REST
