"""How Fireside reaches the hub, and how fast it may fetch: shown, changed and tried."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.domain.errors import UserError
from app.domain.hub_problems import explain
from app.services.hubs import Hubs, HubSettings, TokenState
from app.services.threads import Threads
from app.storage.preferences import PreferenceStore
from models_registry.hub.client import Connection, Hub
from models_registry.hub.errors import HubError
from models_registry.transfer import Throttle

__all__ = ["Attempt", "Connection", "Network", "Reach", "TokenState"]

_LIMIT = "download_limit"


@dataclass(frozen=True, slots=True)
class Reach:
    """All that is set.

    Attributes:
        settings: Mirror, proxy, and whether the token may go to the mirror.
        token: The access token, as far as it may be shown; None when there is none.
        sends_token: Whether it goes to the hub that is set.
        limit: Bytes a second that all downloads may take together; 0 for no limit.
    """

    settings: HubSettings
    token: TokenState | None
    sends_token: bool
    limit: int


class Attempt:
    """A question whether the hub answers.

    Attributes:
        answer: What came back; fails with a UserError that says the next step.
    """

    def __init__(self) -> None:
        self.answer: Future[Connection] = Future()

    def cancel(self) -> None:
        """Wait for it no longer; nothing comes of it then, and the connection ends by itself."""
        self.answer.cancel()

    def run(self, hub: Hub, mirror: str) -> None:
        """Ask; waits for the network."""
        with hub, suppress(InvalidStateError):  # it was cancelled meanwhile
            self._ask(hub, mirror)

    def _ask(self, hub: Hub, mirror: str) -> None:
        try:
            connection = hub.test_connection()
        except HubError as error:
            self.answer.set_exception(explain(error, mirror=mirror))
        except Exception as error:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(connection)


class Network:
    """Reads and changes on a thread of its own, in order. Everything returns a Future at once.

    The futures fail with a UserError; what is refused changes nothing.
    """

    def __init__(self, hubs: Hubs, store: PreferenceStore, throttle: Throttle) -> None:
        """Wire the service: the hub, where the limit is kept, and what keeps downloads to it."""
        self._hubs, self._store, self._throttle = hubs, store, throttle
        self._thread = Threads(1, "network")

    def begin(self) -> "Future[None]":
        """Have downloads keep to the limit that was set."""

        def follow() -> None:
            self._throttle.limit = self._limit()

        return self._thread.submit(follow)

    def read(self) -> "Future[Reach]":
        """Return all that is set."""
        return self._thread.submit(self._read)

    def change(self, **values: Any) -> "Future[Reach]":
        """Change some of `HubSettings`, by name."""
        return self._do(lambda: self._hubs.change(**values))

    def set_limit(self, bytes_per_second: int) -> "Future[Reach]":
        """Have all downloads together take at most so much; 0 for no limit. It holds at once."""

        def keep() -> None:
            self._store.set(_LIMIT, bytes_per_second).result()
            self._throttle.limit = bytes_per_second

        return self._do(keep)

    def set_token(self, token: str) -> "Future[Reach]":
        """Ask with this access token from now on; with none when it is empty."""
        return self._do(lambda: self._hubs.set_token(token))

    def test(self) -> Attempt:
        """Ask the hub, as it is set once all changes are done, for the least that it can answer."""
        attempt = Attempt()

        def begin() -> None:
            try:
                hub, mirror = self._hubs.fresh(), self._hubs.settings().endpoint
            except HubError as error:
                problem: Exception = explain(error)
            except UserError as error:
                problem = error
            else:
                # A thread that nobody has to wait for, not even at the end.
                threading.Thread(target=attempt.run, args=(hub, mirror), name="hub-test", daemon=True).start()
                return
            with suppress(InvalidStateError):
                attempt.answer.set_exception(problem)

        self._thread.submit(begin)
        return attempt

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _do(self, change: Callable[[], object]) -> "Future[Reach]":
        def work() -> Reach:
            change()
            return self._read()

        return self._thread.submit(work)

    def _read(self) -> Reach:
        settings, token = self._hubs.settings(), self._hubs.token_state()
        return Reach(settings, token, token is not None and self._sends_token(), self._limit())

    def _sends_token(self) -> bool:
        try:
            return self._hubs.hub().sends_token
        except HubError:
            return False

    def _limit(self) -> int:
        known = self._store.get(_LIMIT, 0).result()
        return known if isinstance(known, int) and not isinstance(known, bool) and known > 0 else 0
