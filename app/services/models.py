"""The models on this computer: list, add, find, load. The app's view of models_registry and the engine."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from app.domain.model import EngineStatus, Model


class Models:
    """What can be picked, and what is loaded.

    Everything that reads files runs on one worker thread of its own and returns a Future. After each change of the
    list (a model added, a sha256 computed) `Changed(MODELS)` is published.
    """

    @property
    def known(self) -> list[Model]:
        """Return the list as it was read last: the starter first, then by name. Never blocks."""
        raise NotImplementedError

    @property
    def status(self) -> EngineStatus:
        """Return what the engine holds; `Changed(ENGINE)` says when it is another."""
        raise NotImplementedError

    def refresh(self) -> "Future[list[Model]]":
        """Read the folders again; sha256 still missing are computed afterwards in the background."""
        raise NotImplementedError

    def add(self, path: Path) -> "Future[Model]":
        """Use a GGUF file where it lies; raises UserError (through the future) when it cannot be used."""
        raise NotImplementedError

    def forget(self, model: Model) -> "Future[None]":
        """Take a linked file off the list; the file stays."""
        raise NotImplementedError

    def load(self, model: Model) -> None:
        """Load a model now, ahead of the first question; progress shows in `status`."""
        raise NotImplementedError

    def cancel_loading(self) -> None:
        """Stop loading; the engine is then empty."""
        raise NotImplementedError

    def preferred(self, chat_model_path: str = "") -> Model | None:
        """Return what to answer with: the chat's own model, else the one used last, else the starter."""
        raise NotImplementedError
