"""The transcript: a column of messages, of which only those near the visible part are alive."""

from itertools import pairwise

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from app.domain.chat import Status
from app.domain.language import _
from app.domain.search_text import Phrase, pattern
from app.ui.controls import announce
from app.ui.theme import Palette
from app.ui.transcript.answer import Answer
from app.ui.transcript.arrival import Arrival
from app.ui.transcript.boundary import is_boundary
from app.ui.transcript.building import Building
from app.ui.transcript.buttons import BY_KEYBOARD
from app.ui.transcript.column import Column
from app.ui.transcript.finding import Finding, Text
from app.ui.transcript.highlight import Highlighter
from app.ui.transcript.living import Living
from app.ui.transcript.message import MessageWidget, Row
from app.ui.transcript.overlays import FADE, Overlays
from app.ui.transcript.scrolling import Anchor, Scrolling
from app.ui.transcript.style import Style

COLUMN = 760
OPEN_MS = 120
"""Time for building what is visible before a chat is painted for the first time."""
SCROLL_MS = 10
"""The same before a scrolled or resized chat is painted again."""
MARGIN = 24
FOOT = FADE + 8
"""Space below the last row."""
ANNOUNCED = 1000
"""Characters of a finished answer that are read aloud at once."""


class TranscriptView(QAbstractScrollArea):
    """Shows the messages of a chat and follows one that is being written.

    Rows far from the visible part are only a height: measured once they have been alive, estimated
    before. A row is built in a turn of the event loop of its own, nearest first. Whatever changes
    its height, the row at the top of the visible part stays where it is; when the end was visible,
    the end stays visible.

    Attributes:
        finding: What is looked for in it.

    Signals:
        asked: What is wanted of a message, as its row says it, and its id; for "copy" see `copy_text`.
        version_requested: Id of the sibling that is to be shown.
        link_activated: Address of a link that was clicked: http, https or mailto. Nothing is opened.
        summary_written: What a person has made of the summary that the model sees instead of old messages.
    """

    asked = Signal(str, int)
    version_requested = Signal(int)
    link_activated = Signal(str)
    summary_written = Signal(str)

    def __init__(self, palette: Palette, *, mono: str = "", parent: QWidget | None = None) -> None:
        """Create an empty transcript; `mono` is the family for code, or empty for the usual one."""
        super().__init__(parent)
        self._style = Style(palette, 1.0, mono)
        self._rows: list[Row] = []
        self._line: int | None = None  # the place of the line above which the model no longer sees
        self._column = Column()
        self._live = Living(self.viewport(), Highlighter(self))
        self._arrivals: dict[int, Arrival] = {}
        self._scroll = Scrolling(self.verticalScrollBar(), self._column)
        self._building = Building(self._column, self._live, self._scroll, self._height, self._improve, self)
        self._building.keep(self._arrivals.keys())
        self.finding = Finding(self._column, self._live, self._scroll, self._height, self._texts, self)
        self._overlays = Overlays(self._style, self.viewport())
        self._overlays.chip.clicked.connect(self.scroll_to_end)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(_("Conversation"))

    # ---- what the window asks

    def set_rows(self, rows: list[Row], *, keep_position: bool = False) -> None:
        """Show `rows`, from the first message to the last; what was shown before and still is, stays alive.

        Args:
            rows: One for each message, ids distinct.
            keep_position: Stay at the row that is being read, instead of going to the end.
        """
        anchor = self._anchor()
        self._scroll.forget_reading()
        ids = {row.message.id for row in rows}
        self._remove(set(self._live) - ids)
        self._rows = list(rows)
        self._line = next((place for place, row in enumerate(rows) if is_boundary(row)), None)
        self._arrange()
        for gone in self._arrivals.keys() - ids:
            self._arrivals.pop(gone)
        for row in rows:
            self._take(row)
        self._name_all()
        if not keep_position:
            self._scroll.following = True
            self._overlays.chip.hide()
        self._settle(anchor)
        self._fill(OPEN_MS)
        self.finding.take_texts()

    def append_stream(self, message_id: int, text: str, reasoning: str = "") -> None:
        """Add to the answer that is being written. The caller gathers: some thirty calls a second.

        Args:
            message_id: The answer.
            text: What comes behind its text.
            reasoning: What comes behind what the model thinks before it answers.
        """
        arrival = self._arrivals.get(message_id)
        if arrival is None or not (text or reasoning):
            return
        arrival.text += text
        arrival.reasoning += reasoning
        arrival.activity = ""
        self._scroll.forget_reading(message_id)  # it grows at its end: what is above is another share of it
        if (widget := self._live.answer(message_id)) is not None:
            anchor = self._anchor()
            widget.append(text, reasoning)
            self._measure(message_id)
            self._settle(anchor)
            self.finding.written(message_id)
        self.finding.text_grew()
        if text and not (self._scroll.following or self._scroll.at_end):
            self._overlays.chip.show()

    def set_activity(self, message_id: int, text: str) -> None:
        """Say what the engine is doing before the answer begins; an empty `text` leaves only the ember."""
        arrival = self._arrivals.get(message_id)
        if arrival is None or arrival.activity == text:
            return
        arrival.activity = text
        if (widget := self._live.answer(message_id)) is not None:
            anchor = self._anchor()
            widget.say(text)
            self._measure(message_id)
            self._settle(anchor)

    def finish_stream(self, row: Row) -> None:
        """Show the answer as it was stored, with what it took and how it ended; announce it once."""
        place = self._column.places.get(row.message.id)
        if place is None:
            return
        anchor = self._anchor()
        self._rows[place] = row
        self._take(row)
        if row.message.id in self._live:
            self._write(row.message.id)
        self._settle(anchor)
        self.finding.take_texts()
        self._announce(row)

    def set_palette_tokens(self, palette: Palette) -> None:
        """Change the theme."""
        if palette != self._style.palette:
            self._restyle(Style(palette, self._style.scale, self._style.mono))

    def set_text_scale(self, factor: float) -> None:
        """Change the size of everything; 1.0 is the drawn size."""
        if factor != self._style.scale:
            self._restyle(Style(self._style.palette, factor, self._style.mono))

    def copy_text(self, message_id: int) -> str:
        """Return the source of a message: Markdown for an answer, what was typed for a question."""
        place = self._column.places.get(message_id)
        return "" if place is None else self._text(self._rows[place])

    def scroll_to_end(self) -> None:
        """Go to the end and follow it."""
        self._scroll.following = True
        self._overlays.chip.hide()
        self._settle([])
        self._fill(SCROLL_MS)

    def reveal(self, message_id: int, phrases: tuple[Phrase, ...]) -> None:
        """Go to a message and mark `phrases` in it, or go to its beginning where it has none."""
        if message_id in self._column.places:
            self.finding.look_for(pattern(phrases), only=message_id)
            self.finding.go_to(message_id)

    def live_rows(self) -> dict[int, MessageWidget]:
        """Return the widgets that are alive, by message id."""
        return dict(self._live.items())

    def order_tabs(self) -> None:
        """Have the Tab key go through the messages from top to bottom, wherever it comes from."""
        chain: list[QWidget] = [self]
        for id_ in self._in_order():
            chain += self._live[id_].focus_chain()
        for before, after in pairwise([*chain, self._overlays.chip]):
            QWidget.setTabOrder(before, after)

    def _in_order(self) -> list[int]:
        return sorted(self._live, key=self._column.places.__getitem__)

    # ---- rows

    def _remove(self, gone: set[int]) -> None:
        """Take rows away; the keyboard, if it is in one of them, comes here first: Qt would move it on."""
        inside = self.window().focusWidget()
        left = [self._live[id_].body for id_ in gone if inside and self._live[id_].isAncestorOf(inside)]
        if left:
            clicked = left[0].hasFocus() and not left[0].by_keyboard
            self.setFocus(Qt.FocusReason.MouseFocusReason if clicked else Qt.FocusReason.TabFocusReason)
        for id_ in gone:
            self._live.remove(id_)

    def _text(self, row: Row) -> str:
        arrival = self._arrivals.get(row.message.id)
        return row.message.text if arrival is None else arrival.text

    def _texts(self) -> list[Text]:
        return [
            (row.message.id, row.message.role, self._text(row)) for row in self._rows if not is_boundary(row)
        ]

    def _take(self, row: Row) -> None:
        """Bring the stream and the widget of a row in line with it."""
        message = row.message
        if message.status is Status.WRITING:
            self._arrivals.setdefault(message.id, Arrival(message.text, message.reasoning)).catch_up(message)
        else:
            self._arrivals.pop(message.id, None)
        self._live.update(row, last=self._is_last(message.id))

    def _is_last(self, id_: int) -> bool:
        return self._column.places[id_] == len(self._rows) - 1

    def _name_all(self) -> None:
        for id_ in self._live:
            self._name(id_)

    def _name(self, id_: int) -> None:
        """Say which of the messages it is; the line across the column is none."""
        place = self._column.places[id_]
        line = self._line
        passed, count = line is not None and line < place, len(self._rows) - (line is not None)
        self._live[id_].name(place + 1 - passed, count)

    def _arrange(self) -> None:
        width = min(self.viewport().width(), self._style.px(COLUMN))
        self._column.arrange([row.message for row in self._rows], width, self._style.scale)

    # ---- rows that are alive

    def _build(self, id_: int) -> None:
        row = self._rows[self._column.places[id_]]
        widget = self._live.add(row, self._style, self._column.width, last=self._is_last(id_))
        self._name(id_)
        self._connect(id_, widget)
        self._overlays.lift()
        if isinstance(widget, Answer) and (arrival := self._arrivals.get(id_)) is not None:
            widget.append(
                arrival.text.removeprefix(row.message.text),
                arrival.reasoning.removeprefix(row.message.reasoning),
            )
            widget.say(arrival.activity)

    def _connect(self, id_: int, widget: MessageWidget) -> None:
        widget.asked.connect(lambda what: self.asked.emit(what, id_))
        widget.version_asked.connect(self.version_requested)
        widget.link_activated.connect(self.link_activated)
        widget.grown.connect(lambda: self._grow(id_))
        widget.rewritten.connect(self.summary_written)
        widget.focused.connect(lambda: self._reveal_focused(id_))
        widget.body.caret_moved.connect(lambda rect: self._reveal(id_, rect))

    def _write(self, id_: int) -> None:
        """Write the next part of a row's text, and measure the row."""
        self._live.write(id_)
        self._measure(id_)
        self.finding.written(id_)

    def _measure(self, id_: int) -> None:
        self._column.measure(self._column.places[id_], self._live.lay_out(id_, self._column.width))

    def _improve(self, id_: int) -> None:
        """Bring one row a step further, without moving what is being read."""
        anchor = self._anchor()
        if id_ not in self._live:
            self._build(id_)
        self._write(id_)
        self._settle(anchor)

    def _fill(self, milliseconds: float) -> None:
        if self.isVisible():
            self._building.fill(milliseconds)

    # ---- where things are

    def _height(self) -> int:
        return self.viewport().height()

    def _offset(self) -> int:
        return self._scroll.offset

    def _anchor(self) -> Anchor:
        return self._scroll.anchor(self._height())

    def _settle(self, anchor: Anchor) -> None:
        self._scroll.settle(anchor, self._height(), FOOT)
        self._place_all()

    def _place_all(self) -> None:
        x, offset = (self.viewport().width() - self._column.width) // 2, self._offset()
        for id_, widget in self._live.items():
            widget.move(x, self._column.top(self._column.places[id_]) - offset)

    def _grow(self, id_: int) -> None:
        anchor = self._anchor()
        if not self._live[id_].grows:
            self._scroll.following = False  # who unfolds a text reads on from there
        self._measure(id_)
        self._settle(anchor)
        self._fill(SCROLL_MS)

    def _reveal(self, id_: int, rect: QRectF) -> None:
        """Scroll until the part `rect` of a row's text is visible."""
        body = self._live[id_].body
        top = body.mapTo(self.viewport(), rect.topLeft().toPoint()).y()
        self._scroll.reveal(top, top + round(rect.height()), self._height(), MARGIN)

    def _reveal_focused(self, id_: int) -> None:
        """Bring a row that the keyboard has come to into sight."""
        if not self._live[id_].keyboard_inside():
            return
        place, height = self._column.places[id_], self._height()
        top = self._column.top(place) - self._offset()
        bottom = top + self._column.height(place)
        if top < 0 or bottom - top > height:
            self._scroll.by(top)
        elif bottom > height - FADE:
            self._scroll.by(bottom - height + FADE)

    # ---- look and voice

    def _restyle(self, style: Style) -> None:
        anchor = self._anchor()
        self._scroll.keep_reading(anchor)
        rescaled = style.scale != self._style.scale
        self._style = style
        self._overlays.restyle(style)
        self.viewport().update()
        self._overlays.arrange(self.viewport().rect())
        for id_ in self._live:
            if self._building.is_visible(id_) or id_ in self._arrivals or self._live[id_].pinned():
                self._live.restyle(id_, style)
            else:
                self._live.remove(id_)
        if rescaled:
            self._column.forget_measures()
        self._arrange()
        self._settle(anchor)
        self._fill(OPEN_MS)

    def _announce(self, row: Row) -> None:
        """Let a screen reader say the beginning of a finished answer, once."""
        widget = self._live.answer(row.message.id)
        text = row.message.text if widget is None else widget.body.toPlainText()
        announce(self, text[:ANNOUNCED])

    # ---- what Qt asks

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the paper."""
        QPainter(self.viewport()).fillRect(event.rect(), QColor(self._style.palette.paper))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Move the rows; at the end, follow it from now on."""
        if self._scroll.settling:
            return
        self._scroll.scrolled()
        if self._scroll.following:
            self._overlays.chip.hide()
        self._place_all()
        self._fill(SCROLL_MS)

    def warm_up(self) -> None:
        """Import what is slow to import on another thread: ahead of the first message that saves 40 ms."""
        self._live.warm_up()

    def showEvent(self, event: QShowEvent) -> None:
        """Build what is visible before the first paint."""
        super().showEvent(event)
        self.warm_up()
        self._resize_column()
        self._fill(OPEN_MS)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out what is visible at once, the rest in turns to come."""
        super().resizeEvent(event)
        self._overlays.arrange(self.viewport().rect())
        self._resize_column()
        self._fill(SCROLL_MS)

    def _resize_column(self) -> None:
        anchor = self._anchor()
        if self._column.width != min(self.viewport().width(), self._style.px(COLUMN)):
            self._scroll.keep_reading(anchor)
            self._arrange()
            self._live.widths_changed()
        self._settle(anchor)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show who came by keyboard where it is."""
        super().focusInEvent(event)
        self._overlays.show_ring(event.reason() in BY_KEYBOARD)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard is elsewhere."""
        super().focusOutEvent(event)
        self._overlays.show_ring(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll with the keyboard."""
        if event.key() == Qt.Key.Key_Home:
            self.verticalScrollBar().setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.scroll_to_end()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Lead the Tab key from here to the first message in sight."""
        self.order_tabs()
        seen = next((id_ for id_ in self._in_order() if self._building.is_visible(id_)), None)
        if forward and self.hasFocus() and seen is not None:
            self._live[seen].body.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return super().focusNextPrevChild(forward)
