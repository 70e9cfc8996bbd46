"""What a model thinks before it answers: folded under one line that says how long it took."""

import time
from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.domain.language import _
from app.domain.reading_words import thought_text
from app.ui.icons import icon
from app.ui.transcript.body import Body
from app.ui.transcript.buttons import RingedButton, paint_focus
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.style import Style
from app.ui.transcript.waiting import Ember

HEIGHT = 28
GAP = 8
"""Space between the thought and the answer."""
_SCALE = 0.9
_INDENT = 16
_RULE = 2
_CHEVRON = 14


class ThoughtLine(RingedButton):
    """One line to click: an ember while the model thinks, how long it took, and which way it unfolds."""

    def __init__(self, style: Style, parent: QWidget) -> None:
        super().__init__(parent)
        self._style = style
        self._thinking = False
        self._seconds = 0.0
        self._since = time.monotonic()
        self._ember = Ember(self)
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._say)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.toggled.connect(self._describe)
        self.restyle(style)
        self._describe()

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        self._style = style
        self.setFont(style.font(14))
        self.update()

    def set_state(self, seconds: float, *, thinking: bool) -> None:
        """Show how long the model has thought; while it is `thinking`, go on counting from there."""
        if thinking and self._thinking:
            return  # it counts already
        self._seconds, self._since, self._thinking = seconds, time.monotonic(), thinking
        (self._clock.start if thinking else self._clock.stop)()
        self._say()

    def end(self) -> None:
        """Stop counting."""
        if self._thinking:
            self.set_state(self._seconds + time.monotonic() - self._since, thinking=False)

    def _say(self) -> None:
        passed = time.monotonic() - self._since if self._thinking else 0.0
        self.setText(thought_text(self._seconds + passed, thinking=self._thinking))
        self.setAccessibleName(self.text())
        self._ember.glow(self._thinking and not self.isChecked(), self._style)
        self.resize(self.sizeHint())
        self.update()

    def _describe(self) -> None:
        """Say what a press does, and let the ember go where the text below has one."""
        hint = _("Hide what the model thought") if self.isChecked() else _("Show what the model thought")
        self.setAccessibleDescription(hint)
        self.setToolTip(hint)
        self._say()

    def sizeHint(self) -> QSize:
        """Return the size of the ember, the words and the chevron."""
        px = self._style.px
        words = QFontMetrics(self.font()).horizontalAdvance(self.text())
        return QSize(self._left() + words + px(6 + _CHEVRON + 6), px(HEIGHT))

    def _left(self) -> int:
        return self._style.px(20) if self._thinking and not self.isChecked() else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the words and the chevron."""
        painter = QPainter(self)
        px, palette = self._style.px, self._style.palette
        color = palette.ink if self.underMouse() or self.isDown() else palette.soft
        painter.setPen(QColor(color))
        rest = self.rect().adjusted(self._left(), 0, 0, 0)
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        edge = px(_CHEVRON)
        x = self._left() + painter.fontMetrics().horizontalAdvance(self.text()) + px(6)
        picture = "chevron-down" if self.isChecked() else "chevron-right"
        icon(picture, color, edge).paint(painter, x, (self.height() - edge) // 2, edge, edge)
        if self._ring and self.hasFocus():
            paint_focus(painter, QRectF(self.rect()).adjusted(-1, 1, 1, -1), self._style, px(6))


class Thought(QWidget):
    """The line, and the text under it once somebody has unfolded it.

    Attributes:
        line: What is always shown.

    Signals:
        toggled: It was folded or unfolded: its height is another.
        focused: Its text or its line has got or lost the keyboard.
        link_activated: An address that was clicked.
    """

    toggled = Signal()
    focused = Signal()
    link_activated = Signal(str)

    def __init__(self, style: Style, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(parent)
        self._style, self._highlighter = style, highlighter
        self._text = ""
        self._thinking = False
        self._body: Body | None = None
        self.line = ThoughtLine(style, self)
        self.line.toggled.connect(self._unfold)

    @property
    def thinking(self) -> bool:
        """Return whether more is to come."""
        return self._thinking

    @property
    def unfolded(self) -> bool:
        """Return whether the text is shown."""
        return self.line.isChecked()

    @property
    def body(self) -> Body | None:
        """Return the text's widget; None until it was unfolded once."""
        return self._body

    def show_text(self, text: str, seconds: float, *, thinking: bool) -> None:
        """Show all of what was thought up to now."""
        known, self._text, self._thinking = self._text, text, thinking
        self.line.set_state(seconds, thinking=thinking)
        if self._body is None:
            return
        if thinking and self._body.streaming and text.startswith(known):
            self._body.append(text[len(known) :])
        elif text != known:
            self._body.show_markdown(text, streaming=thinking)
        elif not thinking:
            self._body.finish()

    def append(self, text: str) -> None:
        """Show more of it."""
        self._text += text
        if self._body is not None:
            self._body.append(text)

    def end(self) -> None:
        """Nothing more comes, for now."""
        if self._thinking:
            self._thinking = False
            self.line.end()
            if self._body is not None:
                self._body.finish()

    def step(self) -> bool:
        """Write the next part of a long text; return whether all of it is there."""
        return self._body is None or not self.unfolded or self._body.step()

    def lay_out(self, width: int) -> int:
        """Arrange everything in `width`; return the height."""
        px = self._style.px
        height = px(HEIGHT)
        self.line.resize(self.line.sizeHint())
        if self._body is not None and self.unfolded:
            inner = width - px(_INDENT)
            below = self._body.lay_out(inner)
            self._body.setGeometry(px(_INDENT), height + px(2), inner, below)
            height += px(2) + below + px(4)
        self.resize(width, height)
        return height

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        self._style = style
        self.line.restyle(style)
        if self._body is not None:
            self._body.restyle(_quiet(style))

    def focus_chain(self) -> list[QWidget]:
        """Return what the Tab key visits, in order."""
        if self._body is None or not self.unfolded:
            return [self.line]
        return [self.line, self._body, *self._body.buttons()]

    def _unfold(self, unfolded: bool) -> None:
        if unfolded and self._body is None:
            self._body = Body(_quiet(self._style), self._highlighter, self)
            self._body.setAccessibleName(_("What the model thought"))
            self._body.link_activated.connect(self.link_activated)
            self._body.focused.connect(self.focused)
            self._body.show_markdown(self._text, streaming=self._thinking)
            self._body.step()
        if self._body is not None:
            self._body.setVisible(unfolded)
        self.toggled.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rule at the left of the text, and the ring when the keyboard is in it."""
        if self._body is None or not self.unfolded:
            return
        painter = QPainter(self)
        text = QRectF(self._body.geometry())
        rule = QRectF(self._style.px(2), text.top(), self._style.px(_RULE), text.height())
        painter.fillRect(rule, QColor(self._style.palette.line))
        if self._body.hasFocus() and self._body.by_keyboard:
            paint_focus(painter, text.adjusted(-6, -2, 0, 2), self._style, self._style.px(8))


def _quiet(style: Style) -> Style:
    """Return the style of what is said under one's breath: smaller, in soft ink."""
    palette = replace(style.palette, ink=style.palette.soft)
    return Style(palette, style.scale * _SCALE, style.mono)
