"""Models worth having, described in `catalogue.json` well enough to say which of them a computer can run.

The file was put together without a connection to the hub. So no hash stands in it, repositories and file
names are to be looked up there, and most sizes are estimates, of parameters times bits of a weight.
"""

import fnmatch
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import resources
from typing import Any

from models_registry import naming

_FORMAT = 1


class Kind(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    REASONING = "reasoning"
    CODE = "code"
    VISION = "vision"
    MULTILINGUAL = "multilingual"
    ROLEPLAY = "roleplay"
    EMBEDDING = "embedding"
    """Finds texts by their meaning, and does not chat."""
    HISTORICAL = "historical"
    """Made history, and is surpassed by others of its size."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """One way in which a model is stored.

    Attributes:
        name: As the field writes it: "Q4_K_M".
        files: A pattern for the names of its files, their folders included, as of `fnmatch`.
        size: Bytes of all its files.
        size_is_estimate: Whether `size` was computed, and may be wrong by a tenth.
    """

    name: str
    files: str
    size: int
    size_is_estimate: bool

    def matching(self, names: Iterable[str]) -> list[str]:
        """Return those of the repository's file `names` that are of this quantization, sorted.

        Where there are none, those of Unsloth's kind of it, which it calls "UD-Q4_K_M".
        """
        pattern = self.files.casefold()
        ours = sorted(name for name in names if fnmatch.fnmatchcase(name.casefold(), pattern))
        for label in (self.name, f"UD-{self.name}"):
            if found := [name for name in ours if naming.quantization(name) == label]:
                return found
        return []


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model.

    Attributes:
        id: Stays the same from one catalogue to the next.
        name: What to call it.
        repository: On the hub: "owner/name".
        commit: Of the repository, 40 hexadecimal digits; None where the newest has to do.
        base_model: The repository of the model that was quantized.
        license: As SPDX has it, else by its usual name; None where its page has to be read.
        released: Year and month: "2026-04".
        kinds: What it is for, the most important first.
        languages: What it writes well, as ISO 639 codes; there may be more.
        good_at: One sentence in plain English, to be translated.
        standing: How well it answers compared with the others here, 0 to 100: our judgement.
        parameters: Weights of the model.
        active_parameters: Those that compute with each token; fewer where there are experts.
        context_length: Tokens it was trained to see at once.
        architecture: As llama.cpp calls it.
        layout: What its header says about layers, by GGUF keys without the architecture before them. A list
            is repeated until there is an element for each layer.
        vocabulary: Tokens it knows.
        tokenizer: `tokenizer.ggml.model`.
        separate_output: Whether the output has weights of its own, beside the embedding's.
        quantizations: From small to large; at least one.
        projector: A pattern for the file through which it sees; None without one.
        verified: Whether repository, files and sizes were compared with the hub.
    """

    id: str
    name: str
    repository: str
    commit: str | None
    base_model: str
    license: str | None
    released: str
    kinds: tuple[Kind, ...]
    languages: tuple[str, ...]
    good_at: str
    standing: int
    parameters: int
    active_parameters: int
    context_length: int
    architecture: str
    layout: dict[str, int | tuple[int, ...]]
    vocabulary: int
    tokenizer: str
    separate_output: bool
    quantizations: tuple[Quantization, ...]
    projector: str | None
    verified: bool

    @property
    def chats(self) -> bool:
        """Return whether it writes answers at all."""
        return Kind.EMBEDDING not in self.kinds

    def quantization(self, name: str) -> Quantization | None:
        """Return the quantization of this name, None where there is none."""
        return next((one for one in self.quantizations if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models, from small to large.

    Attributes:
        date: When it was put together.
    """

    date: date
    entries: tuple[CatalogueEntry, ...]

    def entry(self, identity: str) -> CatalogueEntry | None:
        """Return the entry whose id is `identity`, None where there is none."""
        return next((entry for entry in self.entries if entry.id == identity), None)


def load() -> Catalogue:
    """Return the catalogue that comes with the app; takes a few milliseconds."""
    return parse(resources.files("models_registry").joinpath("catalogue.json").read_text("utf-8"))


def parse(text: str) -> Catalogue:
    """Return the catalogue in `text`.

    Raises:
        ValueError: When anything in it is missing, unknown or of another type than it should be.
    """
    try:
        content = json.loads(text)
        made = _fields(content, {"format": int, "date": str, "models": list})
        if made["format"] != _FORMAT:
            raise ValueError(f"format {made['format']}, not {_FORMAT}")
        entries = tuple(map(_entry, made["models"]))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"not a catalogue: {error!r}") from error
    if len({entry.id for entry in entries}) != len(entries):
        raise ValueError("an id occurs twice")
    return Catalogue(date.fromisoformat(made["date"]), entries)


_ENTRY: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "name": str,
    "repository": str,
    "commit": (str, type(None)),
    "base_model": str,
    "license": (str, type(None)),
    "released": str,
    "kinds": list,
    "languages": list,
    "good_at": str,
    "standing": int,
    "parameters": dict,
    "context_length": int,
    "architecture": str,
    "layout": dict,
    "vocabulary": int,
    "tokenizer": str,
    "separate_output": bool,
    "quantizations": list,
    "projector": (str, type(None)),
    "verified": bool,
}


def _fields(value: object, types: dict[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """Return an object of exactly these fields."""
    if not isinstance(value, dict) or value.keys() != types.keys():
        raise TypeError(f"{sorted(value) if isinstance(value, dict) else value!r} are not {sorted(types)}")
    for name, expected in types.items():
        # A truth value is an int for Python, and never one here.
        if not isinstance(value[name], expected) or (expected is int and isinstance(value[name], bool)):
            raise TypeError(f"{name} is {value[name]!r}")
    return value


def _entry(value: object) -> CatalogueEntry:
    made = dict(_fields(value, _ENTRY))
    parameters = _fields(made.pop("parameters"), {"total": int, "active": int})
    quantizations = (
        Quantization(**_fields(one, {"name": str, "files": str, "size": int, "size_is_estimate": bool}))
        for one in made.pop("quantizations")
    )
    made |= {
        "kinds": tuple(map(Kind, made["kinds"])),
        "languages": tuple(made["languages"]),
        "layout": {key: _number(key, number) for key, number in made["layout"].items()},
        "quantizations": tuple(quantizations),
    }
    if not (made["kinds"] and made["quantizations"]):
        raise ValueError(f"{made['id']} is for nothing, or has no files")
    return CatalogueEntry(**made, parameters=parameters["total"], active_parameters=parameters["active"])


def _number(key: str, value: object) -> int | tuple[int, ...]:
    if isinstance(value, list) and value and all(isinstance(one, int) for one in value):
        return tuple(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"{key} is {value!r}")
