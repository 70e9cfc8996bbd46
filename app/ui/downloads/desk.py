"""What a person does with downloads, and how far they are: asked while something moves, and no longer."""

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from app.domain.download import Download, Progress, State
from app.domain.language import _
from app.services.downloads import Downloads
from app.ui.controls import announce
from app.ui.downloads.words import title
from app.ui.notices import Notices, Offer
from app.ui.post import Poster
from app.ui.quantities import size_text
from app.ui.taskbar.progress import TaskbarProgress

_TICK_MS = 250
_MUCH = 100_000_000  # bytes that nobody wants to fetch twice by mistake


class DownloadDesk(QObject):
    """The downloads as the window shows them.

    Attributes:
        known: All of them, in their order.

    Signals:
        changed: One was added, has gone, or stands otherwise.
        ticked: The progress of those that are being fetched is another.
        arrived: A Download whose model has just come.
        use_requested: The Download whose model a person wants to talk to.
    """

    changed = Signal()
    ticked = Signal()
    arrived = Signal(object)
    use_requested = Signal(object)

    def __init__(self, poster: Poster, downloads: Downloads, notices: Notices, over: QWidget) -> None:
        super().__init__(over)
        self._poster, self._downloads, self._notices, self._over = poster, downloads, notices, over
        self._progress: dict[int, Progress] = {}
        self.known: list[Download] = []
        self._taskbar = TaskbarProgress(over)
        self._clock = QTimer(self, interval=_TICK_MS)
        self._clock.timeout.connect(self._tick)

    @property
    def ticking(self) -> bool:
        """Return whether the progress is being watched."""
        return self._clock.isActive()

    @property
    def part(self) -> float:
        """Return how much of all that is wanted now has arrived, from 0 to 1."""
        wanted = [each for each in self.known if each.state is State.WAITING]
        return sum(self.progress(each).done for each in wanted) / max(1, sum(each.size for each in wanted))

    def refresh(self) -> None:
        """Read the list anew."""
        self._poster.when_done(self._downloads.refresh(), self._take)

    def progress(self, download: Download) -> Progress:
        """Return how far a download was when that was last asked."""
        return self._progress.get(download.id) or Progress(False, 0)

    def find(self, repository: str, quantization: str) -> Download | None:
        """Return the download of a model, None where there is none."""
        return next(
            (
                each
                for each in self.known
                if each.repository.casefold() == repository.casefold()
                and quantization in (each.quantization, each.quantization.removeprefix("UD-"))
            ),
            None,
        )

    def add(self, download: Download) -> None:
        """Fetch a model when its turn comes."""
        self._poster.when_done(self._downloads.add(download), lambda added: None)

    def pause_or_resume(self, download: Download) -> None:
        """Fetch it no more for now, or again; one that has failed is tried again."""
        if download.state in (State.PAUSED, State.FAILED):
            self.resume(download)
        else:
            self._poster.when_done(self._downloads.pause(download), lambda done: None)

    def resume(self, download: Download) -> None:
        """Fetch it again, or try it now where it waits for that."""
        self._poster.when_done(self._downloads.resume(download), lambda done: None)

    def move(self, download: Download, step: int) -> None:
        """Fetch it one place earlier (-1) or later (1)."""
        place = next((at for at, each in enumerate(self.queue()) if each.id == download.id), None)
        if place is not None:
            self.place(download, place + step)

    def place(self, download: Download, place: int) -> None:
        """Fetch it as the first (0), the second (1) and so on of those whose order matters."""
        queue = self.queue()
        others = [each for each in queue if each.id != download.id]
        if len(others) == len(queue) or not 0 <= place < len(queue) or queue[place].id == download.id:
            return
        before = others[place] if place < len(others) else None
        words = _("{name} is number {place} of {count} now.")
        said = words.format(name=title(download), place=place + 1, count=len(queue))
        self._poster.when_done(
            self._downloads.move(download, before), lambda done: announce(self._over, said)
        )

    def queue(self) -> list[Download]:
        """Return those whose order matters."""
        return [each for each in self.known if each.state is not State.DONE]

    def use(self, download: Download) -> None:
        """Talk to the model, and take its download off the list."""
        self.use_requested.emit(download)
        self.dismiss(download)

    def dismiss(self, download: Download) -> None:
        """Take one that is done off the list; the model stays."""
        self._poster.when_done(self._downloads.cancel(download), lambda done: None)

    def cancel(self, download: Download) -> None:
        """Take a download off the list, after a question when much of it would be lost."""
        arrived = self._downloads.progress(download).done
        if arrived < _MUCH:
            self._cancel(download)
            return
        box = QMessageBox(self._over)
        box.setWindowTitle(_("Cancel a download"))
        box.setText(_("Cancel the download of {name}?").format(name=title(download)))
        box.setInformativeText(
            _("{size} that have arrived are deleted. Paused, they stay.").format(size=size_text(arrived))
        )
        go = box.addButton(_("Cancel the download"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(_("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        go.clicked.connect(lambda: self._cancel(download))
        box.finished.connect(box.deleteLater)
        box.open()

    def _cancel(self, download: Download) -> None:
        again = replace(download, id=0, state=State.WAITING, problem="", hint="")
        undo = Offer(_("Undo"), lambda: self.add(again))

        def gone(_done: None) -> None:
            text = _("The download of {name} was cancelled.").format(name=title(download))
            self._notices.show_offer(text, undo)

        self._poster.when_done(self._downloads.cancel(download), gone)

    def _take(self, known: list[Download]) -> None:
        before = {each.id: each.state for each in self.known}
        self.known = known
        for each in known:
            if each.state is State.DONE and before.get(each.id, State.DONE) is not State.DONE:
                self.arrived.emit(each)
        self._ask()
        self.changed.emit()

    def _tick(self) -> None:
        self._ask()
        self.ticked.emit()

    def _ask(self) -> None:
        self._progress = {each.id: self._downloads.progress(each) for each in self.known}
        moving = any(progress.running for progress in self._progress.values())
        if moving and not self._clock.isActive():
            self._clock.start()
        elif not moving:
            self._clock.stop()
        self._taskbar.show(self.part if moving else None)
