"""What a person does with the models on this computer, and how far that is; it outlives the sheet."""

from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from app.domain.download import Download
from app.domain.errors import UserError
from app.domain.language import _, joined, plural
from app.domain.model import Model, Origin
from app.services.model_facts import Facts, ModelFacts
from app.services.models import Models
from app.services.verification import Outcome, Verdict, Verification
from app.ui.controls import announce
from app.ui.model_desk import arrived_as
from app.ui.post import Poster
from app.ui.quantities import size_text
from app.ui.reveal import reveal

_TICK_MS = 100
_TONES = {Outcome.DAMAGED: "bad", Outcome.CHANGED: "warn", Outcome.STOPPED: "soft"}

Told = tuple[str, str]
"""A sentence and the token of its colour."""


class Order(StrEnum):
    """What the models are sorted by."""

    NAME = "name"
    SIZE = "size"  # the largest first
    USED = "used"  # the last used first


class LibraryDesk(QObject):
    """The models that are here, in order, and what is being done with them.

    Attributes:
        shown: The sheet is open.
        order: What they are sorted by.
        page: The path of the model that is looked at; None while all are.
        said: What came of the last thing that was done.
        told: What came of the last thing that was done with one of them, by its path.

    Signals:
        changed: There are others, or there is more to say of them.
        turned: Another one is looked at, or none.
        ticked: A check is further.
        chosen: A Model to talk to.
    """

    changed = Signal()
    turned = Signal()
    ticked = Signal()
    chosen = Signal(object)

    def __init__(self, poster: Poster, models: Models, facts: ModelFacts, over: QWidget) -> None:
        super().__init__(over)
        self._poster, self._models, self._facts, self._over = poster, models, facts, over
        self._checks: dict[Path, Verification] = {}
        self._clock = QTimer(self, interval=_TICK_MS)
        self._clock.timeout.connect(self.ticked)
        self.shown = False
        self.order = Order.NAME
        self.page: Path | None = None
        self.said: Told = "", "soft"
        self.told: dict[Path, Told] = {}

    @property
    def models(self) -> list[Model]:
        """Return all models in the order that is chosen."""
        known = self._models.known
        match self.order:
            case Order.SIZE:
                return sorted(known, key=lambda model: -model.size)
            case Order.USED:
                return sorted(known, key=self._unused_since)
        return sorted(known, key=lambda model: model.name.casefold())

    @property
    def model(self) -> Model | None:
        """Return the model that is looked at."""
        return next((model for model in self._models.known if model.path == self.page), None)

    def facts(self, model: Model) -> Facts:
        """Return what is known of a model beside its file."""
        return self._facts.of(model)

    def progress(self, model: Model) -> float | None:
        """Return how far the check of a model is, from 0 to 1; None without one."""
        check = self._checks.get(model.path)
        return None if check is None else check.done / max(check.total, 1)

    def refresh(self) -> None:
        """Gather anew what is known of the models."""
        self._poster.when_done(self._facts.look(), lambda found: self.changed.emit())

    def rescan(self) -> None:
        """Look at the folders again, too."""
        self._poster.when_done(self._models.refresh(), lambda known: None)

    def take_models(self) -> None:
        """Show that the list of models is another one."""
        if self.page is not None and self.model is None:
            self.leave_page()
        self.changed.emit()

    def open_arrived(self, download: Download) -> None:
        """Look at the model that a download has brought."""
        found = next((model for model in self._models.known if arrived_as(download, model)), None)
        if found is not None:
            self.open(found)

    def sort(self, order: Order) -> None:
        """Sort by something else."""
        self.order = order
        self.changed.emit()

    def open(self, model: Model) -> None:
        """Look at one model."""
        self.page = model.path
        self._say("")
        self.turned.emit()

    def leave_page(self) -> None:
        """Look at all of them."""
        self.page = None
        self.turned.emit()

    def use(self, model: Model) -> None:
        """Talk to a model."""
        if not model.problem:
            self.chosen.emit(model)

    def add(self, path: Path) -> None:
        """Put a file on the list, where it lies."""

        def added(model: Model) -> None:
            self._say(_("{model} can be used now.").format(model=model.name), "good")

        self._poster.when_done(self._models.add(path), added, self._fail)

    def rename(self, model: Model, name: str) -> None:
        """Call a model `name`; an empty one gives it back its own."""
        if name.strip() != model.name:
            self._poster.when_done(self._models.rename(model, name), lambda done: None, self._fail)

    def check(self, model: Model) -> None:
        """Read all bytes of a model, and say whether they are right."""
        if model.path in self._checks:
            return
        self.told.pop(model.path, None)

        def begun(check: Verification) -> None:
            self._checks[model.path] = check
            self._clock.start()
            self._poster.when_done(check.verdict, judged, failed)
            self.changed.emit()

        def judged(verdict: Verdict) -> None:
            self._end_check(model, str(verdict.sentence), _TONES.get(verdict.outcome, "good"))

        def failed(error: UserError) -> None:
            self._end_check(model, str(error), "bad")

        self._poster.when_done(self._models.verify(model), begun, failed)

    def stop_check(self, model: Model) -> None:
        """Read no further."""
        if model.path in self._checks:
            self._checks[model.path].stop()

    def show_in_folder(self, model: Model) -> None:
        """Show the file where it lies."""
        words = _("The folder {folder} could not be opened.").format(folder=model.path.parent)
        reveal(model.path, self, lambda: self._say(words, "bad"))

    def copy_sum(self, model: Model) -> None:
        """Put the sha256 onto the clipboard."""
        QGuiApplication.clipboard().setText(model.sha256)
        announce(self._over, _("Copied"))

    def ask_to_remove(self, model: Model) -> QMessageBox | None:
        """Remove a model after a question that says what becomes of its file; the starter stays."""
        if model.origin is Origin.STARTER:
            self._say(_("{model} came with Fireside and stays.").format(model=model.name))
            return None
        box = QMessageBox(self._over)
        box.setWindowTitle(_("Remove a model"))
        words, meaning, act = _question(model, self.facts(model))
        box.setText(words)
        box.setInformativeText(joined(meaning, _copies(model)))
        go = box.addButton(act, QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(_("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        go.clicked.connect(lambda: self._remove(model))
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def _remove(self, model: Model) -> None:
        self.stop_check(model)
        own = model.origin is Origin.OWN
        words = _("{model} is off the list; its file stays where it is.")
        if own:
            words = _("{model} lies in the trash now.")

        def removed(_done: None) -> None:
            self.told.pop(model.path, None)
            self._say(words.format(model=model.name))

        if own and model.path in self._models.status.in_memory:
            self._models.unload()  # some systems keep a file that is in use
        self._poster.when_done(self._models.remove(model), removed, self._fail)

    def _end_check(self, model: Model, words: str, tone: str) -> None:
        self._checks.pop(model.path, None)
        if not self._checks:
            self._clock.stop()
        self.told[model.path] = words, tone
        announce(self._over, words)
        self.changed.emit()

    def _fail(self, error: UserError) -> None:
        self._say(str(error), "bad")

    def _say(self, words: str, tone: str = "soft") -> None:
        self.said = words, tone
        if words:
            announce(self._over, words)
        self.changed.emit()

    def _unused_since(self, model: Model) -> float:
        use = self.facts(model).use
        return -use.used_at if use else 0.0


def _question(model: Model, facts: Facts) -> tuple[str, str, str]:
    """Return the question, what the answer means for the file, and the words to agree with."""
    # Translators: the name of a file, and its size.
    file = _("{name} ({size})").format(name=model.path.name, size=size_text(model.size))
    if model.origin is Origin.OWN:
        words = _("Move {model} to the trash?").format(model=model.name)
        meaning = _("That is the file {file}. From the trash it can be taken back.")
        return words, meaning.format(file=file), _("Move to the trash")
    words = _("Take {model} off the list?").format(model=model.name)
    if not model.size:
        meaning = model.problem
    elif facts.app:
        meaning = _("The file {file} belongs to {app} and stays as it is.").format(file=file, app=facts.app)
    else:
        folder = model.path.parent
        meaning = _("The file {file} stays where it is, in {folder}.").format(file=file, folder=folder)
    return words, meaning, _("Take it off")


def _copies(model: Model) -> str:
    count = len(model.copies)
    if not count:
        return ""
    words = plural(
        "A copy in {folder} stays, and is listed then.",
        "{count} copies stay, one of them in {folder}, and are listed then.",
        count,
    )
    return words.format(count=count, folder=model.copies[0].parent)
