"""One of several ways, of which one is chosen."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.ui.appearance import Appearance

_LEFT, _SIDE, _TOP, _DOT = 32, 8, 5, 16


class Option(QAbstractButton):
    """A circle, a name, and a line on what it does, which wraps."""

    def __init__(self, appearance: Appearance, name: str, meaning: str) -> None:
        super().__init__()
        self._appearance = appearance
        self._meaning = ""
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policies = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policies.setHeightForWidth(True)
        self.setSizePolicy(policies)
        self.setText(name)
        self.explain(meaning)
        appearance.changed.connect(self.updateGeometry)

    @property
    def meaning(self) -> str:
        """Return what it says that it does."""
        return self._meaning

    def explain(self, meaning: str) -> None:
        """Say what it does."""
        if meaning != self._meaning:
            self._meaning = meaning
            self.setAccessibleName(self.text())
            self.setAccessibleDescription(meaning)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return a usual width and the height for it."""
        return QSize(240, self.heightForWidth(240))

    def minimumSizeHint(self) -> QSize:
        """Return no width: the words wrap."""
        return QSize(0, self._appearance.metrics(13.5).height() + 2 * _TOP)

    def hasHeightForWidth(self) -> bool:
        """Return that it has."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of its words in `width`."""
        return 2 * _TOP + self._appearance.metrics(13.5).height() + 1 + self._below(width).height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        look, painter = self._appearance, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.underMouse() or self.isDown():
            painter.setBrush(look.color("hover"))
            painter.drawRoundedRect(self.rect(), 8, 8)
        name = look.metrics(13.5)
        dot = QRectF(_SIDE, _TOP + (name.height() - _DOT) / 2, _DOT, _DOT).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(look.color("accent" if self.isChecked() else "soft"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(dot)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("accent"))
            painter.drawEllipse(dot.adjusted(3.5, 3.5, -3.5, -3.5))
        painter.setFont(look.font(13.5, QFont.Weight.Medium))
        painter.setPen(look.color("ink"))
        painter.drawText(QRect(_LEFT, _TOP, self.width() - _LEFT, name.height()), 0, self.text())
        painter.setFont(look.font(12.5))
        painter.setPen(look.color("soft"))
        painter.drawText(
            self._below(self.width()).translated(_LEFT, _TOP + name.height() + 1),
            Qt.TextFlag.TextWordWrap,
            self._meaning,
        )
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    def _below(self, width: int) -> QRect:
        room = QRect(0, 0, max(width, 160) - _LEFT - _SIDE, 10_000)
        metrics: QFontMetrics = self._appearance.metrics(12.5)
        words = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, self._meaning)
        return QRect(0, 0, room.width(), words.height())
