"""What a model wrote: Markdown over the whole column, with what it took and how it ended."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.domain.chat import CONTINUABLE, Message, Status
from app.domain.language import _
from app.ui.transcript import actions, thought, waiting
from app.ui.transcript.buttons import QuietButton
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.message import SIDE, MessageWidget, Row
from app.ui.transcript.stream import clean
from app.ui.transcript.style import SMALL, Style
from app.ui.transcript.thought import Thought
from app.ui.transcript.waiting import Waiting

_END = 14.0


def ending(message: Message) -> str:
    """Return one sentence on how an answer that is not whole came to end; empty for a whole one."""
    match message.status:
        case Status.STOPPED:
            return _("You stopped this answer.")
        case Status.INTERRUPTED:
            return _("Fireside was closed before this answer was finished.")
        case Status.CUT:
            return _("This answer reached its length limit.")
        case Status.FAILED:
            return message.error or _("This answer could not be finished.")
    return ""


class Answer(MessageWidget):
    """A message of a model."""

    def __init__(self, row: Row, style: Style, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(row, style, highlighter, parent)
        self._highlighter = highlighter
        self._activity = ""
        self._thought: Thought | None = None
        self._waiting: Waiting | None = None
        self._continue: QuietButton | None = None
        self._who = QRect()
        self._end = QRect()
        self._below = 0
        self.body.show_markdown(row.message.text, streaming=row.message.status is Status.WRITING)
        self._show_thought()

    @property
    def grows(self) -> bool:
        """Return whether the model is thinking: the end of the thought is the end of the answer."""
        return self._thought is not None and self._thought.thinking

    @property
    def unfolded(self) -> bool:
        """Return whether what the model thought is shown."""
        return self._thought is not None and self._thought.unfolded

    def unfold(self) -> None:
        """Show what the model thought, as it was shown before."""
        if self._thought is not None:
            self._thought.line.setChecked(True)

    def step(self) -> bool:
        """Write the next part of a long text; return whether all of it is there."""
        thought_is_there = self._thought is None or self._thought.step()
        return thought_is_there and super().step()

    def name(self, place: int, count: int) -> None:
        """Take the accessible name for the `place`-th of `count` messages."""
        self.body.setAccessibleName(_("Answer {place} of {count}").format(place=place, count=count))
        model = self.row.message.model
        said = (model.name if model else "", self.row.mark, ending(self.row.message))
        self.body.setAccessibleDescription(". ".join(filter(None, said)))

    def show_row(self, row: Row, *, last: bool) -> None:
        """Show another state of the same message; what has streamed in and is not stored yet stays."""
        self.row, self.last = row, last
        self.update()
        writing = row.message.status is Status.WRITING
        text = row.message.text
        if not writing:
            self._activity = ""
            self.body.finish()
        self._show_thought()
        if self.body.written != clean(text) and not (writing and self.body.written.startswith(clean(text))):
            self.body.show_markdown(text, streaming=writing)
        self._update_actions()

    def say(self, text: str) -> None:
        """Show what the engine is doing before the answer begins."""
        self._activity = text

    def append(self, text: str, reasoning: str = "") -> None:
        """Show more of the answer, and of what the model thinks before it."""
        self._activity = ""
        if reasoning:
            self._made_thought().append(reasoning)
        if text:
            if self._thought is not None:
                self._thought.end()
            self.body.append(text)

    def _made_thought(self) -> Thought:
        """Return the thought, which begins now if there was none."""
        if self._thought is None:
            self._thought = Thought(self.style_, self._highlighter, self)
            self._thought.toggled.connect(self.grown)
            self._thought.focused.connect(self._thought.update)
            self._thought.link_activated.connect(self.link_activated)
            self._thought.show_text("", 0.0, thinking=self.row.message.status is Status.WRITING)
            self._thought.show()
        return self._thought

    def _show_thought(self) -> None:
        """Show what the row says of the thought; what has streamed in and is not stored yet stays."""
        message = self.row.message
        if message.reasoning:
            writing = message.status is Status.WRITING
            if not (writing and self._thought is not None):
                thinking = writing and not message.text
                shown = self._made_thought()
                shown.show_text(message.reasoning, message.reasoning_seconds, thinking=thinking)
        elif self._thought is not None and message.status is not Status.WRITING:
            self._thought.deleteLater()
            self._thought = None

    def lay_out(self, width: int) -> int:
        """Arrange everything in `width`; return the height of the row."""
        px = self.style_.px
        left, inner = px(SIDE), width - 2 * px(SIDE)
        y = px(13)
        if self.row.message.model is not None or self.row.mark:
            self._who = QRect(left, y, inner, px(18))
            y += px(18 + 8)
        if self._thought is not None:
            height = self._thought.lay_out(inner)
            self._thought.move(left, y)
            y += height + px(thought.GAP)
        height = self.body.lay_out(inner) if self.body.written else 0
        self.body.setGeometry(left, y, inner, height)
        y += height
        y = self._lay_out_waiting(left, y, inner)
        y = self._lay_out_end(left, y, inner)
        self._below = y + px(4)
        total = self._below + px(actions.HEIGHT) + px(2)
        self.resize(width, total)
        self._update_actions()
        return total

    def _lay_out_waiting(self, left: int, y: int, inner: int) -> int:
        silent = not self.body.written and self._thought is None
        wanted = self.body.streaming and (bool(self._activity) or silent)
        if wanted and self._waiting is None:
            self._waiting = Waiting(self.style_, self)
        if self._waiting is not None:
            self._waiting.say(self._activity)
            self._waiting.setGeometry(left, y, inner, self.style_.px(waiting.HEIGHT))
            self._waiting.setVisible(wanted)
        return y + self.style_.px(waiting.HEIGHT) if wanted else y

    def _lay_out_end(self, left: int, y: int, inner: int) -> int:
        """Say how the answer ended, with the way on beside it or, where there is no room, below."""
        text, px = ending(self.row.message), self.style_.px
        goes_on = self.last and self.row.message.status in CONTINUABLE
        if goes_on and self._continue is None:
            self._continue = QuietButton(self.style_, "", framed=True, parent=self)
            self._continue.clicked.connect(lambda: self.asked.emit("continue"))
        if self._continue is not None:
            self._continue.rename(_("Continue") if self.row.message.text else _("Try again"))
            self._continue.setVisible(goes_on)
        self._end = QRect()
        if not text:
            return y
        y += px(8)
        metrics = QFontMetrics(self.style_.font(_END))
        words = metrics.horizontalAdvance(text) + px(2)
        button = self._continue.sizeHint() if self._continue is not None and goes_on else QSize()
        beside = words + px(12) + button.width() <= inner
        wrapped = metrics.boundingRect(QRect(0, 0, inner, 10_000), Qt.TextFlag.TextWordWrap, text)
        self._end = QRect(left, y, inner, px(26) if beside else wrapped.height())
        if self._continue is None or not goes_on:
            return self._end.bottom() + 1
        if beside:
            self._continue.setGeometry(left + words + px(12), y, button.width(), px(26))
            return y + px(26)
        y = self._end.bottom() + 1 + px(6)
        self._continue.setGeometry(left, y, button.width(), button.height())
        return y + button.height()

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        super().restyle(style)
        if self._continue is not None:
            self._continue.restyle(style)
        if self._waiting is not None:
            self._waiting.restyle(style)
        if self._thought is not None:
            self._thought.restyle(style)

    def focus_chain(self) -> list[QWidget]:
        """Return what the Tab key visits, in order."""
        chain = super().focus_chain()
        if self._continue is not None and self._continue.isVisible():
            chain.insert(1 + len(self.body.buttons()), self._continue)
        if self._thought is not None:
            chain = [*self._thought.focus_chain(), *chain]
        return chain

    def _actions_rect(self) -> QRect:
        px = self.style_.px
        left = px(SIDE - actions.OVERLAP)
        return QRect(left, self._below, self.width() - px(SIDE) - left, px(actions.HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw who wrote it, how it ended, and the ring when the keyboard is here."""
        painter = QPainter(self)
        painter.setPen(QColor(self.style_.palette.soft))
        model = self.row.message.model
        left = 0
        if model is not None:
            painter.setFont(self.style_.font(SMALL[0]))
            room = self._who.width() - (self._mark_width() + self.style_.px(12) if self.row.mark else 0)
            name = painter.fontMetrics().elidedText(model.name, Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(self._who, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
            left = painter.fontMetrics().horizontalAdvance(name) + self.style_.px(12)
        if self.row.mark:
            self._paint_mark(painter, self._who.adjusted(left, 0, 0, 0))
            painter.setPen(QColor(self.style_.palette.soft))
        if not self._end.isEmpty():
            painter.setFont(self.style_.font(_END))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(self._end, flags, ending(self.row.message))
        painter.end()
        self._paint_ring(QRectF(self.body.geometry()).adjusted(-12, -6, 12, 6))
