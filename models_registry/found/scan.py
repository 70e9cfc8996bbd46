"""The models of other apps: what was found, each file once, with its header or what is wrong with it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from models_registry import naming
from models_registry.errors import ModelFileError, Problem
from models_registry.found import files, jan, ollama
from models_registry.found.candidate import Candidate
from models_registry.found.places import Source, System, folders
from models_registry.found.walk import Limits, Walk, identify, read_text
from models_registry.gguf import read_header
from models_registry.header import Header
from models_registry.shards import parts_of


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that another app has on this computer.

    Attributes:
        source: The app; the first of those asked for that has it.
        name: What to call it. Never empty.
        path: Absolute, to be given to `Library.link`, of a model in several files the first one. Where an
            app's own record is broken, the record's.
        size: Bytes of all its files; 0 when there is none.
        sha256: In hexadecimal, as the app states it: it has not been computed. None when the app does not.
        projector: The file through which it sees or hears, None without one.
        header: None when the file cannot be used.
        problem: Why it cannot be used; None when it can.
        also_in: Other apps with the same file, or with one of the same sha256 and size.
    """

    source: Source
    name: str
    path: Path
    size: int
    sha256: str | None
    projector: Path | None
    header: Header | None
    problem: ModelFileError | None
    also_in: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What a scan came back with.

    Attributes:
        models: By name, those that can be used first.
        unreadable: Folders that are there and may not be read, such as those of a service.
        complete: Whether all was seen; else a limit was reached, or the scan was cancelled.
    """

    models: tuple[FoundModel, ...]
    unreadable: tuple[Path, ...]
    complete: bool


def scan(
    sources: Collection[Source],
    system: System | None = None,
    *,
    limits: Limits | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Findings:
    """Look for models in the folders of `sources`, and nowhere else; nothing is written or changed.

    Takes about a tenth of a second a model: not for a thread that paints. Raises no OSError: what cannot be
    read is listed with its problem, and what goes meanwhile is left out.

    Args:
        sources: Whose folders a person agreed to have read; the first one that has a file gives its name.
        system: The computer; this one by default.
        limits: How far to go.
        cancelled: Asked between files.
    """
    walk = Walk(limits or Limits(), cancelled)
    found: list[FoundModel] = []
    shown: dict[object, int] = {}
    for candidate in _candidates(walk, sources, system or System.current()):
        if not walk.goes_on():
            break
        size, identity = _size(candidate.path), identify(candidate.path)
        keys = [key for key in (identity, size and candidate.sha256 and (candidate.sha256, size)) if key]
        at = next((shown[key] for key in keys if key in shown), len(found))
        known = found[at] if at < len(found) else None
        # The same bytes may be readable here, and not there.
        model = _model(candidate, size) if not known or (known.problem and identity not in shown) else None
        if known:
            found[at] = _joined(model, known) if model and not model.problem else _joined(known, candidate)
        elif model:
            found.append(model)
        else:
            continue
        shown |= dict.fromkeys(keys, at)
    found.sort(key=lambda model: (model.problem is not None, model.name.casefold(), model.path))
    return Findings(tuple(found), tuple(dict.fromkeys(walk.unreadable)), walk.complete)


def _candidates(walk: Walk, sources: Collection[Source], system: System) -> Iterator[Candidate]:
    for source in dict.fromkeys(sources):
        for place in folders(source, system, read_text):
            folder = Path(place)
            if source is Source.OLLAMA:
                yield from ollama.listed(walk, folder)
            elif source is Source.JAN:
                yield from jan.listed(walk, folder)
            else:
                yield from files.listed(walk, source, folder)


def _model(candidate: Candidate, size: int) -> FoundModel | None:
    """Return what a candidate is; None for a projector, and for a file that went meanwhile."""
    header, problem = None, candidate.problem
    if not problem:
        try:
            header = read_header(candidate.path)
        except ModelFileError as error:
            # A new one: that which was caught holds on to everything the reader had in hand.
            problem = ModelFileError(error.problem, error.detail)
    if problem and problem.problem is Problem.PROJECTOR:
        return None
    if problem and problem.problem is Problem.MISSING and not (candidate.name or candidate.path.is_symlink()):
        return None
    seen = candidate.projector
    return FoundModel(
        source=candidate.source,
        name=_name(candidate, header),
        path=candidate.path,
        size=size,
        sha256=candidate.sha256,
        projector=seen if seen and identify(seen) else None,
        header=header,
        problem=problem,
    )


def _name(candidate: Candidate, header: Header | None) -> str:
    return candidate.name or (header.name if header else naming.file_name(candidate.path))


def _joined(model: FoundModel, other: FoundModel | Candidate) -> FoundModel:
    """Return `model` with what `other`, which holds the same bytes, knows beyond it."""
    sources = (*model.also_in, other.source, *(other.also_in if isinstance(other, FoundModel) else ()))
    return replace(
        model,
        sha256=model.sha256 or other.sha256,
        projector=model.projector or other.projector,
        also_in=tuple(source for source in dict.fromkeys(sources) if source is not model.source),
    )


def _size(path: Path) -> int:
    try:
        return sum(part.stat().st_size for part in parts_of(path))
    except (OSError, ValueError, RuntimeError):
        return 0
