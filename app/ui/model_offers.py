"""What the picker offers beside the models that are here: those of other apps, and those worth having."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.domain.download import Download, State
from app.domain.errors import UserError
from app.domain.model import Model
from app.services.adoption import Adoption, Foreign, SourceInfo
from app.services.recommendations import Machine, Recommendations, Suggestion
from app.ui.downloads.desk import DownloadDesk
from app.ui.model_rows import Offers
from app.ui.post import Poster


class ModelOffers(QObject):
    """Asks for them when they are wanted, and does what a person chooses.

    Attributes:
        machine: This computer; None until it is known.

    Signals:
        changed: There is something else to offer.
        adopted: A Model of another app, which is on the list of models now.
    """

    changed = Signal()
    adopted = Signal(object)

    def __init__(
        self,
        poster: Poster,
        adoption: Adoption,
        recommendations: Recommendations,
        downloads: DownloadDesk,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._poster, self._adoption, self._recommendations = poster, adoption, recommendations
        self._downloads = downloads
        self._sources: list[SourceInfo] = []
        self._foreign: list[Foreign] = []
        self._suggestions: list[Suggestion] = []
        self.machine: Machine | None = None
        self._asked: set[str] = set()
        self._begun: dict[str, int] = {}  # ids of downloads by those of suggestions
        self._problems: dict[str, str] = {}
        downloads.changed.connect(self.changed)
        downloads.ticked.connect(self.changed)

    def refresh(self) -> None:
        """Look again at what there is."""
        self._poster.when_done(self._adoption.sources(), self._take_sources)
        self._poster.when_done(self._recommendations.here(), self._take_suggestions)

    def introduce(self) -> None:
        """Look at the computer, too: it is told on the first start."""
        self._poster.when_done(self._recommendations.machine(), self._take_machine)
        self.refresh()

    def offers(self) -> Offers:
        """Return all that can be offered now."""
        downloads = {}
        for one in self._suggestions:
            if download := self._download_of(one):
                downloads[one.id] = download, self._downloads.progress(download)
        return Offers(
            self._sources,
            self._foreign,
            self._suggestions,
            downloads,
            frozenset(self._asked),
            dict(self._problems),
        )

    def allow(self, source: SourceInfo) -> None:
        """Look for the models of an app, now and from now on."""

        def look(_done: None) -> None:
            self._poster.when_done(self._adoption.sources(), self._take_sources)

        self._poster.when_done(self._adoption.allow(source.key, True), look)

    def adopt(self, model: Foreign) -> None:
        """Use a model of another app, where it lies."""
        self._poster.when_done(
            self._adoption.adopt(model), self._take_adopted, partial(self._fail, str(model.path))
        )

    def fetch(self, one: Suggestion) -> None:
        """Download a model, or do what is next with its download."""
        download = self._download_of(one)
        if download is None:
            self._begin(one)
        elif download.state is State.DONE:
            self._downloads.use(download)
        else:
            self._downloads.pause_or_resume(download)

    def is_ready(self, one: Suggestion) -> bool:
        """Return whether a model is there, to be used."""
        download = self._download_of(one)
        return download is not None and download.state is State.DONE

    def _begin(self, one: Suggestion) -> None:
        if one.id in self._asked:
            return
        self._asked.add(one.id)
        self._problems.pop(one.id, None)
        self.changed.emit()

        def begun(download: Download) -> None:
            self._begun[one.id] = download.id
            self._asked.discard(one.id)
            self._downloads.refresh()

        self._poster.when_done(self._recommendations.start(one), begun, partial(self._fail, one.id))

    def _fail(self, key: str, error: UserError) -> None:
        self._asked.discard(key)
        self._problems[key] = str(error)
        self.changed.emit()

    def _download_of(self, one: Suggestion) -> Download | None:
        begun = self._begun.get(one.id)
        known = next((each for each in self._downloads.known if each.id == begun), None)
        return known or self._downloads.find(one.repository, one.quantization)

    def _take_sources(self, sources: list[SourceInfo]) -> None:
        self._sources = [each for each in sources if each.is_there]
        if any(each.allowed for each in self._sources):
            self._poster.when_done(self._adoption.scan(), self._take_foreign)
        self.changed.emit()

    def _take_foreign(self, found: list[Foreign]) -> None:
        self._foreign = found
        self.changed.emit()

    def _take_suggestions(self, found: list[Suggestion]) -> None:
        self._suggestions = found
        self.changed.emit()

    def _take_machine(self, machine: Machine) -> None:
        self.machine = machine
        self.changed.emit()

    def _take_adopted(self, model: Model) -> None:
        self.adopted.emit(model)
