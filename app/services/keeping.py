"""Which models stay in memory while nobody talks to them: what is set, and told to the engine."""

from concurrent.futures import Future
from typing import Any

from app.domain.retention import Retention
from app.engine.worker import Engine
from app.storage.preferences import PreferenceStore

_KEY = "retention"


class Keeping:
    """What is kept between two starts, and holds for the engine.

    Attributes:
        value: What holds now; the usual until `read` is done.
    """

    def __init__(self, store: PreferenceStore, engine: Engine) -> None:
        self._store, self._engine = store, engine
        self.value = Retention()

    def read(self) -> "Future[None]":
        """Have the engine follow what was set; what cannot be read was never set."""
        known: Future[None] = Future()

        def take(reading: "Future[Any]") -> None:
            found = None if reading.cancelled() or reading.exception() else reading.result()
            self._follow(_read(found))
            known.set_result(None)

        self._store.get(_KEY).add_done_callback(take)
        return known

    def set(self, retention: Retention) -> "Future[None]":
        """Keep models as `retention` says, from now on and after the next start."""
        self._follow(retention)
        return self._store.set(_KEY, {"idle_minutes": retention.idle_minutes, "two": retention.two})

    def _follow(self, retention: Retention) -> None:
        self.value = retention
        self._engine.retain(retention)


def _read(found: object) -> Retention:
    """Return what `found` says, and the usual for what it does not say."""
    usual = Retention()
    if not isinstance(found, dict):
        return usual
    minutes, two = found.get("idle_minutes", usual.idle_minutes), found.get("two")
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, int | float)):
        minutes = usual.idle_minutes
    if minutes is not None and not 0 < minutes < float("inf"):
        minutes = usual.idle_minutes
    return Retention(minutes, two if isinstance(two, bool) else usual.two)
