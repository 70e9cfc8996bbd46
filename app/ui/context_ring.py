"""How full the context is, beside the send button."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.quantities import context_text, count_text


class ContextRing(QWidget):
    """How much of what the model sees at once is taken: a ring and words."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._share = 0.0
        self._words = label("", tone="soft", measure="small")
        row = QHBoxLayout(self)
        row.setContentsMargins(26, 0, 0, 0)
        row.addWidget(self._words)
        appearance.changed.connect(self.update)
        self.hide()

    @property
    def words(self) -> str:
        """Return what stands beside the ring."""
        return self._words.text()

    def show_use(self, used: int, total: int) -> None:
        """Show `used` of `total` tokens; without a total, nothing."""
        self.setVisible(total > 0)
        if total > 0:
            self._share = min(1.0, used / total)
            words = _("{used} of {total}").format(used=count_text(used), total=context_text(total))
            self._words.setText(words)
            self.setToolTip(_("Tokens in this chat, of those that the model can see at once"))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ring, filled from the top."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = QRectF(2.5, self.height() / 2 - 7.5, 15, 15)
        painter.setPen(QPen(look.color("line"), 3))
        painter.drawEllipse(ring)
        painter.setPen(QPen(look.color("accent"), 3, c=Qt.PenCapStyle.FlatCap))
        painter.drawArc(ring, 90 * 16, round(-self._share * 360 * 16))
