"""A switch with its words."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.ui.appearance import Appearance
from app.ui.inspector.fields import Apply, Field

_TEXT = 13.3  # pixels: what a style sheet makes of 13.5, which it rounds to whole points


class Switch(QAbstractButton):
    """Words at the left and a switch at the right; what it means stands in a tooltip or below."""

    def __init__(self, appearance: Appearance, name: str) -> None:
        super().__init__()
        self._appearance = appearance
        self.setText(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        appearance.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return room for the words on one line, and the switch."""
        return QSize(200, self.heightForWidth(260))

    def heightForWidth(self, width: int) -> int:
        """Return room for the words on as many lines as they take."""
        metrics = QFontMetrics(self._appearance.font(_TEXT))
        room = metrics.boundingRect(0, 0, max(width - 48, 40), 1000, Qt.TextFlag.TextWordWrap, self.text())
        return max(28, room.height() + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the words and the switch, and a ring when the keyboard is here."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(look.font(_TEXT))
        painter.setPen(look.color("ink"))
        room = self.rect().adjusted(0, 0, -48, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, self.text())
        on = self.isChecked()
        track = QRectF(self.width() - 37, self.height() / 2 - 10, 34, 20)
        painter.setPen(Qt.PenStyle.NoPen if on else QPen(look.color("soft"), 1))
        painter.setBrush(look.color("accent" if on else "hover"))
        painter.drawRoundedRect(track, 10, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("on_accent" if on else "soft"))
        left = track.right() - 17 if on else track.left() + 3
        painter.drawEllipse(QRectF(left, track.top() + 3, 14, 14))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.drawRoundedRect(track.adjusted(-2.5, -2.5, 2.5, 2.5), 12.5, 12.5)


class SwitchField(Field):
    """A switch with what it means.

    Attributes:
        switch: To press.
    """

    def __init__(self, appearance: Appearance, name: str, apply: "Apply[bool]", meaning: str = "") -> None:
        super().__init__(meaning)
        self._apply = apply
        self.switch = Switch(appearance, name)
        self.switch.clicked.connect(self._press)
        self.column.addWidget(self.switch)
        self.close_column()

    def show_value(self, on: bool) -> None:
        """Show whether it is on."""
        self.switch.setChecked(on)

    def _press(self, on: bool) -> None:
        if not self.try_to(lambda: self._apply(on)):
            self.switch.setChecked(not on)
