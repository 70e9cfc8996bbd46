"""A model at a hub as seen from this computer: whether it fits, whom its name imitates, and how to get it."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from app.domain.download import Download
from app.domain.errors import UserError
from app.services.discovery import Discovery, Repository, Variant
from app.services.downloads import Downloads
from app.services.hubs import Hubs
from app.services.model_facts import beside
from app.services.recommendations import FIT_NAMES, this_computer
from app.services.threads import Threads
from models_registry import catalogue, fit
from models_registry.header import Header
from models_registry.hub.names import near_names
from models_registry.memory import Sizes
from models_registry.recommendation import fitting

_BESIDE = 600_000_000  # bytes that a model takes beside its weights, as long as its header is not known


@dataclass(frozen=True, slots=True)
class Prospect:
    """What can be said of a repository's models before any of them is fetched.

    Attributes:
        page: Address of the repository, for a browser.
        fits: "fits", "tight" or "too_large" for each variant, by its path.
        context: Tokens it was trained to see at once; 0 when unknown.
        is_base: It continues text, and was not made for chat.
        problem: Why it cannot be used, or not be looked into; empty when it can.
        near: Well-known names that its name could be mistaken for.
    """

    page: str
    fits: Mapping[str, str] = field(default_factory=dict)
    context: int = 0
    is_base: bool = False
    problem: str = ""
    near: tuple[str, ...] = ()


class Prospects:
    """Looks at models that are not here yet. Everything returns a Future at once."""

    def __init__(self, hubs: Hubs, discovery: Discovery, downloads: Downloads) -> None:
        """Wire the service; nothing is sent yet."""
        self._hubs, self._discovery, self._downloads = hubs, discovery, downloads
        self._thread = Threads(2, "prospects")

    def first_look(self, repository: Repository) -> "Future[Prospect]":
        """Return what is known without reading from any file: how well they fit is a guess by their size."""

        def look() -> Prospect:
            page = self._hubs.hub().page_of(repository.name)
            near = near_names(repository.name, _known_names())
            return Prospect(page, _fits(repository, _BESIDE), repository.context, near=near)

        return self._thread.submit(look)

    def close_look(self, repository: Repository, first: Prospect) -> "Future[Prospect]":
        """Return what the header of the smallest variant says: all have it in common but for the weights."""

        def look() -> Prospect:
            if not repository.variants or not repository.accessible:
                return first
            try:
                header = self._discovery.header(repository, repository.variants[0]).result()
            except UserError as error:
                return Prospect(first.page, first.fits, first.context, problem=error.message, near=first.near)
            if header is None:
                return first
            fits = _fits(repository, _beside(header))
            return Prospect(first.page, fits, header.context_length, header.is_base, near=first.near)

        return self._thread.submit(look)

    def fetch(self, repository: Repository, variant: Variant) -> "Future[Download]":
        """Put a model into the queue of downloads.

        Raises:
            UserError: Through the future, when its bytes could not be checked, or it may not be fetched.
        """
        return self._thread.submit(
            lambda: self._downloads.add(self._discovery.wanted(repository, variant)).result()
        )

    def set_token(self, token: str) -> "Future[bool]":
        """Ask with this access token from now on; the future says whether it outlives this start."""
        return self._thread.submit(lambda: self._hubs.set_token(token))

    def close(self) -> None:
        """End; what is being asked of the hub ends with `Discovery.close`."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def _beside(header: Header) -> int:
    """Return the bytes that a model takes beside its weights, at the usual size of its context."""
    gpu = this_computer().unified
    return beside(header, Sizes(header, gpu=gpu), fit.usual_context(header.context_length), gpu=gpu)


def _fits(repository: Repository, beside: int) -> dict[str, str]:
    computer = this_computer()
    return {each.path: FIT_NAMES[fitting(each.size + beside, computer)] for each in repository.variants}


def _known_names() -> list[str]:
    entries = catalogue.load().entries
    return [name for entry in entries for name in (entry.repository, entry.base_model)]
