"""The downloads at the foot of the sidebar, a card for each."""

from itertools import pairwise

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFont, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.download import Download, State
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import IconButton, announce
from app.ui.downloads.bar import Bar, Line
from app.ui.downloads.desk import DownloadDesk
from app.ui.downloads.mover import Mover
from app.ui.downloads.words import facts, left_text, summary, title
from app.ui.inspector.fields import small
from app.ui.menus import rounded

_ICON = QSize(15, 15)
_EARLIER, _LATER = "Alt+Up", "Alt+Down"
_SHARE = 0.42  # of the sidebar's height, at most


def _keys(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class Card(QWidget):
    """One download: what it is, how far it is, and what can be done about it.

    Attributes:
        pause, again, use, cancel: To press, where they are shown.
        held: The mouse holds it.
    """

    def __init__(self, appearance: Appearance, desk: DownloadDesk, download: Download) -> None:
        super().__init__()
        self._appearance, self._desk, self._download = appearance, desk, download
        self._name = Line(appearance, 13, weight=QFont.Weight.Medium)
        self.pause = self._icon("pause", "")
        self._more = self._icon("dots", _("Earlier or later"))
        self.cancel = self._icon("close", "")
        self._bar = Bar(appearance)
        self._line = Line(appearance)
        self._problem, self._hint = small("", "bad"), small("")
        self.again, self.use = self._link(""), self._link(_("Use it"))
        self.pause.clicked.connect(lambda: desk.pause_or_resume(self._download))
        self.cancel.clicked.connect(self._take_away)
        self.again.clicked.connect(lambda: desk.resume(self._download))
        self.use.clicked.connect(lambda: desk.use(self._download))
        self._more.clicked.connect(
            lambda: self._show_menu(self._more.mapToGlobal(self._more.rect().bottomLeft()))
        )
        for keys, step in ((_EARLIER, -1), (_LATER, 1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda step=step: desk.move(self._download, step))
        self.held = False
        self._lay_out()
        self.show_download(download)

    @property
    def download(self) -> Download:
        """Return what it shows."""
        return self._download

    @property
    def buttons(self) -> tuple[QWidget, ...]:
        """Return what the keyboard reaches, in order."""
        return (self.pause, self._more, self.cancel, self.use, self.again)

    def hold(self, held: bool) -> None:
        """Show whether it is held, to be put elsewhere."""
        self.held = held
        self.update()

    @property
    def text(self) -> str:
        """Return all that it says."""
        return summary(self._download, self._desk.progress(self._download))

    def show_download(self, download: Download) -> None:
        """Show how a download stands now."""
        if download.state is State.FAILED and self._download.state is not State.FAILED:
            announce(self, download.problem)
        self._download = download
        failed, done = download.state is State.FAILED, download.state is State.DONE
        stopped = download.state is State.PAUSED
        self._name.show_facts((download.name,), download.quantization, tint="ink")
        self._name.setToolTip(title(download))
        self.pause.setVisible(not (failed or done))
        self.pause.set_icon("play" if stopped else "pause")
        name = _("Go on with the download of {name}") if stopped else _("Pause the download of {name}")
        self.pause.set_name(name.format(name=download.name))
        gone = _("Take {name} off this list") if done else _("Cancel the download of {name}")
        self.cancel.set_name(gone.format(name=download.name))
        movable = len(self._desk.queue()) > 1 and not done
        self._more.setVisible(movable)
        self.setCursor(Qt.CursorShape.OpenHandCursor if movable else Qt.CursorShape.ArrowCursor)
        self._problem.setText(download.problem)
        self._problem.setVisible(failed)
        self.use.setVisible(done)
        self.use.setAccessibleName(_("Use {name}").format(name=download.name))
        self._bar.setVisible(not done)
        self.show_progress()

    def show_progress(self) -> None:
        """Show how far it is now."""
        download = self._download
        progress = self._desk.progress(download)
        failed, waits = download.state is State.FAILED, progress.next_try is not None
        part = progress.done / download.size if download.size else 0.0
        self._bar.show_part(part, "bad" if failed else "accent" if progress.running else "soft")
        if download.state is State.DONE:
            self._line.show_facts((_("Ready"),), tint="good")
        else:
            left = progress.seconds_left
            right = left_text(left) if progress.running and left is not None and not waits else ""
            self._line.show_facts(facts(download, progress), right)
        self._line.setVisible(not failed)
        hint = download.hint if failed else progress.reason
        if self._hint.text() != hint:
            self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        words = _("Try again") if failed else _("Now")
        if self.again.text() != words:
            self.again.setText(words)
        self.again.setAccessibleName(_("Try {name} again now").format(name=download.name))
        self.again.setVisible(failed or waits)
        self.setAccessibleName(self.text)

    def height_at(self, width: int) -> int:
        """Return the height of all that it says."""
        return self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground of one that is held."""
        if self.held:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._appearance.color("hover"))
            painter.drawRoundedRect(self.rect(), 8, 8)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to change the order."""
        self._show_menu(event.globalPos())

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(self._name, 1)
        for button in (self.pause, self._more, self.cancel):
            head.addWidget(button)
        below = QHBoxLayout()
        below.setContentsMargins(0, 0, 6, 0)
        below.setSpacing(4)
        below.addWidget(self._line, 1)
        below.addWidget(self.use)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 2, 6)
        column.setSpacing(2)
        column.addLayout(head)
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 6, 0)
        bar.addWidget(self._bar)
        column.addLayout(bar)
        column.addSpacing(2)
        column.addWidget(self._problem)
        column.addWidget(self._hint)
        below.addWidget(self.again)
        below.addStretch(0)
        column.addLayout(below)

    def _icon(self, icon: str, name: str) -> IconButton:
        made = IconButton(self._appearance, icon, name, self)
        made.setIconSize(_ICON)
        return made

    def _link(self, words: str) -> QPushButton:
        made = QPushButton(words, self)
        made.setProperty("kind", "link")
        made.setProperty("measure", "small")
        made.setProperty("flush", "true")
        made.setCursor(Qt.CursorShape.PointingHandCursor)
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        return made

    def _take_away(self) -> None:
        if self._download.state is State.DONE:
            self._desk.dismiss(self._download)
        else:
            self._desk.cancel(self._download)

    def _show_menu(self, where: QPoint) -> None:
        queue = [each.id for each in self._desk.queue()]
        if self._download.id not in queue or len(queue) < 2:
            return
        place = queue.index(self._download.id)
        shown = rounded(QMenu(self))
        shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = self._appearance.icon
        words = [f"{name}\t{_keys(keys)}" for name, keys in ((_("Earlier"), _EARLIER), (_("Later"), _LATER))]
        earlier = shown.addAction(icon("arrow-up"), words[0], lambda: self._desk.move(self._download, -1))
        later = shown.addAction(icon("arrow-down"), words[1], lambda: self._desk.move(self._download, 1))
        earlier.setEnabled(place > 0)
        later.setEnabled(place < len(queue) - 1)
        shown.popup(where)


class DownloadCards(QScrollArea):
    """All downloads; nothing at all when there is none.

    Signals:
        resized: It wants another height.
    """

    resized = Signal()

    def __init__(self, appearance: Appearance, desk: DownloadDesk) -> None:
        super().__init__()
        self._appearance, self._desk = appearance, desk
        self._room = 0
        self.cards: dict[int, Card] = {}
        self.setObjectName("downloads")
        self.setAccessibleName(_("Downloads"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = QWidget()
        self._content.setObjectName("downloadsContent")
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self.setWidget(self._content)
        self._mover = Mover(appearance, desk, self, self._content)
        self.hide()
        desk.changed.connect(self._write)
        desk.ticked.connect(self._tick)
        appearance.changed.connect(self._fit)

    def set_room(self, height: int) -> None:
        """Take at most a share of the sidebar's height."""
        self._room = round(height * _SHARE)
        self._fit()

    def _write(self) -> None:
        known = self._desk.known
        for gone in set(self.cards) - {each.id for each in known}:
            card = self.cards.pop(gone)
            self._mover.leave(card)
            card.hide()
            card.deleteLater()
        for place, each in enumerate(known):
            if each.id in self.cards:
                self.cards[each.id].show_download(each)
            else:
                self.cards[each.id] = Card(self._appearance, self._desk, each)
                self._mover.take(self.cards[each.id])
            card = self.cards[each.id]
            if self._column.indexOf(card) != place:
                self._column.insertWidget(place, card)
        for one, other in pairwise(button for each in known for button in self.cards[each.id].buttons):
            QWidget.setTabOrder(one, other)
        self._fit()

    def _tick(self) -> None:
        for card in self.cards.values():
            card.show_progress()
        if self._wanted() != self.height():
            self._fit()

    def _wanted(self) -> int:
        width = self.width() - 10 if self.width() > 100 else 230
        whole = sum(card.height_at(width) for card in self.cards.values())
        return min(whole, self._room) if self._room else whole

    def _fit(self) -> None:
        self.setVisible(bool(self.cards))
        self.setFixedHeight(self._wanted())
        self.resized.emit()
