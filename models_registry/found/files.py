"""Apps whose folders hold GGUF files by name: LM Studio, GPT4All, llama.cpp and the cache of the hub."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from models_registry.found.candidate import SHA256, Candidate
from models_registry.found.places import Source
from models_registry.found.walk import Walk
from models_registry.shards import Shard

# GPT4All writes a download into "incomplete-NAME.gguf"; the others add an ending.
_UNFINISHED = "incomplete-"
_PROJECTOR = re.compile(r"(?P<owner>.*?)[-_.]?mmproj", re.IGNORECASE)
# Of several projectors, the one that costs nothing in quality and little memory.
_PREFERRED = ("f16", "bf16", "q8_0", "f32")


def listed(walk: Walk, source: Source, folder: Path) -> Iterator[Candidate]:
    """Yield the models below `folder`, by the names of their files."""
    places = [folder]
    if source is Source.HUGGING_FACE:
        # Beside them lie data sets, of any number of files.
        places = [place / "snapshots" for place in walk.folders(folder) if place.name.startswith("models--")]
    for place in places:
        for _parent, paths in groupby(walk.files(place), key=lambda path: path.parent):
            yield from models_in(source, paths)


def models_in(source: Source, paths: Iterable[Path]) -> Iterator[Candidate]:
    """Yield the models among the files of one folder, each with its projector."""
    files = [path for path in paths if _is_finished(path)]
    projectors = [path for path in files if is_projector(path)]
    shown: set[tuple[str, int]] = set()
    for path in files:
        if path in projectors:
            continue
        if shard := Shard.of(path):
            if (shard.stem, shard.total) in shown:
                continue
            shown.add((shard.stem, shard.total))
        yield Candidate(source, path, sha256=_stated_sha256(path), projector=_projector_of(path, projectors))


def is_projector(path: Path) -> bool:
    """Return whether the name of `path` is that of the part of a model that sees or hears."""
    return "mmproj" in path.name.lower()


def _is_finished(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(".gguf") and not name.startswith(_UNFINISHED)


def _projector_of(path: Path, projectors: list[Path]) -> Path | None:
    """Return the best of `projectors` that is named like the model at `path`, or after no model at all."""

    def owner(projector: Path) -> str:
        found = _PROJECTOR.match(projector.name)
        return found["owner"].lower() if found else ""

    def rank(projector: Path) -> tuple[bool, int, str]:
        name = projector.name.lower()
        kinds = (index for index, kind in enumerate(_PREFERRED) if re.search(rf"[-_.]{kind}\b", name))
        return not owner(projector), next(kinds, len(_PREFERRED)), name

    own = [projector for projector in projectors if path.name.lower().startswith(owner(projector))]
    return min(own, key=rank, default=None)


def _stated_sha256(path: Path) -> str | None:
    """Return the name of the blob that a link leads to, in the hub's cache, where large ones have it."""
    try:
        if not path.is_symlink():
            return None
        name = path.resolve().name
    except (OSError, RuntimeError):
        return None
    return name if SHA256.fullmatch(name) else None
