"""What a hub has: searched, looked at, and chosen for download."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TypeVar

from app.domain.download import Download, RemotePart
from app.domain.errors import UserError
from app.domain.hub_problems import explain
from app.domain.language import _
from app.domain.model_problems import explain as explain_file
from app.services.hubs import Hubs, HubSettings
from app.services.threads import Threads
from models_registry import naming
from models_registry.errors import ModelFileError
from models_registry.header import Header
from models_registry.hub.client import Connection
from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.names import Reference, near_names
from models_registry.hub.publisher import Publisher, PublisherRecord
from models_registry.hub.repository import RemoteFile, Repository, Scan, Variant
from models_registry.hub.search import Found, Query, Sort

__all__ = [
    "Connection",
    "Discovery",
    "Found",
    "HubSettings",
    "Publisher",
    "PublisherRecord",
    "Query",
    "Reference",
    "Repository",
    "Scan",
    "Sort",
    "Variant",
    "Withheld",
    "near_names",
]

_T = TypeVar("_T")
_AT_ONCE = 3  # a page may load while a search goes on


@dataclass(frozen=True, slots=True)
class Withheld:
    """A mirror that does not get the access token.

    Attributes:
        mirror: Its address.
        may_have_it: A person may say that it shall; False when it is reached without encryption.
    """

    mirror: str
    may_have_it: bool


class Discovery:
    """Asks the hub, and only when a person wants something of it. Everything returns a Future at once.

    The futures fail with a UserError.
    """

    def __init__(self, hubs: Hubs) -> None:
        """Wire the service; nothing is sent yet."""
        self._hubs = hubs
        self._threads = Threads(_AT_ONCE, "hub")
        self._pages: Iterator[tuple[Found, ...]] | None = None
        self._closing = Event()

    def search(self, query: Query) -> "Future[tuple[Found, ...]]":
        """Return the first page of what is found."""

        def begin() -> tuple[Found, ...]:
            pages = self._hubs.hub().search(query)
            found = next(pages, ())
            self._pages = pages
            return found

        return self._ask(begin)

    def more(self) -> "Future[tuple[Found, ...]]":
        """Return the next page of the last search; empty once there is none."""
        pages = self._pages
        return self._ask(lambda: next(pages, ()) if pages else ())

    def look(self, name: str, revision: str | None = None) -> "Future[Repository]":
        """Return a repository with all its models, at one commit."""
        return self._ask(lambda: self._hubs.hub().repository(name, revision or None))

    def card(self, repository: Repository) -> "Future[str]":
        """Return a repository's description, as Markdown that nobody checked."""
        return self._ask(lambda: self._hubs.hub().card(repository))

    def publisher(self, name: str) -> "Future[Publisher]":
        """Return what the hub says of who publishes."""
        return self._ask(lambda: self._hubs.hub().publisher(name))

    def publisher_record(self, name: str) -> "Future[PublisherRecord]":
        """Return since when somebody publishes, and how often their models are downloaded."""
        return self._ask(lambda: self._hubs.hub().publisher_record(name))

    def header(self, repository: Repository, variant: Variant) -> "Future[Header | None]":
        """Return the header of a model that is not here, from a few ranges of its file; None when closing."""
        name = naming.file_name(Path(variant.path))
        return self._ask(lambda: self._hubs.hub().header(repository, variant, self._closing.is_set), name)

    def withheld(self) -> "Future[Withheld | None]":
        """Return the mirror that does not get the access token there is; None when all is sent."""

        def look() -> Withheld | None:
            hub, settings = self._hubs.hub(), self._hubs.settings()
            if not (hub.is_mirror and self._hubs.token()) or hub.sends_token:
                return None
            return Withheld(hub.endpoint, not settings.token_for_mirror)

        return self._ask(look)

    def send_token_to_mirror(self) -> "Future[HubSettings]":
        """Send the access token to the mirror that is set, from now on."""
        return self._ask(lambda: self._hubs.change(token_for_mirror=True))

    def test(self) -> "Future[Connection]":
        """Ask the hub for the least that it can answer."""
        return self._ask(lambda: self._hubs.hub().test_connection())

    def choose(self, repository: Repository, wanted: str) -> Variant:
        """Return the variant that a person names.

        Raises:
            UserError: When there is none, or several.
        """
        with _explained():
            return repository.choose(wanted)

    def wanted(self, repository: Repository, variant: Variant) -> Download:
        """Return the download of a model, with the part through which it sees when it has one.

        Raises:
            UserError: When its bytes could not be checked, or it may not be fetched.
        """
        if not repository.accessible:
            raise explain(HubError(HubProblem.GATED, "not accessible", repository.name))
        files = [*variant.files, *([variant.projector] if variant.projector else [])]
        return Download(
            id=0,
            name=naming.file_name(Path(variant.path)),
            endpoint=self._hubs.settings().endpoint,
            repository=repository.name,
            commit=repository.commit,
            quantization=variant.quantization,
            parts=tuple(_part(file) for file in files),
        )

    def close(self) -> None:
        """End what is being asked."""
        self._closing.set()
        self._hubs.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _ask(self, question: Callable[[], _T], name: str = "") -> "Future[_T]":
        def ask() -> _T:
            with _explained(self._hubs, name):
                return question()

        return self._threads.submit(ask)


def _part(file: RemoteFile) -> RemotePart:
    if not file.sha256:
        raise UserError(
            _(
                "The hub does not say what the bytes of “{name}” should be, so Fireside cannot check them."
            ).format(name=file.path),
            _("Choose another file of the model, or another maker."),
        )
    return RemotePart(file.path, file.size, file.sha256)


@contextmanager
def _explained(hubs: Hubs | None = None, name: str = "") -> Iterator[None]:
    try:
        yield
    except HubError as error:
        raise explain(error, mirror=hubs.settings().endpoint if hubs else "") from error
    except ModelFileError as error:
        raise explain_file(error, name) from error
