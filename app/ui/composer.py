"""Where a person writes: a card that grows with the words and never loses them."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.composer_text import ComposerText
from app.ui.context_ring import ContextRing
from app.ui.controls import SendButton, label
from app.ui.model_strip import ModelStrip
from app.ui.overflow_card import OverflowCard

_DRAFT_MS = 400
COLUMN = 760


class Composer(QWidget):
    """The card with the text, the room left in the context, and one button: send, or stop.

    Attributes:
        button: Sends, or stops.
        ring: How full the context is.
        strip: What is to be said of the model that answers.
        asking: What is asked above the card when a chat outgrows its context.

    Signals:
        submitted: The text to send; it stays until `clear_sent`.
        stop_requested: Stop the answer.
        edit_last_requested: Up was pressed in an empty composer.
        edit_cancelled: The edit of an earlier message is off; the draft is back.
        written: The person has written something.
        draft_changed: What stands unsent, a moment after the last key.
    """

    submitted = Signal(str)
    stop_requested = Signal()
    edit_last_requested = Signal()
    edit_cancelled = Signal()
    written = Signal()
    draft_changed = Signal(str)

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._answering = False
        self._draft: str | None = None  # what stood here before an edit began
        self._earlier = ""  # the message that is edited, as it was
        self._saving = QTimer(self, interval=_DRAFT_MS, singleShot=True)
        self._saving.timeout.connect(self._emit_draft)
        self._text = ComposerText(appearance)
        self._text.submitted.connect(self.submit)
        self._text.edit_last_requested.connect(self.edit_last_requested)
        self._text.textChanged.connect(self._changed)
        self._text.installEventFilter(self)
        self.button = SendButton(appearance)
        self.button.clicked.connect(self._press)
        self.ring = ContextRing(appearance)
        self.strip = ModelStrip()
        self.asking = OverflowCard(appearance)
        self._editing = self._edit_strip()
        self._notice = label("", tone="soft", measure="small")
        self._card = self._build_card()
        self._holder = self._build_holder()
        self._row = QHBoxLayout(self)
        self._row.addStretch(1)
        self._row.addWidget(self._holder, 1000)
        self._row.addStretch(1)
        self._gutter = 0
        self._appearance = appearance
        appearance.changed.connect(self._align)
        self._align()
        self.setFocusProxy(self._text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Write on, wherever in the card somebody clicks."""
        super().mousePressEvent(event)
        if self._card.geometry().contains(self._holder.mapFrom(self, event.position().toPoint())):
            self._text.setFocus(Qt.FocusReason.MouseFocusReason)

    @property
    def text(self) -> str:
        """Return what stands in the composer."""
        return self._text.toPlainText()

    @property
    def editing(self) -> bool:
        """Return whether an earlier message is being edited."""
        return self._draft is not None

    @property
    def draft(self) -> str:
        """Return what stands unsent, not the message that is being edited."""
        return self.text if self._draft is None else self._draft

    @property
    def unsent(self) -> str:
        """Return all words that would be lost: the draft, and those of an edit that changed something."""
        edit = self.text if self.editing and self.text != self._earlier else ""
        return "\n\n".join(part for part in (self.draft, edit) if part.strip())

    def submit(self) -> None:
        """Ask to send what stands here, if anything does."""
        if self.text.strip():
            self.submitted.emit(self.text)

    def set_draft(self, text: str) -> None:
        """Show what another chat has unsent; an edit that was under way is off."""
        self._end_edit()
        self._write(text)

    def flush_draft(self) -> None:
        """Emit `draft_changed` now if it is still to come."""
        if self._saving.isActive():
            self._saving.stop()
            self._emit_draft()

    def clear_sent(self, text: str) -> None:
        """Take away what has been sent, and bring back the draft after an edit; later words stay."""
        draft, self._draft = self._draft, None
        self._editing.hide()
        now = self.text
        rest = now[len(text) :].lstrip("\n") if now.startswith(text) else now
        self._write("\n".join(part for part in (draft or "", rest) if part))
        self._emit_draft()

    def begin_edit(self, text: str) -> None:
        """Offer an earlier message for editing; the draft comes back afterwards."""
        self.flush_draft()
        if self._draft is None:
            self._draft = self.text
        self._earlier = text
        self._write(text)
        self._editing.show()
        self._text.moveCursor(QTextCursor.MoveOperation.End)
        self._text.setFocus(Qt.FocusReason.OtherFocusReason)

    def cancel_edit(self) -> None:
        """Leave the earlier message as it is and bring the draft back."""
        if self._draft is not None:
            draft = self._draft
            self._end_edit()
            self._write(draft)
            self.edit_cancelled.emit()

    def fill(self, text: str, marked: str) -> None:
        """Write `text` in place of all, with its part `marked` selected to be typed over; can be undone."""
        cursor = self._text.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        start = text.index(marked)
        cursor.setPosition(start)
        cursor.setPosition(start + len(marked), QTextCursor.MoveMode.KeepAnchor)
        self._text.setTextCursor(cursor)
        self._text.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_answering(self, answering: bool) -> None:
        """Make the button stop the answer, or send."""
        self._answering = answering
        self.button.set_stop(answering)

    def set_placeholder(self, text: str) -> None:
        """Say in the empty composer what writing here does."""
        self._text.setPlaceholderText(text)
        self._text.viewport().update()  # Qt does so only where one is new or gone

    def set_notice(self, text: str) -> None:
        """Say something quietly under the card; an empty text takes it away."""
        self._notice.setText(text)
        self._notice.setVisible(bool(text))

    def set_context(self, used: int, total: int) -> None:
        """Show how many tokens of the context the conversation takes; no total, no ring."""
        self.ring.show_use(used, total)

    def set_gutter(self, width: int) -> None:
        """Leave `width` pixels free at the right, which a scroll bar takes from the messages above."""
        self._gutter = width
        self._align()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show on the card that the keyboard is in it."""
        if watched is self._text and event.type() in {QEvent.Type.FocusIn, QEvent.Type.FocusOut}:
            self._card.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self._card.style().unpolish(self._card)
            self._card.style().polish(self._card)
        return super().eventFilter(watched, event)

    def _align(self) -> None:
        """Stand right under the column of messages."""
        side = round(24 * self._appearance.scale)
        self._holder.setMaximumWidth(round(COLUMN * self._appearance.scale) - 2 * side)
        self._row.setContentsMargins(side, 0, side + self._gutter, 16)

    def _build_holder(self) -> QWidget:
        """Return the card with the notice under it."""
        self._notice.setWordWrap(True)
        self._notice.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._notice.hide()
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.asking)
        column.addWidget(self._card)
        column.addWidget(self._notice)
        return holder

    def _build_card(self) -> QFrame:
        card = QFrame()
        card.setObjectName("composer")
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 12, 8, 8)
        column.setSpacing(4)
        column.addWidget(self.strip)
        column.addWidget(self._editing)
        column.addWidget(self._text)
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(12)
        row.addStretch(1)
        row.addWidget(self.ring)
        row.addWidget(self.button)
        column.addLayout(row)
        return card

    def _edit_strip(self) -> QWidget:
        strip = QWidget()
        row = QHBoxLayout(strip)
        row.setContentsMargins(4, 0, 4, 4)
        row.setSpacing(2)
        row.addWidget(label(_("Editing an earlier message") + " ·", tone="soft", measure="small"))
        cancel = QPushButton(_("Cancel"))
        cancel.setProperty("kind", "link")
        cancel.setProperty("measure", "small")
        cancel.clicked.connect(self.cancel_edit)
        row.addWidget(cancel)
        row.addStretch(1)
        strip.hide()
        return strip

    def _write(self, text: str) -> None:
        self._text.blockSignals(True)
        self._text.setPlainText(text)
        self._text.blockSignals(False)
        self._text.moveCursor(QTextCursor.MoveOperation.End)
        self._text.fit()
        self._saving.stop()

    def _end_edit(self) -> None:
        self._draft = None
        self._editing.hide()

    def _changed(self) -> None:
        self.written.emit()
        if self._draft is None:
            self._saving.start()

    def _emit_draft(self) -> None:
        self.draft_changed.emit(self.draft)

    def _press(self) -> None:
        if self._answering:
            self.stop_requested.emit()
        else:
            self.submit()
