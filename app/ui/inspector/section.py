"""One part of the inspector: a heading that folds it, what stands under it, and what goes further."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.appearance import Appearance
from app.ui.inspector.fields import Field

_CHEVRON = 16


class FoldButton(QAbstractButton):
    """Words at the left, a chevron at the right: it turns down while what it opens is open."""

    def __init__(self, appearance: Appearance, words: str, *, heading: bool) -> None:
        super().__init__()
        self._appearance, self._heading = appearance, heading
        self.setText(words)
        self.setAccessibleName(words)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return room for the words and the chevron."""
        metrics = QFontMetrics(self._font())
        return QSize(metrics.horizontalAdvance(self.text()) + _CHEVRON + 12, max(32, metrics.height() + 12))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw words and chevron, and a ring when the keyboard is here."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self._heading or self.underMouse()
        painter.setFont(self._font())
        painter.setPen(look.color("ink" if strong else "soft"))
        room = self.rect().adjusted(0, 0, -_CHEVRON - 4, 0)
        words = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        spot = QRect(self.width() - _CHEVRON, (self.height() - _CHEVRON) // 2, _CHEVRON, _CHEVRON)
        name = "chevron-down" if self.isChecked() else "chevron-right"
        look.icon(name, "ink" if self.underMouse() else "soft", _CHEVRON).paint(painter, spot)
        if self.hasFocus():
            painter.setPen(QPen(look.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(1, 3, -1, -3), 6, 6)

    def _font(self) -> QFont:
        if self._heading:
            return self._appearance.font(13.5, QFont.Weight.DemiBold)
        return self._appearance.font(12.5)


class Fold(QWidget):
    """Something that is built when it is first unfolded, a piece in each turn of the event loop.

    Attributes:
        button: Unfolds it.
        column: Where it goes.

    Signals:
        filled: It is built, and there to be seen.
    """

    filled = Signal()

    def __init__(
        self, appearance: Appearance, words: str, fill: Callable[[QVBoxLayout], Iterator[None]]
    ) -> None:
        super().__init__()
        self._pieces: Iterator[None] | None = None
        self._fill = fill
        self.button = FoldButton(appearance, words, heading=False)
        self.button.toggled.connect(self._unfold)
        self._body = QWidget()
        self._body.hide()
        self.column = QVBoxLayout(self._body)
        self.column.setContentsMargins(0, 4, 0, 12)
        self.column.setSpacing(12)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.button)
        outer.addWidget(self._body)
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._build)

    @property
    def open(self) -> bool:
        """Return whether all of it is built and unfolded."""
        return self.button.isChecked() and not self._turn.isActive()

    def _unfold(self, unfolded: bool) -> None:
        if unfolded and self._pieces is None:
            self._pieces = self._fill(self.column)
            self._turn.start()
        self._body.setVisible(unfolded)
        if self.open:
            self.filled.emit()

    def _build(self) -> None:
        if self._pieces is None or next(self._pieces, self) is self:
            self._turn.stop()
            self.filled.emit()


class Section(QWidget):
    """A heading with a line over it.

    Attributes:
        column: What stands under the heading.
        wanted: Whether it has something to show at all.

    Signals:
        revealed: Itself; something of it has become visible that may be out of date.
    """

    revealed = Signal(object)

    def __init__(self, appearance: Appearance, title: str, *, first: bool = False) -> None:
        super().__init__()
        self._appearance = appearance
        self._first = first
        self._heading = FoldButton(appearance, title, heading=True)
        self._heading.setChecked(True)
        self._body = QWidget()
        self._heading.toggled.connect(self._fold)
        self.column = QVBoxLayout()
        self.column.setSpacing(12)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 4 if first else 12, 0, 8)
        outer.setSpacing(0)
        self._folds = QVBoxLayout()
        self._folds.setContentsMargins(0, 4, 0, 0)
        self._folds.setSpacing(0)
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 4, 0, 0)
        body.setSpacing(0)
        body.addLayout(self.column)
        body.addLayout(self._folds)
        outer.addWidget(self._heading)
        outer.addWidget(self._body)
        appearance.changed.connect(self.update)

    @property
    def wanted(self) -> bool:
        """Return whether there is something to show."""
        return True

    @property
    def unfolded(self) -> bool:
        """Return whether it is to be seen."""
        return self._heading.isChecked()

    def refresh(self) -> None:
        """Show the newest."""
        raise NotImplementedError

    def finish_edits(self) -> None:
        """Set what is being written."""

    def forget_edits(self) -> None:
        """Take what is refused or not yet set for gone: another model is shown now."""
        for field in self.findChildren(Field):
            field.forget()

    def add_fold(self, words: str, fill: Callable[[QVBoxLayout], Iterator[None]]) -> Fold:
        """Add something that is for those who want it, at the end; see `Fold`."""
        fold = Fold(self._appearance, words, fill)
        fold.filled.connect(lambda: self.revealed.emit(self))
        self._folds.addWidget(fold)
        return fold

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line that divides it from what is above."""
        if not self._first:
            painter = QPainter(self)
            painter.fillRect(0, 4, self.width(), 1, self._appearance.color("line"))

    def _fold(self, unfolded: bool) -> None:
        self._body.setVisible(unfolded)
        if unfolded:
            self.revealed.emit(self)
