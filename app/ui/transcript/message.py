"""What a question and an answer have in common: their text, and the actions below it."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from app.domain.chat import Message, Role, Status
from app.domain.language import _
from app.ui.icons import icon
from app.ui.transcript.actions import Actions
from app.ui.transcript.body import Body
from app.ui.transcript.buttons import paint_focus
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.style import SMALL, Style

SIDE = 24


@dataclass(frozen=True)
class Row:
    """What the transcript shows for one message.

    Attributes:
        version: 1-based place among its siblings.
        versions: Ids of all siblings, itself included, oldest first.
        pinned: It is always kept in view of the model.
        above: It stands above the line over which the model no longer sees what is not pinned.
    """

    message: Message
    version: int = 1
    versions: tuple[int, ...] = ()
    pinned: bool = False
    above: bool = False

    @property
    def mark(self) -> str:
        """Return what is said of a pinned message; empty for any other."""
        if not self.pinned:
            return ""
        return _("Pinned: the model still sees this") if self.above else _("Pinned")


class MessageWidget(QWidget):
    """One message. `lay_out` gives it a width and tells its height; below it, `overhang` is not counted.

    Signals:
        asked: What is wanted of it: "copy", "regenerate", "edit", "continue", and what its menu offers.
        version_asked: Id of the sibling to show.
        link_activated: An address that was clicked.
        grown: Its height has changed by itself.
        rewritten: What a person has made of a text that is not a message.
        focused: Its text has got or lost the keyboard.
    """

    asked = Signal(str)
    version_asked = Signal(int)
    link_activated = Signal(str)
    grown = Signal()
    rewritten = Signal(str)
    focused = Signal()

    overhang = 0

    def __init__(self, row: Row, style: Style, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(parent)
        self.row = row
        self.style_ = style
        self.last = False
        self._actions: Actions | None = None
        self.body = Body(style, highlighter, self)
        self.body.link_activated.connect(self.link_activated)
        self.body.focused.connect(self._focus_changed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def name(self, place: int, count: int) -> None:
        """Take the accessible name for the `place`-th of `count` messages."""
        raise NotImplementedError

    def show_row(self, row: Row, *, last: bool) -> None:
        """Show another state of the same message."""
        raise NotImplementedError

    def lay_out(self, width: int) -> int:
        """Arrange everything in `width`; return the height of the row."""
        raise NotImplementedError

    @property
    def grows(self) -> bool:
        """Return whether what can be unfolded in it is still being written."""
        return False

    def step(self) -> bool:
        """Write the next part of a long text; return whether all of it is there."""
        return self.body.step()

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on; the text is written again by `step`."""
        self.style_ = style
        self.body.restyle(style)
        if self._actions is not None:
            self._actions.restyle(style)

    def pinned(self) -> bool:
        """Return whether someone is at it: it must not be taken away."""
        return self.isAncestorOf(self.window().focusWidget() or self.window()) or (
            self.body.textCursor().hasSelection()
        )

    def keyboard_inside(self) -> bool:
        """Return whether somebody came to it by keyboard."""
        return self.body.hasFocus() and self.body.by_keyboard

    def focus_chain(self) -> list[QWidget]:
        """Return what the Tab key visits, in order."""
        chain: list[QWidget] = [self.body, *self.body.buttons()]
        if self._actions is not None and self._actions.isVisible():
            chain += [button for button in self._actions.buttons() if button.isVisible()]
        return chain

    # ---- actions

    def _wants_actions(self) -> bool:
        if self.row.message.status is Status.WRITING:
            return len(self.row.versions) > 1  # to look at the others meanwhile
        inside = self.window().focusWidget()
        return self.last or self.underMouse() or (inside is not None and self.isAncestorOf(inside))

    def _update_actions(self) -> None:
        wanted = self._wants_actions()
        if wanted and self._actions is None:
            answer = self.row.message.role is Role.ASSISTANT
            self._actions = Actions(self.style_, answer=answer, parent=self)
            self._actions.asked.connect(self.asked)
            self._actions.version_asked.connect(self.version_asked)
        if self._actions is not None:
            if wanted:
                self._actions.show_message(
                    self.row.message, self.row.version, self.row.versions, pinned=self.row.pinned
                )
                self._actions.setGeometry(self._actions_rect())
            self._actions.setVisible(wanted)

    def _actions_rect(self) -> QRect:
        raise NotImplementedError

    def _focus_changed(self) -> None:
        self._update_actions()
        self.update()
        self.focused.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show what can be done."""
        self._update_actions()

    def leaveEvent(self, event: QEvent) -> None:
        """Hide it again."""
        self._update_actions()

    def _paint_mark(self, painter: QPainter, rect: QRect) -> None:
        """Draw a pin and what it means at the left of `rect`."""
        px, palette, edge = self.style_.px, self.style_.palette, self.style_.px(14)
        picture = icon("pin", palette.accent_ink, edge)
        picture.paint(painter, rect.left(), rect.center().y() - edge // 2 + 1, edge, edge)
        painter.setFont(self.style_.font(SMALL[0]))
        painter.setPen(QColor(palette.soft))
        words = painter.fontMetrics().elidedText(
            self.row.mark, Qt.TextElideMode.ElideRight, rect.width() - edge - px(5)
        )
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(rect.adjusted(edge + px(5), 0, 0, 0), flags, words)

    def _mark_width(self) -> int:
        words = QFontMetrics(self.style_.font(SMALL[0])).horizontalAdvance(self.row.mark)
        return words + self.style_.px(14 + 5) + 2

    def _paint_ring(self, rect: QRectF) -> None:
        if self.body.hasFocus() and self.body.by_keyboard:
            paint_focus(QPainter(self), rect, self.style_, self.style_.px(10))
