"""What is being looked for at the hub, and what has come back; it outlives the sheet that shows it."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.domain.download import Download
from app.domain.errors import UserError
from app.domain.model import Model
from app.services.discovery import (
    Discovery,
    Found,
    Publisher,
    PublisherRecord,
    Query,
    Reference,
    Repository,
    Variant,
    Withheld,
)
from app.services.models import Models
from app.services.prospects import Prospect, Prospects
from app.ui.hub.card import prepared
from app.ui.model_rows import lies_at
from app.ui.post import Poster

T = TypeVar("T")


@dataclass
class Page:
    """One model, as far as the hub has answered.

    Attributes:
        name: Of the repository: "maker/name".
        card: Its description, as it is shown; None until it has come.
        prospect: How it would do here.
        looking: A closer look is being taken.
        error: Why it cannot be shown.
        problems: By path of a variant: why it could not be had.
        asked: Paths of the variants whose download is being prepared.
        publisher: Who published it; None as long as that is not known.
        record: What their models say of them; likewise, and it comes last.
        withheld: The mirror that has not been sent the token there is, on the page of a gated model.
    """

    name: str
    revision: str = ""
    repository: Repository | None = None
    card: str | None = None
    prospect: Prospect | None = None
    looking: bool = False
    error: UserError | None = None
    problems: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    publisher: Publisher | None = None
    record: PublisherRecord | None = None
    withheld: Withheld | None = None


class HubDesk(QObject):
    """The search and the page that are open.

    Attributes:
        query: What was searched for last.
        found: All that has come back, page after page.
        searching: An answer is on its way.
        complete: There is no more.
        error: Why the search could not be done.
        page: The model that is looked at; None while the results are.

    Signals:
        searched: The results are others.
        grown: There are more results.
        turned: Another page is shown, or none.
        looked: There is more on the page that is shown.
        chosen: A Model that is here already, to talk to.
    """

    searched = Signal()
    grown = Signal()
    turned = Signal()
    looked = Signal()
    chosen = Signal(object)

    def __init__(
        self, poster: Poster, discovery: Discovery, prospects: Prospects, models: Models, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._poster, self._discovery, self._prospects = poster, discovery, prospects
        self._models = models
        self._search = 0
        self.query = Query()
        self.found: list[Found] = []
        self.searching = self.complete = False
        self.error: UserError | None = None
        self.page: Page | None = None

    @property
    def begun(self) -> bool:
        """Return whether there has been a search."""
        return self._search > 0

    def search(self, query: Query) -> None:
        """Look for something else."""
        self.query, self.found, self.complete = query, [], False
        self._ask(lambda: self._discovery.search(query))
        self.searched.emit()

    def change(self, **values: object) -> None:
        """Search again with other values of the query."""
        changed = replace(self.query, **values)  # type: ignore[arg-type]
        if changed != self.query or self.error:
            self.search(changed)

    def more(self) -> None:
        """Ask for the next page of results, unless one is on its way or there is none."""
        if not (self.searching or self.complete or self.error):
            self._ask(self._discovery.more)
            self.grown.emit()

    def try_again(self) -> None:
        """Ask once more for what could not be had."""
        if self.page is not None:
            self.open(self.page.name, self.page.revision)
        else:
            self.search(self.query)

    def open(self, name: str, revision: str = "") -> None:
        """Look at a model."""
        page = self.page = Page(name, revision)
        self.turned.emit()
        self._when(page, self._discovery.look(name, revision or None), self._take_repository)

    def open_named(self, text: str) -> bool:
        """Look at the model that `text` names, by its name or address; False when it names none."""
        reference = Reference.of(text)
        if reference is None:
            return False
        self.open(reference.repository, reference.revision)
        return True

    def leave_page(self) -> None:
        """Go back to the results."""
        self.page = None
        self.turned.emit()

    def here(self, variant: Variant) -> Model | None:
        """Return the model of the page that is on this computer already."""
        if self.page is None:
            return None
        name = self.page.name
        return next((each for each in self._models.known if lies_at(each, name, variant.path)), None)

    def fetch(self, variant: Variant) -> None:
        """Download one of the models on the page."""
        page = self.page
        if page is None or page.repository is None or variant.path in page.asked:
            return
        page.asked.add(variant.path)
        page.problems.pop(variant.path, None)
        self.looked.emit()

        def begun(page: Page, _download: Download) -> None:
            page.asked.discard(variant.path)

        def failed(error: UserError) -> None:
            page.asked.discard(variant.path)
            page.problems[variant.path] = str(error)
            self.looked.emit()

        self._when(page, self._prospects.fetch(page.repository, variant), begun, failed)

    def use_token(self, token: str) -> None:
        """Ask with an access token from now on, first for the page that is shown."""
        self._poster.when_done(self._prospects.set_token(token), lambda kept: self.try_again())

    def send_token_to_mirror(self) -> None:
        """Send the token to the mirror, too, first for the page that is shown."""
        self._poster.when_done(self._discovery.send_token_to_mirror(), lambda changed: self.try_again())

    def _ask(self, ask: "Callable[[], Future[tuple[Found, ...]]]") -> None:
        self._search += 1
        number = self._search
        self.searching, self.error = True, None

        def came(found: tuple[Found, ...]) -> None:
            if number == self._search:
                self.searching, self.complete = False, not found
                self.found += found
                self.grown.emit()

        def failed(error: UserError) -> None:
            if number == self._search:
                self.searching, self.error = False, error
                self.grown.emit()

        self._poster.when_done(ask(), came, failed)

    def _take_repository(self, page: Page, repository: Repository) -> None:
        page.repository, page.looking = repository, True
        card = _then(self._discovery.card(repository), prepared)
        self._when(page, card, self._take_card, lambda error: self._take_card(page, ""))
        if not repository.accessible:
            self._when(page, self._discovery.withheld(), self._take_withheld, lambda error: None)
        publisher = self._discovery.publisher(repository.maker)
        self._when(page, publisher, self._take_publisher, lambda error: None)
        self._when(page, self._prospects.first_look(repository), self._take_first_look)

    def _take_card(self, page: Page, card: str) -> None:
        page.card = card

    def _take_withheld(self, page: Page, withheld: Withheld | None) -> None:
        page.withheld = withheld

    def _take_publisher(self, page: Page, publisher: Publisher) -> None:
        page.publisher = publisher
        record = self._discovery.publisher_record(publisher.name)
        self._when(page, record, self._take_record, lambda error: None)

    def _take_record(self, page: Page, record: PublisherRecord) -> None:
        page.record = record

    def _take_first_look(self, page: Page, prospect: Prospect) -> None:
        page.prospect = prospect
        if page.repository is not None:
            self._when(page, self._prospects.close_look(page.repository, prospect), self._take_close_look)

    def _take_close_look(self, page: Page, prospect: Prospect) -> None:
        page.prospect, page.looking = prospect, False

    def _when(
        self,
        page: Page,
        future: "Future[T]",
        take: Callable[[Page, T], None],
        fail: Callable[[UserError], None] | None = None,
    ) -> None:
        """Note what `future` brings on `page`, and tell of it while that page is shown."""

        def tell() -> None:
            if self.page is page:
                self.looked.emit()

        def came(result: T) -> None:
            take(page, result)
            tell()

        def failed(error: UserError) -> None:
            if fail is not None:
                fail(error)
            else:
                page.error = error
            tell()

        self._poster.when_done(future, came, failed)


def _then(future: "Future[T]", work: Callable[[T], T]) -> "Future[T]":
    """Return what `work` makes of the result of `future`, on the thread that brings it."""
    made: Future[T] = Future()

    def come(done: "Future[T]") -> None:
        try:
            made.set_result(work(done.result()))
        except BaseException as error:  # cancelled, too: for the one who waits
            made.set_exception(error)

    future.add_done_callback(come)
    return made
