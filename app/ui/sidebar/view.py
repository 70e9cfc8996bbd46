"""The list of chats: opened, renamed, pinned and deleted by mouse or keyboard."""

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.menus import rounded
from app.ui.sidebar.chats import ChatList, ChatRole
from app.ui.sidebar.rows import RowDelegate


class ChatView(QListView):
    """A list that scrolls the same with ten chats and with ten thousand.

    Signals:
        open_requested: The id of the chat to show.
        pin_requested: The id of a chat and whether it shall be pinned.
        delete_requested: The id of the chat to take off the list.
    """

    open_requested = Signal(int)
    pin_requested = Signal(int, bool)
    delete_requested = Signal(int)

    def __init__(self, appearance: Appearance, chats: ChatList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._kept: tuple[int | None, int] = (None, 0)
        self._rows = RowDelegate(appearance, self)
        self.setItemDelegate(self._rows)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setAccessibleName(_("Chats"))
        chats.rearranging.connect(self._keep_place)
        self.setModel(chats)
        chats.modelReset.connect(self._restore_place)
        appearance.changed.connect(self.doItemsLayout)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Return, delete with Delete; F2 renames."""
        index = self.currentIndex()
        key = event.key()
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.state() != self.State.EditingState:
            self._open(index)
        elif key == Qt.Key.Key_Delete and index.isValid():
            self.delete_requested.emit(index.data(ChatRole.CHAT).id)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keyboard is."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid():
            rows = (self.model().index(row, 0) for row in range(self.model().rowCount()))
            first = next((index for index in rows if index.data(ChatRole.CHAT)), QModelIndex())
            self.setCurrentIndex(first)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the chat, or its menu."""
        index = self.indexAt(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return
        super().mousePressEvent(event)
        more = self._rows.more_rect(self.visualRect(index))
        if index.data(ChatRole.CHAT) and more.contains(event.position().toPoint()):
            self._show_menu(index, more)
        else:
            self._open(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of a chat, also from the keyboard."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        if index.isValid() and index.data(ChatRole.CHAT):
            where = QRect(event.pos(), event.pos()) if by_mouse else self.visualRect(index)
            self._show_menu(index, where)

    def _open(self, index: QModelIndex) -> None:
        chat = index.data(ChatRole.CHAT) if index.isValid() else None
        if chat is not None:
            self.open_requested.emit(chat.id)

    def _show_menu(self, index: QModelIndex, where: QRect) -> None:
        chat = index.data(ChatRole.CHAT)
        shown = rounded(QMenu(self))
        shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = self._appearance.icon
        shown.addAction(icon("pencil"), _("Rename"), lambda: self._rename(chat.id))
        pin = _("Unpin") if chat.pinned else _("Pin to the top")
        shown.addAction(icon("pin"), pin, lambda: self.pin_requested.emit(chat.id, not chat.pinned))
        shown.addSeparator()
        shown.addAction(icon("trash"), _("Delete"), lambda: self.delete_requested.emit(chat.id))
        shown.popup(self.viewport().mapToGlobal(where.bottomLeft() + QPoint(0, 2)))

    def _rename(self, chat_id: int) -> None:
        index = self.chats.row_of(chat_id)
        if index.isValid():
            self.setCurrentIndex(index)
            self.edit(index)

    @property
    def chats(self) -> ChatList:
        """Return the model behind the view."""
        model = self.model()
        assert isinstance(model, ChatList)  # noqa: S101 -- set in the constructor
        return model

    def _keep_place(self) -> None:
        chat = self.currentIndex().data(ChatRole.CHAT) if self.currentIndex().isValid() else None
        self._kept = (chat.id if chat else None, self.verticalScrollBar().value())

    def _restore_place(self) -> None:
        chat_id, scrolled = self._kept
        self.doItemsLayout()
        if chat_id is not None:
            self.setCurrentIndex(self.chats.row_of(chat_id))
        self.verticalScrollBar().setValue(scrolled)
