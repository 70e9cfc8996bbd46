"""The line under a message: what can be done with it, which version it is, and what it took."""

from PySide6.QtCore import QLocale, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from app.domain.chat import Message, Status
from app.domain.generation import Stats
from app.domain.language import _
from app.ui.menus import rounded
from app.ui.transcript.buttons import QuietButton
from app.ui.transcript.style import SMALL, Style

HEIGHT = 28
_DOT = " · "
OVERLAP = 5
"""How far the first icon's ground reaches out of the column, so that the icon stands on its edge."""


def stats_line(stats: Stats | None) -> str:
    """Return what an answer took, with numbers as the user writes them; empty parts are left out."""
    if stats is None:
        return ""
    locale = QLocale()
    parts = []
    if speed := stats.tokens_per_second:
        shown = locale.toString(speed, "f", 0 if speed >= 10 else 1)
        parts.append(_("{speed} tokens/s").format(speed=shown))
    if stats.first_token_seconds >= 0.05:
        seconds = locale.toString(stats.first_token_seconds, "f", 1)
        parts.append(_("first word after {seconds} s").format(seconds=seconds))
    if stats.reused_tokens:
        reused, total = locale.toString(stats.reused_tokens), locale.toString(stats.prompt_tokens)
        parts.append(_("{reused} of {total} tokens reused").format(reused=reused, total=total))
    return _DOT.join(parts)


def _pin_words() -> str:
    return _("Pin: always keep in view of the model")


class Actions(QWidget):
    """Buttons for one message.

    Signals:
        asked: What is wanted: "copy", "regenerate", "edit", "pin", "versions", "prompt", "probabilities",
            "branch", "delete", "delete-branch".
        version_asked: The id of the sibling to show.
    """

    asked = Signal(str)
    version_asked = Signal(int)

    def __init__(self, style: Style, *, answer: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._answer = answer
        self._stats = ""
        self._versions: tuple[int, ...] = ()
        self._version = 1
        self._copy = self._button(_("Copy"), "copy", "copy")
        if answer:
            self._second = self._button(_("Answer again"), "redo", "regenerate")
        else:
            self._second = self._button(_("Edit"), "pencil", "edit")
        self._older = QuietButton(style, _("Previous version"), "chevron-left", width=22, parent=self)
        self._newer = QuietButton(style, _("Next version"), "chevron-right", width=22, parent=self)
        self._older.clicked.connect(lambda: self._ask_version(-1))
        self._newer.clicked.connect(lambda: self._ask_version(1))
        self._pin = self._button(_pin_words(), "pin", "pin")
        self._more = QuietButton(style, _("More"), "dots", parent=self)
        self._more.clicked.connect(self._open_menu)
        self._likely = False  # whether probabilities were kept
        self._place_in_line = 0
        self.setFont(style.font(SMALL[0]))

    def _button(self, name: str, picture: str, what: str) -> QuietButton:
        button = QuietButton(self._style, name, picture, parent=self)
        button.clicked.connect(lambda: self.asked.emit(what))
        if what == "copy":
            button.clicked.connect(lambda: button.confirm())
        return button

    def show_message(
        self, message: Message, version: int, versions: tuple[int, ...], *, pinned: bool = False
    ) -> None:
        """Show the buttons and figures of `message`."""
        self._version, self._versions = version, versions
        self._stats = stats_line(message.stats) if self._answer else ""
        self._likely = message.settings is not None and message.settings.probabilities > 0
        several = len(versions) > 1
        writing = message.status is Status.WRITING
        self._copy.setVisible(not writing)
        self._second.setVisible(not writing)
        self._pin.setVisible(not writing and message.id > 0)  # not a question that waits for a model
        self._pin.light(pinned, _("Unpin") if pinned else _pin_words())
        self._more.setVisible(not writing and message.id > 0)
        self._older.setVisible(several)
        self._newer.setVisible(several)
        self._older.setEnabled(version > 1)
        self._newer.setEnabled(version < len(versions))
        self.setToolTip(self._stats)
        self._arrange()

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        self._style = style
        self.setFont(style.font(SMALL[0]))
        for button in self.buttons():
            button.restyle(style)
        self._arrange()

    def buttons(self) -> list[QuietButton]:
        """Return the buttons in order."""
        return [self._copy, self._second, self._older, self._newer, self._pin, self._more]

    def menu(self) -> QMenu:
        """Return what else can be done with a message."""
        made = rounded(QMenu(self))
        made.setAccessibleName(_("More"))
        entries: dict[str, str] = {}
        if self._answer:
            entries |= {"versions": _("Write 3 more versions"), "prompt": _("Show what the model read")}
        if self._likely:
            entries["probabilities"] = _("Show token probabilities")
        entries["branch"] = _("Continue from here in a new chat")
        entries["delete"] = _("Delete this message")
        entries["delete-branch"] = _("Delete this and all that follows")
        for what, words in entries.items():
            if what == "delete":
                made.addSeparator()
            made.addAction(words).triggered.connect(lambda _on, what=what: self.asked.emit(what))
        made.aboutToHide.connect(made.deleteLater)
        return made

    def _open_menu(self) -> None:
        self.menu().popup(self._more.mapToGlobal(QPoint(0, self._more.height() + 2)))

    def _ask_version(self, step: int) -> None:
        wanted = self._version - 1 + step
        if 0 <= wanted < len(self._versions):
            self.version_asked.emit(self._versions[wanted])

    def _version_text(self) -> str:
        locale = QLocale()
        return f"{locale.toString(self._version)}/{locale.toString(len(self._versions))}"

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep an answer's buttons at the left and a question's at the right."""
        self._arrange()

    def _arrange(self) -> None:
        px = self._style.px
        gap = px(4)
        several = len(self._versions) > 1
        words = QFontMetrics(self.font()).horizontalAdvance(self._version_text()) + px(4) if several else 0
        shown = [button for button in self.buttons() if not button.isHidden()]
        total = sum(button.sizeHint().width() for button in shown) + gap * max(len(shown) - 1, 0)
        total += words - gap if several else 0
        x = 0 if self._answer else self.width() - total
        for button in shown:
            width = button.sizeHint().width()
            button.setGeometry(x, 0, width, px(HEIGHT))
            x += width
            if button is self._older:
                self._place_in_line = x
                x += words
            else:
                x += gap
        self._stats_left = total + px(10)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw which version it is, and what the answer took."""
        painter = QPainter(self)
        painter.setPen(QColor(self._style.palette.soft))
        metrics = QFontMetrics(self.font())
        if len(self._versions) > 1:
            text = self._version_text()
            room = metrics.horizontalAdvance(text) + self._style.px(4)
            rect = QRect(self._place_in_line, 0, room, self.height())
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
        if self._stats:
            rect = self.rect().adjusted(self._stats_left, 0, 0, 0)
            shown = self._stats
            while metrics.horizontalAdvance(shown) > rect.width() and _DOT in shown:
                shown = shown.rpartition(_DOT)[0]  # whole figures, or none; the tooltip has them all
            shown = metrics.elidedText(shown, Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
