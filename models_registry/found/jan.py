"""Jan's models: a `model.yml` for each, as its llamacpp extension writes it, and the files of older ones."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from models_registry import naming
from models_registry.errors import ModelFileError, Problem
from models_registry.found import files
from models_registry.found.candidate import SHA256, Candidate
from models_registry.found.places import Source
from models_registry.found.walk import Walk, identify, read_small

_RECORD = "model.yml"


def listed(walk: Walk, folder: Path) -> Iterator[Candidate]:
    """Yield the models of the data folder `folder`; a file that a record names is not shown a second time."""
    seen: set[object] = set()
    loose: list[Candidate] = []
    for place in (folder / "llamacpp" / "models", folder / "models"):
        for _parent, group in groupby(walk.files(place), key=lambda path: path.parent):
            paths = list(group)
            for record in (path for path in paths if path.name == _RECORD):
                if candidate := _read(record, folder):
                    seen.add(identify(candidate.path))
                    yield candidate
            loose += files.models_in(Source.JAN, paths)
    yield from (candidate for candidate in loose if identify(candidate.path) not in seen)


def _read(record: Path, folder: Path) -> Candidate | None:
    """Return what a record says, None when it names no file: older ones lie beside theirs."""
    import yaml

    content = read_small(record)
    name = naming.file_name(record.parent)
    if content is None:
        return _broken(record, name, Problem.UNREADABLE, "model.yml cannot be read")
    try:
        stated = yaml.safe_load(content)
        path = _path(stated["model_path"], folder)
    except KeyError:
        return None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        return _broken(record, name, Problem.CORRUPT, f"model.yml makes no sense: {error}")
    title, sha256, projector = (stated.get(key) for key in ("name", "model_sha256", "mmproj_path"))
    return Candidate(
        Source.JAN,
        path,
        name=naming.file_name(Path(title)) if isinstance(title, str) and title else name,
        sha256=sha256 if isinstance(sha256, str) and SHA256.fullmatch(sha256) else None,
        projector=folder / projector if isinstance(projector, str) and projector else None,
    )


def _path(text: str, folder: Path) -> Path:
    """Return a path that counts from the data folder unless it is absolute."""
    if "\0" in text or not text:
        raise ValueError("model_path names no file")
    return folder / text


def _broken(record: Path, name: str, problem: Problem, detail: str) -> Candidate:
    return Candidate(Source.JAN, record, name=name, problem=ModelFileError(problem, detail))
