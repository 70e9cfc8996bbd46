"""What a person may want to know before they change how a model is loaded or writes: off their thread."""

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.loading import LoadOptions
from app.domain.model import Model
from app.services.headers import listed_header_of
from app.services.threads import Threads
from app.storage.folders import Folders
from models_registry.errors import ModelFileError

if TYPE_CHECKING:
    from app.services.outlook import Outlook
    from app.services.snapshots import Usage


class Inspection:
    """Answers with Futures, one question after the other, on a thread of its own."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._thread = Threads(1, "inspection")

    def outlook(self, model: Model, context: int | None, options: LoadOptions) -> "Future[Outlook]":
        """Return what `model` takes, and what its file recommends."""

        def look() -> "Outlook":
            from app.services.outlook import outlook  # slow to import: not with the window

            return outlook(model, context, options)

        return self._thread.submit(look)

    def check_form(self, grammar: str, json_schema: str) -> "Future[None]":
        """Fail with a UserError when no answer can follow the grammar, or be valid against the schema."""

        def check() -> None:
            from app.engine import gbnf
            from app.engine import json_schema as schemas

            if grammar:
                gbnf.check(grammar)
            if json_schema:
                schemas.grammar_from_schema(json_schema)

        return self._thread.submit(check)

    def check_adapter(self, model: Model, path: Path) -> "Future[Path]":
        """Return `path`; fail with a UserError when what lies there cannot be laid over `model`."""

        def check() -> Path:
            from app.domain.adapter_problems import explain_adapter
            from models_registry.adapter import AdapterError, check_fit, read_adapter

            header = listed_header_of(model.path)
            try:
                check_fit(read_adapter(path), header)
            except (AdapterError, ModelFileError) as error:
                raise explain_adapter(error, path.name, header.architecture) from error
            return path

        return self._thread.submit(check)

    def saved_reading(self) -> "Future[Usage]":
        """Return how much is kept of what models have read."""

        def count() -> "Usage":
            from app.services import snapshots

            return snapshots.usage(self._folders)

        return self._thread.submit(count)

    def clear_saved_reading(self) -> "Future[Usage]":
        """Delete it, and return what is left."""

        def clear() -> "Usage":
            from app.services import snapshots

            return snapshots.clear(self._folders)

        return self._thread.submit(clear)

    def close(self) -> None:
        """End the thread; what waits for its turn is not done any more."""
        self._thread.shutdown(wait=True, cancel_futures=True)
