"""What lies under the text of a message: cards of code, bars of quotes, inline code, rules, task boxes."""

from bisect import bisect_left

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTextBlock,
    QTextDocument,
)

from app.domain.language import _
from app.ui.theme import mixed
from app.ui.transcript.highlight import language_name
from app.ui.transcript.marks import Card, Marks
from app.ui.transcript.style import CARD_BOTTOM, CARD_HEADER, CARD_TOP, CODE, INDENT, SMALL, Style

_CARD_RADIUS = 12


class Decoration:
    """Paints the marks of one document, in the document's own coordinates."""

    def __init__(self, document: QTextDocument, style: Style) -> None:
        self._document = document
        self._style = style
        self._small = style.font(SMALL[0])

    def paint(self, painter: QPainter, marks: Marks, clip: QRectF) -> None:
        """Paint what of `marks` is seen in `clip`."""
        layout = self._document.documentLayout()
        first = layout.hitTest(clip.topLeft(), Qt.HitTestAccuracy.FuzzyHit)
        last = layout.hitTest(clip.bottomRight(), Qt.HitTestAccuracy.FuzzyHit)
        # A click beyond the end of a line hits the block: take whole blocks, and one more on either side.
        first = self._document.findBlock(max(first, 0)).previous().position()
        below = self._document.findBlock(max(last, 0)).next()
        last = below.position() + below.length() if below.isValid() else self._document.characterCount()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for start, end, depth in marks.quotes:
            if start <= last and end >= first:
                self._quote(painter, start, end, depth)
        for card in marks.cards[bisect_left(marks.cards, first, key=lambda card: card.end) :]:
            if card.start > last:
                break
            self._card(painter, card)
        for start, end in marks.spans[bisect_left(marks.spans, (first, 0)) :]:
            if start > last:
                break
            self._span(painter, start, end)
        for position in marks.rules[bisect_left(marks.rules, first) :]:
            if position > last:
                break
            self._rule(painter, position)
        for position, ticked in marks.boxes[bisect_left(marks.boxes, (first, False)) :]:
            if position > last:
                break
            self._box(painter, position, ticked)
        painter.restore()

    def card_rect(self, card: Card) -> QRectF:
        """Return the outline of a card."""
        px = self._style.px
        first = self._document.findBlock(card.start)
        left = px(INDENT) * first.blockFormat().indent()
        top = self._top(first) - px(CARD_HEADER + CARD_TOP)
        bottom = self._bottom(self._document.findBlock(card.end), CODE[1]) + px(CARD_BOTTOM)
        return QRectF(left, top, self._document.textWidth() - left, bottom - top)

    def _top(self, block: QTextBlock) -> float:
        return self._document.documentLayout().blockBoundingRect(block).top()

    def _bottom(self, block: QTextBlock, line: float) -> float:
        return self._top(block) + max(block.layout().lineCount(), 1) * self._style.px(line)

    def _card(self, painter: QPainter, card: Card) -> None:
        px, palette = self._style.px, self._style.palette
        rect = self.card_rect(card).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(palette.line), 1))
        painter.setBrush(QColor(palette.code))
        painter.drawRoundedRect(rect, px(_CARD_RADIUS), px(_CARD_RADIUS))
        under = rect.top() + px(CARD_HEADER)
        painter.drawLine(QPointF(rect.left(), under), QPointF(rect.right(), under))
        painter.setPen(QColor(palette.soft))
        painter.setFont(self._small)
        name = language_name(card.language) or _("Code")
        header = QRectF(rect.left() + px(14), rect.top(), rect.width() - px(120), px(CARD_HEADER))
        name = QFontMetricsF(self._small).elidedText(name, Qt.TextElideMode.ElideRight, header.width())
        painter.drawText(header, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)

    def _quote(self, painter: QPainter, start: int, end: int, depth: int) -> None:
        px = self._style.px
        first, last = self._document.findBlock(start), self._document.findBlock(end)
        top, bottom = (
            self._top(first) + px(3),
            self._bottom(last, last.blockFormat().lineHeight() / self._style.scale),
        )
        left: float = px(INDENT) * depth + px(2)
        if first.textDirection() == Qt.LayoutDirection.RightToLeft:
            left = self._document.textWidth() - left - px(3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mixed(self._style.palette.accent, self._style.palette.paper, 0.45)))
        painter.drawRoundedRect(QRectF(left, top, px(3), bottom - top), px(1.5), px(1.5))

    def _span(self, painter: QPainter, start: int, end: int) -> None:
        """Paint the ground of inline code, line by line."""
        px = self._style.px
        block = self._document.findBlock(start)
        layout = block.layout()
        origin = self._document.documentLayout().blockBoundingRect(block).topLeft()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._style.palette.hover))
        at, end = start - block.position(), end - block.position()
        while at < end:
            line = layout.lineForTextPosition(at)
            if not line.isValid():
                return
            stop = min(end, line.textStart() + line.textLength())
            left, right = sorted((_x(line.cursorToX(at)), _x(line.cursorToX(stop))))
            base = origin.y() + line.y() + line.ascent()
            rect = QRectF(origin.x() + left - px(2.5), base - px(15), right - left + px(5), px(20))
            painter.drawRoundedRect(rect, px(5), px(5))
            at = max(stop, at + 1)

    def _rule(self, painter: QPainter, position: int) -> None:
        block = self._document.findBlock(position)
        left = self._style.px(INDENT) * block.blockFormat().indent()
        painter.setPen(QPen(QColor(self._style.palette.line), 1))
        y = self._top(block) + 0.5
        painter.drawLine(QPointF(left, y), QPointF(self._document.textWidth(), y))

    def _box(self, painter: QPainter, position: int, ticked: bool) -> None:
        px, palette = self._style.px, self._style.palette
        block = self._document.findBlock(position)
        line = block.layout().lineAt(0)
        if not line.isValid():
            return
        x = _x(line.cursorToX(position - block.position()))
        if block.textDirection() == Qt.LayoutDirection.RightToLeft:
            x -= px(15)
        rect = QRectF(x + 0.5, self._top(block) + px(8) + 0.5, px(14), px(14))
        painter.setPen(QPen(QColor(palette.accent if ticked else palette.soft), 1.3))
        painter.setBrush(QColor(palette.accent) if ticked else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect, px(4), px(4))
        if ticked:
            tick = QPainterPath()
            corners = ((0.24, 0.54), (0.43, 0.72), (0.77, 0.32))
            tick.addPolygon(
                QPolygonF([rect.topLeft() + QPointF(a * rect.width(), b * rect.height()) for a, b in corners])
            )
            painter.setPen(QPen(QColor(palette.on_accent), 1.6))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(tick)


def _x(place: object) -> float:
    """Return the x of `QTextLine.cursorToX`, which PySide gives as a pair with the position."""
    return float(place[0]) if isinstance(place, tuple) else float(place)  # type: ignore[arg-type]
