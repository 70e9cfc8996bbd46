"""The only place that shows a UserError or an offer to undo: quiet bars above the composer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.domain.errors import UserError
from app.domain.language import _, joined
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, announce, label

_SHOWN_MS = 8000
_MOST = 3
_WIDEST = 712


@dataclass(frozen=True, slots=True)
class Offer:
    """The one thing a notice offers to do: the words on its button, and what they do."""

    text: str
    run: Callable[[], None]


class Notices(QWidget):
    """A stack of notices that floats over the bottom of its parent, the newest below.

    An error stays until it is closed or its offer is taken; anything else leaves by itself.
    """

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._offers: Mapping[str, Offer] = {}
        self._bottom = 0
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(24, 0, 24, 0)
        self._column.setSpacing(8)
        parent.installEventFilter(self)
        self.hide()

    def set_offers(self, offers: Mapping[str, Offer]) -> None:
        """Say what the actions that a UserError may name are called and do."""
        self._offers = offers

    def set_bottom(self, height: int) -> None:
        """Keep `height` pixels free at the bottom of the parent: the composer's."""
        self._bottom = height
        self._place()

    def show_error(self, error: UserError, offer: Offer | None = None) -> None:
        """Show what happened, what to do, and `offer`, or the button for the action that the error names."""
        offer = offer or self._offers.get(error.action)
        for notice in self._notices():
            if notice.error == str(error):  # said again: once is enough, with what one of them offered
                offer = offer or notice.offer
                notice.close_now()
        self._add(Notice(self._appearance, error.message, error.hint, offer, self))

    def show_offer(self, message: str, offer: Offer | None = None) -> None:
        """Show a fact for a while, with something to do about it, such as to undo it."""
        notice = Notice(self._appearance, message, "", offer, self)
        self._add(notice)
        notice.leave_after(_SHOWN_MS)

    def dismiss_newest(self) -> bool:
        """Close the newest notice; False when there is none."""
        shown = self._notices()
        if shown:
            shown[-1].close_now()
        return bool(shown)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the bottom when the parent changes its size."""
        if watched is self.parent() and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _notices(self) -> list["Notice"]:
        return [child for child in self.findChildren(Notice) if not child.closed]

    def _add(self, notice: "Notice") -> None:
        shown = self._notices()
        for oldest in shown[: max(0, len(shown) - _MOST)]:  # `notice` is among them already
            oldest.close_now()
        notice.gone, notice.taken = self._place, self._take
        self._column.addWidget(notice)
        notice.show()
        self._place()
        announce(self, notice.error)

    def _take(self, offer: Offer) -> None:
        for notice in self._notices():
            if notice.offer is offer:
                notice.close_now()
        offer.run()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        shown = bool(self._notices())
        self.setVisible(shown)
        if shown:
            width = min(parent.width(), _WIDEST + 48)
            height = self._column.heightForWidth(width)
            left = (parent.width() - width) // 2
            self.setGeometry(left, parent.height() - self._bottom - height - 8, width, height)
            self.raise_()


class Notice(QFrame):
    """One bar: what happened, what to do, one button at most, and a cross.

    Attributes:
        error: All that it says.
        offer: What its button does.
        closed: It is on its way out.
    """

    def __init__(
        self, appearance: Appearance, message: str, hint: str, offer: Offer | None, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.error = joined(message, hint)
        self.offer = offer
        self.closed = False
        self.gone: Callable[[], None] = lambda: None
        self.taken: Callable[[Offer], None] = lambda offer: offer.run()
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(10)
        words = QVBoxLayout()
        words.setSpacing(2)
        for text, tone in ((message, "ink"), (hint, "soft")):
            if text:
                line = label(text, tone=tone)
                line.setWordWrap(True)
                line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
                words.addWidget(line)
        row.addLayout(words, 1)
        if offer is not None:
            button = QPushButton(offer.text)
            button.setProperty("kind", "link")
            button.clicked.connect(lambda: self.taken(offer))
            row.addWidget(button)
        close = IconButton(appearance, "close", _("Close this notice"), self)
        close.setIconSize(QSize(14, 14))
        close.clicked.connect(self.close_now)
        row.addWidget(close)

    def leave_after(self, milliseconds: int) -> None:
        """Close by itself, but not under the pointer or while the keyboard is in it."""
        self._timer = QTimer(self, interval=milliseconds, singleShot=True)
        self._timer.timeout.connect(self._leave)
        self._timer.start()

    def close_now(self) -> None:
        """Go away."""
        self.closed = True
        self.hide()
        self.deleteLater()
        self.gone()

    def _leave(self) -> None:
        if self.underMouse() or self.isAncestorOf(self.window().focusWidget() or self.window()):
            self._timer.start()
        else:
            self.close_now()
