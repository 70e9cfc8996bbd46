"""The first start: one model that suits this computer, ways to others, and what the computer is."""

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.domain.download import Download, Progress, State
from app.domain.language import _, plural
from app.services.recommendations import Machine, Suggestion
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.downloads.bar import Bar, Line
from app.ui.downloads.words import facts, left_text
from app.ui.inspector.fields import small
from app.ui.model_offers import ModelOffers
from app.ui.model_rows import Offers
from app.ui.notices import Offer
from app.ui.quantities import size_text

_WORDS_OF_A_TOKEN = 0.75


class FirstRun(QWidget):
    """A card with the first choice and its download; below it, everything else one might want.

    Attributes:
        button: Downloads the model, and what comes after that.
        begun: Its download is on its way, or has just arrived.

    Signals:
        changed: There is something to recommend now, or no longer.
        file_requested: Pick a GGUF file.
        more_requested: Show all that can be chosen.
    """

    changed = Signal()
    file_requested = Signal()
    more_requested = Signal()

    def __init__(self, appearance: Appearance, offers: ModelOffers) -> None:
        super().__init__()
        self._offers = offers
        self._first: Suggestion | None = None
        self._meanwhile = ""
        self.begun = False
        self._name = label("", measure="heading")
        self._good_at = small("")
        self.button = QPushButton()
        self.button.setProperty("kind", "primary")
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.button.clicked.connect(self._press)
        self._facts, self._bar, self._way = small(""), Bar(appearance), Line(appearance)
        self._problem = small("", "bad")
        self._links = QHBoxLayout()
        self._links.setSpacing(4)
        self._machine = small("")
        self._machine.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 20, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._make_card())
        column.addLayout(self._links)
        column.addWidget(self._machine)
        offers.changed.connect(self.refresh)
        self.refresh()

    @property
    def ready(self) -> bool:
        """Return whether there is something to recommend."""
        return self._first is not None

    def offer(self) -> Offer | None:
        """Return the first choice as something to be pressed elsewhere; None while it is on its way."""
        if self._first is None:
            return None
        download, _progress = self._offers.offers().downloads.get(self._first.id, (None, None))
        if download is not None and download.state is not State.FAILED:
            return None
        words = _("Try again") if download else _("Download {model}").format(model=self._first.name)
        return Offer(words, self._press)

    def set_starter(self, here: bool) -> None:
        """Say who answers meanwhile, where the small model that comes with Fireside is here."""
        self._meanwhile = (
            _("While it downloads, the small model that came with Fireside answers.") if here else ""
        )
        self.refresh()

    def refresh(self) -> None:
        """Show the newest."""
        offers, before = self._offers.offers(), (self.ready, self.begun)
        if self._first is None or self._first.id not in offers.downloads:  # else another may be the first now
            self._first = next((each for each in offers.suggestions if each.first), None)
        self.begun = self._first is not None and self._first.id in offers.downloads
        if self._first is not None:
            self._show_first(self._first, offers)
            self._show_links(offers)
            machine = self._offers.machine
            download, _progress = offers.downloads.get(self._first.id, (None, None))
            here = download is not None and download.state is State.DONE
            said = (_computer(machine) if machine else "", "" if here else self._meanwhile)
            self._machine.setText("\n".join(filter(None, said)))
        if before != (self.ready, self.begun):
            self.changed.emit()

    def _make_card(self) -> QFrame:
        card = QFrame()
        card.setObjectName("introduction")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._name)
        words.addWidget(self._good_at)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addLayout(words, 1)
        head.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(20, 16, 20, 16)
        inside.setSpacing(8)
        inside.addLayout(head)
        for part in (self._facts, self._bar, self._way, self._problem):
            inside.addWidget(part)
        return card

    def _show_first(self, first: Suggestion, offers: Offers) -> None:
        download, progress = offers.downloads.get(first.id, (None, None))
        self._name.setText(first.name)
        self._good_at.setText(first.good_at)
        self._facts.setText("    ".join(self._promises(first)))
        self._facts.setVisible(download is None)
        on_the_way = download is not None and download.state in (State.WAITING, State.PAUSED)
        self._bar.setVisible(on_the_way)
        self._way.setVisible(on_the_way)
        if download is not None and progress is not None:
            self._show_way(download, progress)
        problem = offers.problems.get(first.id, "")
        if download is not None and download.state is State.FAILED:
            problem = f"{download.problem} {download.hint}".strip()
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        asked = first.id in offers.asked
        words = _("Asking the hub…") if asked else self._words(first, download, problem)
        if self.button.text() != words:
            self.button.setText(words)
            self.button.setAccessibleName(f"{words}: {first.name}")

    def _show_way(self, download: Download, progress: Progress) -> None:
        self._bar.show_part(progress.done / max(download.size, 1), "accent" if progress.running else "soft")
        left = progress.seconds_left if progress.running and progress.next_try is None else None
        self._way.show_facts(facts(download, progress), left_text(left) if left is not None else "")

    def _words(self, first: Suggestion, download: Download | None, problem: str) -> str:
        if download is None or download.state is State.FAILED:
            return _("Try again") if problem else _("Download {size}").format(size=size_text(first.size))
        match download.state:
            case State.DONE:
                return _("Use it")
            case State.PAUSED:
                return _("Go on")
        return _("Pause")

    def _promises(self, first: Suggestion) -> list[str]:
        made = []
        speed = round(first.speed * _WORDS_OF_A_TOKEN)
        if speed >= 1:
            words = plural("About {count} word a second here", "About {count} words a second here", speed)
            made.append(words.format(count=QLocale().toString(speed)))
        machine = self._offers.machine
        if machine is not None and machine.memory > first.memory:
            free = size_text(machine.memory - first.memory)
            made.append(_("Leaves {size} of memory free").format(size=free))
        if first.license:
            made.append(_("{license} licence").format(license=first.license))
        return made

    def _show_links(self, offers: Offers) -> None:
        """Write the other ways, unless the same ones stand there."""
        sources = [each for each in offers.sources if not each.allowed]
        links = [(_("Use a file I have"), self.file_requested.emit)]
        if offers.foreign:
            count = len(offers.foreign)
            found = plural("{count} model found in other apps", "{count} models found in other apps", count)
            links.append((found.format(count=count), self.more_requested.emit))
        elif sources:
            names = _(", ").join(each.name for each in sources)
            links.append((_("Use models of {apps}").format(apps=names), self.more_requested.emit))
        links.append((_("More choices"), self.more_requested.emit))
        if [words for words, _run in links] == [button.text() for button in self._buttons()]:
            return
        while (item := self._links.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self._links.addStretch(1)
        for place, (words, run) in enumerate(links):
            if place:
                self._links.addWidget(label("·", tone="soft"))
            button = QPushButton(words)
            button.setProperty("kind", "quiet")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(run)
            self._links.addWidget(button)
        self._links.addStretch(1)

    def _buttons(self) -> list[QPushButton]:
        items = (self._links.itemAt(place) for place in range(self._links.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, QPushButton)]

    def _press(self) -> None:
        # It is not disabled meanwhile: the keyboard would be led on to another button.
        if self._first is not None and self._first.id not in self._offers.offers().asked:
            self._offers.fetch(self._first)


def _computer(machine: Machine) -> str:
    parts = (machine.chip, _("{size} of memory").format(size=size_text(machine.memory)), machine.gpu)
    return " · ".join(part for part in parts if part)
