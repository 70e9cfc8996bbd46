"""Whether the folder of the data lies where a database is safe."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress

from app.domain.errors import UserError
from app.domain.place import risk_words
from app.storage.folders import Folders
from app.storage.place import risk_of
from app.storage.preferences import PreferenceStore

_WARNED = "warned_of_place"


def warning(folders: Folders) -> str:
    """Return the sentence about the folder; empty where nothing speaks against it. May take long."""
    risk = risk_of(folders.data)
    return str(risk_words(risk)) if risk else ""


class Place:
    """Says once, for each folder, that the data does not lie well."""

    def __init__(self, folders: Folders, kept: PreferenceStore, report: Callable[[UserError], None]) -> None:
        self._folders, self._kept, self._report = folders, kept, report

    def begin(self) -> None:
        """Look, on a thread that nobody waits for: a network drive may not answer."""
        threading.Thread(target=self._look, name="place", daemon=True).start()

    def _look(self) -> None:
        risk = risk_of(self._folders.data)
        if risk is None:
            return
        with suppress(UserError, RuntimeError, CancelledError):  # it cannot be written, or is closed
            known = f"{risk.kind}:{self._folders.data}"
            if self._kept.get(_WARNED).result() != known:
                self._report(risk_words(risk))
                self._kept.set(_WARNED, known).result()
