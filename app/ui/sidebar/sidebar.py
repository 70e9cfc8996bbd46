"""The sidebar as a whole: new chat, search, the list, downloads, and what was asked over the network."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import _
from app.domain.search import Query
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, SearchField, label
from app.ui.downloads.cards import DownloadCards
from app.ui.search.desk import SearchDesk
from app.ui.search.panel import SearchPanel
from app.ui.sidebar.chats import ChatList
from app.ui.sidebar.menus import order_menu
from app.ui.sidebar.offline_mark import OfflineMark
from app.ui.sidebar.view import ChatView

WIDTH = 264
_CHATS = 0.36  # of the height, for chats that are found
_SLOW_MS = 800  # what takes longer is said
_UNBOUNDED = (1 << 24) - 1  # QWIDGETSIZE_MAX


class Sidebar(QFrame):
    """All that stands left of the transcript.

    Attributes:
        view: The list of chats, with its own signals.
        downloads: What is on its way to this computer.
        mark: What was asked over the network.
        results: The messages that have what is looked for.

    Signals:
        new_requested: A new chat.
        incognito_requested: A chat of which nothing is kept.
        hide_requested: Out of the way.
        settings_requested: The settings.
    """

    new_requested = Signal()
    incognito_requested = Signal()
    hide_requested = Signal()
    settings_requested = Signal()

    def __init__(
        self,
        appearance: Appearance,
        chats: ChatList,
        desk: SearchDesk,
        downloads: DownloadCards,
        main_menu: QMenu,
    ) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH)
        self._chats, self._desk = chats, desk
        self.downloads = downloads
        self.view = ChatView(appearance, chats)
        self._new = NewChatButton(appearance)
        self._new.clicked.connect(self.new_requested)
        incognito = IconButton(appearance, "mask", _("Incognito chat: nothing of it is kept"))
        incognito.clicked.connect(self.incognito_requested)
        self._search = SearchField(appearance, _("Search"), _("Search your chats and all that was said"))
        self._search.textChanged.connect(self._look)
        self.results = SearchPanel(appearance, desk)
        self.results.view.left.connect(self.focus_search)
        for watched in (self._search, self.results.view):
            watched.installEventFilter(self)
        self._empty = label("", tone="soft", measure="small")
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(10, 14, 10, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 2, 6)
        column.setSpacing(0)
        column.addLayout(self._head(appearance))
        column.addSpacing(4)
        order = IconButton(appearance, "sort", _("Order and folders"))
        order.setMenu(order_menu(order, appearance, chats, self.view.asked.emit))
        order.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        for widgets, gap in (((self._new, incognito), 10), ((self._search, order), 8)):
            row = QHBoxLayout()
            row.setContentsMargins(0, 0, 10, 0)
            row.setSpacing(4)
            for widget in widgets:
                row.addWidget(widget)
            column.addLayout(row)
            column.addSpacing(gap)
        column.addWidget(self._empty)
        column.addWidget(self.view, 1)
        column.addWidget(self.results, 1)
        column.addWidget(self._foot(appearance, main_menu))
        chats.modelReset.connect(self._say_empty)
        desk.asked.connect(self._say_empty)
        self._is_slow = False
        QTimer.singleShot(_SLOW_MS, self, self._say_slow)
        self._say_empty()

    def show_shortcut(self, keys: str) -> None:
        """Write the shortcut of a new chat on its button."""
        self._new.show_shortcut(keys)

    def focus_search(self) -> None:
        """Put the keyboard into the search field."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the height between chats and downloads."""
        super().resizeEvent(event)
        self.downloads.set_room(self.height())
        self._share_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Clear the search with Esc, and go from it to the lists with Down or Return."""
        if watched in (self._search, self.results.view) and isinstance(event, QKeyEvent):
            clears = event.key() == Qt.Key.Key_Escape and bool(self._search.text())
            if event.type() == QEvent.Type.ShortcutOverride and clears:
                event.accept()  # or Esc would stop the answer
                return True
            if event.type() == QEvent.Type.KeyPress:
                if clears:
                    self.focus_search()
                    self._search.clear()
                    return True
                down, enter = Qt.Key.Key_Down, {Qt.Key.Key_Return, Qt.Key.Key_Enter}
                if watched is self._search and event.key() in {down, *enter}:
                    self._enter(go=event.key() in enter)
                    return True
        return super().eventFilter(watched, event)

    def _head(self, appearance: Appearance) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(2, 0, 6, 0)
        row.addWidget(Ember(appearance))
        row.addStretch(1)
        hide = IconButton(appearance, "sidebar", _("Hide the chats"), tint="ink")
        hide.clicked.connect(self.hide_requested)
        row.addWidget(hide)
        return row

    def _foot(self, appearance: Appearance, main_menu: QMenu) -> QWidget:
        foot = QFrame()
        foot.setObjectName("sidebarFoot")
        column = QVBoxLayout(foot)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.downloads)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 6, 0)
        row.setSpacing(0)
        column.addLayout(row)
        self.mark = OfflineMark(appearance)
        settings = IconButton(appearance, "settings", _("Settings"))
        settings.clicked.connect(self.settings_requested)
        row.addWidget(self.mark, 1)
        row.addWidget(settings)
        more = IconButton(appearance, "dots", _("Menu"))
        more.setMenu(main_menu)
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(more)
        holder = QWidget()
        outer = QHBoxLayout(holder)
        outer.setContentsMargins(0, 0, 10, 0)
        outer.addWidget(foot)
        return holder

    def _look(self, text: str) -> None:
        if text.strip():
            self._desk.set_text(text)
        else:
            self._desk.set_query(Query())  # without the filters, too
        self._chats.set_filter(text.replace('"', " "))

    def _enter(self, *, go: bool) -> None:
        """Lead the keyboard from the field to the chats, or to the messages where there are none."""
        if self.view.isVisible() and self._chats.rowCount():
            self.view.setFocus(Qt.FocusReason.TabFocusReason)
        elif go:
            self.results.choose_first()
        else:
            self.results.view.enter()

    def _share_height(self) -> None:
        """Leave most of the height to the messages while something is looked for."""
        most = _UNBOUNDED
        if self._desk.active:
            most = min(self._chats.rowCount() * self.view.sizeHintForRow(0), int(self.height() * _CHATS))
        self.view.setMaximumHeight(most)

    def _say_slow(self) -> None:
        self._is_slow = True
        self._say_empty()

    def _say_empty(self) -> None:
        shown = self._chats.rowCount() > 0
        if not self._chats.known:  # for long only while the file is brought up to date
            words = _("Reading your chats…") if self._is_slow else ""
        elif self._chats.empty:
            words = _("Your chats will be listed here.")
        else:
            words = _("No chat has this in its title or tags.")
        self._empty.setText(words)
        filtered = self._desk.query != Query(self._desk.query.text)  # by what no chat has, but a message
        self._empty.setVisible(not shown and not filtered)
        self.view.setVisible(not filtered and (shown or not self._desk.active))
        self.results.setVisible(self._desk.active)
        self._share_height()


class Ember(QWidget):
    """The mark of Fireside: a small ember."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self.setFixedSize(14, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.color("accent"))
        painter.drawEllipse(1, 1, 11, 11)


class NewChatButton(QPushButton):
    """An icon, words, and the shortcut at the right."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self.setAccessibleName(_("New chat"))
        self._appearance = appearance
        self._plus = QLabel()
        self._keys = label("", tone="soft", measure="small")
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(10, 7, 10, 7)
        row.setSpacing(8)
        row.addWidget(self._plus)
        row.addWidget(label(_("New chat")))
        row.addStretch(1)
        row.addWidget(self._keys)
        for child in self.findChildren(QLabel):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        appearance.changed.connect(self._dress)
        self._dress()

    def show_shortcut(self, keys: str) -> None:
        """Write `keys` at the right."""
        self._keys.setText(keys)

    def sizeHint(self) -> QSize:
        """Return the room that the words take."""
        return self._row.sizeHint().expandedTo(QSize(0, 36))

    def _dress(self) -> None:
        self._plus.setPixmap(self._appearance.icon("plus", "ink").pixmap(QSize(18, 18)))
