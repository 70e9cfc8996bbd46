"""What a person has set for each model, kept between two starts."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from app.domain.choices import Choices
from app.domain.model import Model
from app.storage.preferences import PreferenceStore

_KEY = "choices"
_log = logging.getLogger("fireside.choices")


class ModelChoices:
    """Settings, load options and adapters by model.

    A model is known by its sha256, wherever its file lies, and by its path until that is computed. Lives on
    one thread, but for what `read` brings.

    Attributes:
        known: What was kept has been read; until then nothing counts as set.
    """

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store
        self._kept: dict[str, Choices] = {}
        self.known = False

    def read(self) -> "Future[None]":
        """Read what was kept; a database that cannot be read counts as one where nothing is set."""
        known: Future[None] = Future()

        def take(reading: "Future[Any]") -> None:
            self._take({} if reading.cancelled() or reading.exception() else reading.result())
            known.set_result(None)

        self._store.get(_KEY, {}).add_done_callback(take)
        return known

    def of(self, model: Model) -> Choices:
        """Return what is set for `model`."""
        return self._kept.get(model.sha256) or self._kept.get(str(model.path)) or Choices()

    def keep(self, model: Model, choices: Choices) -> "Future[None]":
        """Set `choices` for `model`, from the next turn on.

        Raises:
            UserError: When one is out of range or contradicts another; nothing is changed then.
        """
        choices.checked()
        self._kept.pop(str(model.path), None)
        self._kept[model.sha256 or str(model.path)] = choices
        written = {key: kept.to_json() for key, kept in self._kept.items()}
        return self._store.set(_KEY, {key: values for key, values in written.items() if values})

    def change(self, model: Model, how: Callable[[Choices], Choices]) -> "Future[None]":
        """Set what `how` makes of what is set; raises as `keep` does."""
        return self.keep(model, how(self.of(model)))

    def _take(self, found: object) -> None:
        kept = {}
        for key, values in found.items() if isinstance(found, dict) else ():
            kept[key], dropped = Choices.from_json(values)
            if dropped:
                _log.warning("Not kept of what was set for a model: %s", ", ".join(dropped))
        self._kept = kept | self._kept
        self.known = True
