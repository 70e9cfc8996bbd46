"""Downloads put into another order with the mouse."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from app.ui.appearance import Appearance
from app.ui.downloads.desk import DownloadDesk

if TYPE_CHECKING:
    from app.ui.downloads.cards import Card

_EDGE = 18  # pixels from an end of the list in which it scrolls
_SCROLL_MS, _SCROLL_STEP = 30, 6


class _Place(QWidget):
    """A line where the card will be put."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._appearance.color("accent"))
        painter.drawRoundedRect(QRectF(self.rect()), 1, 1)


class _Escape(QObject):
    """Calls `let_go` for Esc, wherever the keyboard is, before any shortcut gets it."""

    def __init__(self, let_go: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._let_go = let_go

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take Esc."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            if event.type() != QEvent.Type.ShortcutOverride:
                self._let_go()
            return True
        return False


class Mover(QObject):
    """Lets cards be taken with the mouse and put between others; Esc leaves them where they are.

    The order changes when the button is let go, not before: what is fetched does not follow the mouse.
    """

    def __init__(
        self, appearance: Appearance, desk: DownloadDesk, area: QScrollArea, content: QWidget
    ) -> None:
        """Move cards that lie in `content`, of which `area` shows a part."""
        super().__init__(area)
        self._desk, self._area, self._content = desk, area, content
        self._cards: list[Card] = []
        self._pressed: QPoint | None = None
        self._at = QPoint()
        self._held: Card | None = None
        self._line = _Place(appearance, content)
        self._escape = _Escape(self._let_go, self)
        self._scroll = QTimer(self, interval=_SCROLL_MS)
        self._scroll.timeout.connect(self._creep)

    def take(self, card: "Card") -> None:
        """Let `card` be moved from now on."""
        self._cards.append(card)
        card.installEventFilter(self)

    def leave(self, card: "Card") -> None:
        """Know `card` no more: it goes."""
        self._cards.remove(card)
        if card is self._held:
            self._let_go()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the mouse from a press on a card."""
        card = next((each for each in self._cards if each is watched), None)
        if card is None or not isinstance(event, QMouseEvent):
            return False
        where = event.globalPosition().toPoint()
        match event.type():
            case QEvent.Type.MouseButtonPress if event.button() is Qt.MouseButton.LeftButton:
                queue = [each.id for each in self._desk.queue()]
                self._pressed = where if card.download.id in queue and len(queue) > 1 else None
                return self._pressed is not None
            case QEvent.Type.MouseMove if self._pressed is not None:
                far = (where - self._pressed).manhattanLength() >= QApplication.startDragDistance()
                if self._held is None and far:
                    self._hold(card)
                if self._held is not None:
                    self._at = where
                    self._show_place()
                return True
            case QEvent.Type.MouseButtonRelease if self._pressed is not None:
                held, place = self._held, self._place_at(where)
                self._let_go()
                if held is not None:
                    self._desk.place(held.download, place)
                return True
        return False

    def _hold(self, card: "Card") -> None:
        self._held = card
        card.hold(True)
        self._scroll.start()
        if (application := QApplication.instance()) is not None:
            application.installEventFilter(self._escape)

    def _let_go(self) -> None:
        held, self._held, self._pressed = self._held, None, None
        self._scroll.stop()
        self._line.hide()
        if (application := QApplication.instance()) is not None:
            application.removeEventFilter(self._escape)
        if held is not None:
            held.hold(False)

    def _others(self) -> "list[Card]":
        """Return the cards that the held one can be put between, from the first."""
        by_id = {card.download.id: card for card in self._cards}
        queue = [by_id[each.id] for each in self._desk.queue() if each.id in by_id]
        return [card for card in queue if card is not self._held]

    def _place_at(self, where: QPoint) -> int:
        below = self._content.mapFromGlobal(where).y()
        return sum(card.geometry().center().y() < below for card in self._others())

    def _show_place(self) -> None:
        """Draw the line where the held card would go."""
        others, place = self._others(), self._place_at(self._at)
        if not others:
            return
        y = others[place].geometry().top() if place < len(others) else others[-1].geometry().bottom()
        self._line.setGeometry(8, max(0, y - 1), self._content.width() - 16, 2)
        self._line.show()
        self._line.raise_()

    def _creep(self) -> None:
        """Scroll while the mouse is at an end of the list."""
        y, bar = self._area.mapFromGlobal(self._at).y(), self._area.verticalScrollBar()
        step = (y > self._area.height() - _EDGE) - (y < _EDGE)
        if step and bar.minimum() < bar.maximum():
            bar.setValue(bar.value() + step * _SCROLL_STEP)
            self._show_place()
