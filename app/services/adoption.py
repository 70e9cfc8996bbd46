"""Models of other apps on this computer: found where a person allows it, used where they lie."""

import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.model import Model
from app.domain.model_problems import explain
from app.services.models import Models
from app.storage.preferences import PreferenceStore
from models_registry.found.places import Source, System, folders
from models_registry.found.scan import scan
from models_registry.found.walk import read_text

_KEY = "adopted_sources"

_NAMES = {
    Source.LM_STUDIO: "LM Studio",
    Source.OLLAMA: "Ollama",
    Source.GPT4ALL: "GPT4All",
    Source.JAN: "Jan",
    Source.LLAMA_CPP: "llama.cpp",
    Source.HUGGING_FACE: "Hugging Face",
}


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Another app that keeps models.

    Attributes:
        key: Stays the same.
        name: What the app is called.
        allowed: Whether Fireside may look at its models.
        is_there: Whether a folder is there that it would keep them in.
    """

    key: str
    name: str
    allowed: bool
    is_there: bool


@dataclass(frozen=True, slots=True)
class Foreign:
    """A model that another app has.

    Attributes:
        app: What the app is called.
        size: In bytes.
        problem: Why it cannot be used; empty when it can.
        also_in: Other apps with the same one.
    """

    name: str
    app: str
    path: Path
    size: int
    quantization: str
    context: int
    sha256: str
    problem: str
    also_in: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {
            "name": self.name,
            "app": self.app,
            "path": str(self.path),
            "size": self.size,
            "quantization": self.quantization,
            "trained_context": self.context,
            "sha256": self.sha256,
            "problem": self.problem,
            "also_in": list(self.also_in),
        }


class Adoption:
    """Looks into the folders of other apps, read only, and only of those that a person allows."""

    def __init__(self, store: PreferenceStore, models: Models) -> None:
        """Wire the service; nothing is looked at yet."""
        self._store = store
        self._models = models

    def sources(self) -> "Future[list[SourceInfo]]":
        """Return every app whose folders Fireside knows."""

        def look(_stop: Callable[[], bool]) -> list[SourceInfo]:
            allowed = self._allowed()
            return [SourceInfo(key.value, _NAMES[key], key in allowed, _is_there(key)) for key in Source]

        return self._models.on_files(look)

    def allow(self, key: str, wanted: bool) -> "Future[None]":
        """Let Fireside look at the models of an app, or no longer."""

        def change(_stop: Callable[[], bool]) -> None:
            allowed = self._allowed()
            changed = allowed | {Source(key)} if wanted else allowed - {Source(key)}
            self._store.set(_KEY, sorted(changed)).result()

        return self._models.on_files(change)

    def scan(self, only: tuple[str, ...] = ()) -> "Future[list[Foreign]]":
        """Return the models of the allowed apps, or of `only` these, as a person names them for once."""

        def look(stop: Callable[[], bool]) -> list[Foreign]:
            sources = {Source(key) for key in only} or self._allowed()
            return [
                Foreign(
                    name=model.name,
                    app=_NAMES[model.source],
                    path=model.path,
                    size=model.size,
                    quantization=model.header.quantization if model.header else "",
                    context=model.header.context_length if model.header else 0,
                    sha256=model.sha256 or "",
                    problem=explain(model.problem, model.path.name).message if model.problem else "",
                    also_in=tuple(_NAMES[source] for source in model.also_in),
                )
                for model in scan(sources, cancelled=stop).models
            ]

        return self._models.on_files(look)

    def adopt(self, found: Foreign) -> "Future[Model]":
        """Use a model where it lies; its owner notices nothing.

        Raises:
            UserError: Through the future, when it cannot be used.
        """
        return self._models.add(found.path, found.name)

    def _allowed(self) -> set[Source]:
        known = self._store.get(_KEY, []).result()
        keys = {source.value for source in Source}
        return {Source(key) for key in known if key in keys} if isinstance(known, list) else set()


def _is_there(source: Source) -> bool:
    """Return whether one of an app's folders is there; what is in it is not looked at."""
    # Not Path.is_dir: it raises where the folder above may not be read, such as that of a service.
    places = folders(source, System.current(), read_text)
    return any(os.path.isdir(place) for place in places)  # noqa: PTH112


def owners() -> list[tuple[Path, str]]:
    """Return the folders in which other apps keep models, and what the apps are called."""
    system = System.current()
    found = [(place, _NAMES[source]) for source in Source for place in folders(source, system, read_text)]
    return [(Path(os.path.realpath(place)), name) for place, name in found]
