"""A card in the middle of the window: a title, a way to close it, and what is to be read."""

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, label
from app.ui.popover import Popover

_MARGIN = 32


class Sheet(Popover):
    """Lies over the window until it is closed; the keyboard stays inside.

    Attributes:
        SIZE: What it takes where the window has the room.
        column: Where a subclass puts what is shown, below the title.
        foot: A line at the end, for what belongs to all of it.
    """

    SIZE = QSize(820, 600)

    def __init__(self, appearance: Appearance, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(title)
        outer = QVBoxLayout(self.card)
        outer.setContentsMargins(20, 14, 14, 14)
        outer.setSpacing(10)
        head = QHBoxLayout()
        name = label(title)
        name.setProperty("measure", "reading")
        close = IconButton(appearance, "close", _("Close"))
        close.clicked.connect(self.close_card)
        head.addWidget(name, 1)
        head.addWidget(close)
        outer.addLayout(head)
        self.column = QVBoxLayout()
        self.column.setContentsMargins(0, 0, 6, 0)
        self.column.setSpacing(10)
        outer.addLayout(self.column, 1)
        self.foot = QHBoxLayout()
        self.foot.setContentsMargins(0, 0, 6, 0)
        outer.addLayout(self.foot)
        self.closed.connect(self.deleteLater)

    def open_card(self, first: QWidget) -> None:
        """Show it, with the keyboard in `first`."""
        self.open_at(QPoint(), self.SIZE)
        first.setFocus(Qt.FocusReason.PopupFocusReason)

    def place(self) -> None:
        """Keep the card in the middle."""
        parent = self.parentWidget()
        if parent is not None:
            room = parent.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
            self._size = self.SIZE.boundedTo(room.size())
            self._corner = room.center() - QPoint(self._size.width() // 2, self._size.height() // 2)
        super().place()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go round inside of the card."""
        inside = [
            widget
            for widget in self.card.findChildren(QWidget)
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled()
        ]
        if not inside:
            return False
        here = self.window().focusWidget()
        place = inside.index(here) if here in inside else -1
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        inside[(place + (1 if forward else -1)) % len(inside)].setFocus(reason)
        return True
