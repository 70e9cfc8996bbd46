"""How well a text was read, drawn: perplexity by position, and the facts that were planted in it."""

import math

from PySide6.QtCore import QLocale, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.domain.language import _, joined
from app.domain.long_reading import LongReading
from app.ui.appearance import Appearance
from app.ui.quantities import context_text

_HEIGHT, _DOT, _LINE = 96, 4.5, 2.0
_HIGHEST = 4.0  # times the lowest value; what is higher is drawn there, so that the rest can be told apart


class ReadingChart(QWidget):
    """Curves over the length of the text, a line where the trained length ends, and a dot for each fact."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._reading: LongReading | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(
            _("How unsure the model was of the next word, from the first token to the last")
        )
        appearance.changed.connect(self.updateGeometry)
        appearance.changed.connect(self.update)

    def show_reading(self, reading: LongReading) -> None:
        """Draw `reading`."""
        self._reading = reading
        self.setAccessibleDescription(_described(reading))
        self.setToolTip(_described(reading))
        self.update()

    def sizeHint(self) -> QSize:
        """Return the curves, the dots below them, and the numbers below those."""
        return QSize(100, _HEIGHT + 24 + self._appearance.metrics(11.5).height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw all of it."""
        reading, look = self._reading, self._appearance
        if reading is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(1, 6, self.width() - 2, _HEIGHT - 12)
        painter.fillRect(QRectF(0, _HEIGHT, self.width(), 1), look.color("line"))
        self._draw_trained(painter, reading, area)
        lowest = min((*reading.scaled, *reading.unscaled))
        highest = min(max((*reading.scaled, *reading.unscaled)), _HIGHEST * lowest)
        for curve, token, style in (
            (reading.unscaled, "soft", Qt.PenStyle.DashLine),
            (reading.scaled, "accent", Qt.PenStyle.SolidLine),
        ):
            pen = QPen(look.color(token), _LINE, style)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPolyline(_points(curve, area, lowest, highest))
        for fact in reading.facts:
            center = QPointF(area.left() + _DOT + fact.depth * (area.width() - 2 * _DOT), _HEIGHT + 12)
            painter.setPen(QPen(look.color("good" if fact.found else "bad"), 1.6))
            painter.setBrush(look.color("good") if fact.found else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(center, _DOT, _DOT)
        self._draw_numbers(painter, reading)

    def _draw_trained(self, painter: QPainter, reading: LongReading, area: QRectF) -> None:
        if not reading.beyond:
            return
        across = round(area.left() + area.width() * reading.trained / reading.tokens) + 0.5
        painter.setPen(QPen(self._appearance.color("soft"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(across, 0), QPointF(across, _HEIGHT))
        painter.setPen(self._appearance.color("soft"))
        painter.setFont(self._appearance.font(11.5))
        words = _("trained: {size}").format(size=context_text(reading.trained))
        width = painter.fontMetrics().horizontalAdvance(words)
        left = across - width - 5 if across - width - 5 > 0 else across + 5
        painter.drawText(QPointF(left, painter.fontMetrics().ascent()), words)

    def _draw_numbers(self, painter: QPainter, reading: LongReading) -> None:
        painter.setPen(self._appearance.color("soft"))
        painter.setFont(self._appearance.font(11.5))
        row = QRectF(0, _HEIGHT + 22, self.width(), painter.fontMetrics().height())
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft, QLocale().toString(0))
        end = _("{count} tokens").format(count=QLocale().toString(reading.tokens))
        painter.drawText(row, Qt.AlignmentFlag.AlignRight, end)


def _points(curve: tuple[float, ...], area: QRectF, lowest: float, highest: float) -> QPolygonF:
    """Return the curve with a logarithmic height; lower values, which are better, lie lower."""
    room = math.log(highest / lowest) or 1.0
    steps = max(1, len(curve) - 1)
    return QPolygonF(
        [
            QPointF(
                area.left() + area.width() * number / steps,
                area.bottom() - area.height() * math.log(min(value, highest) / lowest) / room,
            )
            for number, value in enumerate(curve)
        ]
    )


def _described(reading: LongReading) -> str:
    """Return in words what the chart shows."""
    number = QLocale().toString
    words = _("Perplexity of the last {count} tokens: {scaled}.").format(
        count=number(reading.tail), scaled=number(reading.tail_scaled, "f", 1)
    )
    if reading.tail_unscaled is not None:
        without = _("Without scaling: {value}.").format(value=number(reading.tail_unscaled, "f", 1))
        words = joined(words, without)
    if reading.tail_inside is not None:
        inside = _("Read within the trained length: {value}.").format(
            value=number(reading.tail_inside, "f", 1)
        )
        words = joined(words, inside)
    places = [f"{round(100 * fact.depth)} %" for fact in reading.facts if fact.found]
    found = _("Facts found at: {places}.").format(places=", ".join(places)) if places else ""
    return joined(words, found)
