"""The bar that finds words in the chat that is shown."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.domain.language import _
from app.domain.search_text import part
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, SearchField, announce, label
from app.ui.transcript.finding import Finding

_WIDEST = 340


class FindBar(QFrame):
    """A field, how many there are, and the way to the next and the one before.

    Signals:
        closed: It is gone, and nothing is marked any more.
    """

    closed = Signal()

    def __init__(self, appearance: Appearance, finding: Finding) -> None:
        super().__init__()
        self.setObjectName("findBar")
        self._finding = finding
        self._said = ""
        self.field = SearchField(appearance, _("Find in this chat"), _("Find in this chat"))
        self.field.setMaximumWidth(_WIDEST)
        self.field.textChanged.connect(self._look)
        self.field.installEventFilter(self)
        self._count = label("", tone="soft", measure="small")
        self._before = IconButton(appearance, "arrow-up", _("Previous match"))
        self._before.clicked.connect(lambda: self.step(-1))
        self._next = IconButton(appearance, "arrow-down", _("Next match"))
        self._next.clicked.connect(lambda: self.step(1))
        away = IconButton(appearance, "close", _("Close"))
        away.clicked.connect(self.close_bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 2, 16, 8)
        row.setSpacing(6)
        row.addStretch(1)
        row.addWidget(self.field, 2)
        row.addSpacing(4)
        row.addWidget(self._count)
        for button in (self._before, self._next, away):
            row.addWidget(button)
        finding.changed.connect(self._show_count)
        self._show_count()
        self.hide()

    @property
    def count(self) -> str:
        """Return what is said of how many there are."""
        return self._count.text()

    def open_bar(self) -> None:
        """Show it, with the keyboard in its field."""
        if self.isHidden():
            self.show()
            self._look()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def close_bar(self) -> None:
        """Take it and all marks away; the words stay for the next time."""
        if not self.isHidden():
            self.hide()
            self._finding.look_for(None)
            self.closed.emit()

    def step(self, by: int) -> None:
        """Go to the next match (1), or to the one before (-1)."""
        self._finding.step(by)
        announce(self, self._count.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go on with Return, back with Shift+Return, away with Esc."""
        if watched is self.field and isinstance(event, QKeyEvent):
            escape = event.key() == Qt.Key.Key_Escape
            if event.type() == QEvent.Type.ShortcutOverride and escape:
                event.accept()  # or Esc would stop the answer
                return True
            if event.type() == QEvent.Type.KeyPress:
                if escape:
                    self.close_bar()
                    return True
                if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                    self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
                    return True
        return super().eventFilter(watched, event)

    def _look(self) -> None:
        if not self.isHidden():
            self._finding.look_for(part(self.field.text()))

    def _show_count(self) -> None:
        finding = self._finding
        if not finding.active:
            words = ""
        elif finding.total:
            words = _("{place} of {total}").format(place=finding.place, total=finding.total)
        else:
            words = "…" if finding.counting else _("Not found")
        self._count.setText(words)
        for button in (self._before, self._next):
            button.setEnabled(finding.total > 0)
