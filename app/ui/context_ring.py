"""How full the context is, beside the send button; a press shows what goes in."""

from PySide6.QtCore import QLocale, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.quantities import context_text, count_text

_NEARLY_FULL = 0.85
_LEFT, _RIGHT = 26, 6


class ContextRing(QAbstractButton):
    """How much of what the model sees at once is taken: a ring and words."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._share = 0.0
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setToolTip(_("Tokens in this chat, of those that the model can see at once"))
        appearance.changed.connect(self.updateGeometry)
        appearance.changed.connect(self.update)
        self.hide()

    @property
    def words(self) -> str:
        """Return what stands beside the ring."""
        return self.text()

    @property
    def nearly_full(self) -> bool:
        """Return whether little is left."""
        return self._share >= _NEARLY_FULL

    def show_use(self, used: int, total: int) -> None:
        """Show `used` of `total` tokens; without a total, nothing."""
        self.setVisible(total > 0)
        if total > 0:
            self._share = min(1.0, used / total)
            words = _("{used} of {total}").format(used=count_text(used), total=context_text(total))
            name = _("Context: {used} of {total} tokens, {percent} %").format(
                used=QLocale().toString(used),
                total=QLocale().toString(total),
                percent=round(100 * used / total),
            )
            if words != self.text():
                self.setText(words)
                self.updateGeometry()
            self.setAccessibleName(name)
            self.update()

    def sizeHint(self) -> QSize:
        """Return the room for the ring and the words."""
        metrics = self._appearance.metrics(12.5)
        width = _LEFT + metrics.horizontalAdvance(self.text()) + _RIGHT
        return QSize(width, max(28, metrics.height() + 8))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ring, filled from the top, and the words."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = QRectF(4.5, self.height() / 2 - 7.5, 15, 15)
        painter.setPen(QPen(look.color("line"), 3))
        painter.drawEllipse(ring)
        painter.setPen(QPen(look.color("bad" if self.nearly_full else "accent"), 3, c=Qt.PenCapStyle.FlatCap))
        painter.drawArc(ring, 90 * 16, round(-self._share * 360 * 16))
        painter.setFont(look.font(12.5))
        painter.setPen(look.color("ink" if self.underMouse() or self.isDown() else "soft"))
        words = self.rect().adjusted(_LEFT, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
