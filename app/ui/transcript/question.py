"""What a person wrote: a bubble at the right, as it was typed."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.domain.language import _
from app.ui.transcript import actions
from app.ui.transcript.buttons import QuietButton
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.message import SIDE, MessageWidget, Row
from app.ui.transcript.style import TEXT, Style

FOLDED_LINES = 12
FOLDED_CHARACTERS = 3000
_RADIUS = 16
_PADDING = 16
_WIDEST = 0.8


class Question(MessageWidget):
    """A message of a person. Long ones show their first lines, and the rest when asked."""

    overhang = 24

    def __init__(self, row: Row, style: Style, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(row, style, highlighter, parent)
        self._folded = True
        self._more: QuietButton | None = None
        self._bubble = QRect()
        self._show_text()

    def _show_text(self) -> None:
        text = self.row.message.text
        if self._folded and (len(text) > FOLDED_CHARACTERS or text.count("\n") > FOLDED_LINES):
            text = "\n".join(text[:FOLDED_CHARACTERS].split("\n")[: FOLDED_LINES + 1])
        self.body.show_plain(text)

    def show_row(self, row: Row, *, last: bool) -> None:
        """Show another state of the same message."""
        changed = row.message.text != self.row.message.text
        self.row, self.last = row, last
        self.body.setAccessibleDescription(row.mark)
        self.update()
        if changed:
            self._show_text()
        self._update_actions()

    def name(self, place: int, count: int) -> None:
        """Take the accessible name for the `place`-th of `count` messages."""
        self.body.setAccessibleName(_("You, message {place} of {count}").format(place=place, count=count))
        self.body.setAccessibleDescription(self.row.mark)

    def _wants_actions(self) -> bool:
        return super()._wants_actions() and not (
            self.last and not self.underMouse() and not self.body.hasFocus()
        )

    def lay_out(self, width: int) -> int:
        """Arrange everything in `width`; return the height of the row."""
        px = self.style_.px
        widest = int((width - 2 * px(SIDE)) * 0.8) - 2 * px(16)
        height = self.body.lay_out(widest)
        shortened = len(self.body.written) < len(self.row.message.text)
        limit = px(TEXT[1]) * FOLDED_LINES
        folds = self._folded and (shortened or height > limit + 2 * px(TEXT[1]))
        if height <= limit + 4 * px(TEXT[1]):
            fitting = min(widest, int(self.body.document().idealWidth()) + 2)
            height = self.body.lay_out(fitting)
        inner = self.body.width()
        top = px(18) + (px(20) if self.row.mark else 0)
        if folds:
            height = min(height, limit)
        self._bubble = QRect(width - px(SIDE) - inner - 2 * px(16), top, inner + 2 * px(16), height + px(20))
        self._arrange_more(folds=folds)
        self.body.setGeometry(self._bubble.left() + px(16), self._bubble.top() + px(8), inner, height + px(4))
        total = self._bubble.bottom() + 1 + px(8)
        self.resize(width, total + px(self.overhang))
        self._update_actions()
        self.update()
        return total

    def _arrange_more(self, *, folds: bool) -> None:
        long = folds or (not self._folded)
        if long and self._more is None:
            self._more = QuietButton(self.style_, _("Show all"), word=_("Show all"), parent=self)
            self._more.clicked.connect(self._toggle)
        if self._more is None:
            return
        self._more.setVisible(long)
        if long:
            px = self.style_.px
            self._more.rename(_("Show all") if self._folded else _("Show less"))
            self._more.move(self._bubble.left() + px(8), self._bubble.bottom() - px(6))
            self._bubble.setHeight(self._bubble.height() + px(26))

    def _toggle(self) -> None:
        self._folded = not self._folded
        self._show_text()
        self.grown.emit()

    @property
    def folded(self) -> bool:
        """Return whether only its first lines may be shown."""
        return self._folded

    def unfold(self) -> None:
        """Show all of it."""
        if self._folded:
            self._toggle()

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        super().restyle(style)
        if self._more is not None:
            self._more.restyle(style)

    def focus_chain(self) -> list[QWidget]:
        """Return what the Tab key visits, in order."""
        chain = super().focus_chain()
        return (
            chain[:1]
            + ([self._more] if self._more is not None and self._more.isVisible() else [])
            + chain[1:]
        )

    def _actions_rect(self) -> QRect:
        px = self.style_.px
        right = self._bubble.right() + 1 + px(actions.OVERLAP)
        return QRect(px(SIDE), self._bubble.bottom() + 1 + px(3), right - px(SIDE), px(actions.HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bubble."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.style_.palette.bubble))
        radius = self.style_.px(_RADIUS)
        painter.drawRoundedRect(QRectF(self._bubble), radius, radius)
        if self.row.mark:
            wide = min(self._mark_width(), self.width() - 2 * self.style_.px(SIDE))
            right = self._bubble.right() + 1 - wide
            self._paint_mark(
                painter, QRect(right, self._bubble.top() - self.style_.px(22), wide, self.style_.px(18))
            )
        painter.end()
        self._paint_ring(QRectF(self._bubble).adjusted(-3, -3, 3, 3))
