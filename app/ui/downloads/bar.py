"""How far something is, as a bar and as a line of words that never breaks."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.appearance import Appearance

_HEIGHT = 4


def paint_bar(painter: QPainter, look: Appearance, area: QRectF, part: float, tint: str) -> None:
    """Draw a bar in `area`, filled from the left by `part` of the whole in the colour of a token."""
    radius = area.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.color("line"))
    painter.drawRoundedRect(area, radius, radius)
    if part > 0:
        painter.setBrush(look.color(tint))
        full = QRectF(area)
        full.setWidth(max(area.height(), area.width() * min(1.0, part)))
        painter.drawRoundedRect(full, radius, radius)


class Bar(QWidget):
    """A thin bar."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._part, self._tint = 0.0, "accent"
        self.setFixedHeight(_HEIGHT)
        appearance.changed.connect(self.update)

    def show_part(self, part: float, tint: str = "accent") -> None:
        """Fill it from 0 to 1, in the colour of a token."""
        if (part, tint) != (self._part, self._tint):
            self._part, self._tint = part, tint
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_bar(painter, self._appearance, QRectF(self.rect()), self._part, self._tint)


class Line(QWidget):
    """Facts at the left, one more at the right; what there is no room for is left out, the last first."""

    def __init__(
        self,
        appearance: Appearance,
        pixels: float = 12.5,
        tint: str = "soft",
        weight: QFont.Weight = QFont.Weight.Normal,
    ) -> None:
        super().__init__()
        self._appearance, self._pixels, self._tint, self._weight = appearance, pixels, tint, weight
        self._facts: Sequence[str] = ()
        self._right = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.updateGeometry)

    @property
    def text(self) -> str:
        """Return all facts, whether or not there is room for them."""
        return " · ".join((*self._facts, *((self._right,) if self._right else ())))

    def show_facts(self, facts: Sequence[str], right: str = "", tint: str = "soft") -> None:
        """Show other facts, in the colour of a token."""
        if (tuple(facts), right, tint) != (self._facts, self._right, self._tint):
            self._facts, self._right, self._tint = tuple(facts), right, tint
            self.setAccessibleName(self.text)
            self.update()

    def sizeHint(self) -> QSize:
        """Return the height of a line."""
        return QSize(40, QFontMetrics(self._font()).height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Write what there is room for."""
        painter = QPainter(self)
        painter.setFont(self._font())
        painter.setPen(self._appearance.color(self._tint))
        metrics = painter.fontMetrics()
        room = self.rect()
        if self._right:
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._right)
            room.setRight(room.right() - metrics.horizontalAdvance(self._right) - 10)
        facts = list(self._facts)
        while len(facts) > 1 and metrics.horizontalAdvance(" · ".join(facts)) > room.width():
            facts.pop()
        words = metrics.elidedText(" · ".join(facts), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _font(self) -> QFont:
        return self._appearance.font(self._pixels, self._weight)
