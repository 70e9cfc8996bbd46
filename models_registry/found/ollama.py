"""Ollama's models: manifests that name blobs, as its `types/model` and `manifest` packages write them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from models_registry.errors import ModelFileError, Problem
from models_registry.found.candidate import Candidate
from models_registry.found.places import Source
from models_registry.found.walk import Walk, read_small

_MODEL = "application/vnd.ollama.image.model"
_PROJECTOR = "application/vnd.ollama.image.projector"
_DIGEST = re.compile(r"sha256[:-](?P<hex>[0-9a-f]{64})")
_DEPTH = 4
_OWN = "library"  # the namespace that goes without saying
_UNNAMED_TAG = "latest"


def listed(walk: Walk, folder: Path) -> Iterator[Candidate]:
    """Yield the models of the manifests in `folder`; of several names for one blob, the one that says most.

    Models that run elsewhere, or are no GGUF, name no blob and are left out.
    """
    best: dict[Path, Candidate] = {}
    manifests = folder / "manifests"
    for path in walk.files(manifests):
        name = model_name(path.relative_to(manifests).parts)
        candidate = _read(path, name, folder) if name else None
        if not candidate:
            continue
        known = best.get(candidate.path)
        if not known or _rank(candidate) < _rank(known):
            best[candidate.path] = candidate
    yield from best.values()


def model_name(parts: tuple[str, ...]) -> str:
    """Return what Ollama calls a model by the place of its manifest: "llama3.2:3b", "someone/model:latest".

    Args:
        parts: Host, namespace, model and tag; for any other number the name is empty.
    """
    if len(parts) != _DEPTH:
        return ""
    _host, namespace, model, tag = parts
    return f"{model}:{tag}" if namespace == _OWN else f"{namespace}/{model}:{tag}"


def _rank(candidate: Candidate) -> tuple[bool, bool, str]:
    return candidate.problem is not None, candidate.name.endswith(f":{_UNNAMED_TAG}"), candidate.name


def _read(manifest: Path, name: str, folder: Path) -> Candidate | None:
    """Return what a manifest says, None when it is not about a model in a file here."""
    content = read_small(manifest)
    if content is None:
        return _broken(manifest, name, Problem.UNREADABLE, "the manifest cannot be read")
    try:
        layers = _layers(json.loads(content))
    except (ValueError, TypeError, RecursionError) as error:
        return _broken(manifest, name, Problem.CORRUPT, f"the manifest makes no sense: {error}")
    if _MODEL not in layers:
        return None
    stated = _DIGEST.fullmatch(layers[_MODEL])
    if not stated:
        return _broken(manifest, name, Problem.CORRUPT, f"the manifest names {layers[_MODEL][:80]!r}")
    seeing = _DIGEST.fullmatch(layers.get(_PROJECTOR, ""))
    return Candidate(
        Source.OLLAMA,
        _blob(folder, stated),
        name=name,
        sha256=stated["hex"],
        projector=_blob(folder, seeing) if seeing else None,
    )


def _layers(manifest: object) -> dict[str, str]:
    """Return the digest of the first layer of each media type; TypeError where there are no layers."""
    layers = manifest.get("layers") if isinstance(manifest, dict) else None
    if not isinstance(layers, list):
        raise TypeError("no list of layers")
    found: dict[str, str] = {}
    for layer in layers:
        kind, digest = (layer.get("mediaType"), layer.get("digest")) if isinstance(layer, dict) else ("", "")
        if isinstance(kind, str) and isinstance(digest, str):
            found.setdefault(kind, digest)
    return found


def _blob(folder: Path, digest: re.Match[str]) -> Path:
    """Return the path of a blob; until 2024 its name had a colon where a file system took it."""
    path = folder / "blobs" / f"sha256-{digest['hex']}"
    older = path.with_name(f"sha256:{digest['hex']}")
    return older if not path.exists() and older.exists() else path


def _broken(manifest: Path, name: str, problem: Problem, detail: str) -> Candidate:
    return Candidate(Source.OLLAMA, manifest, name=name, problem=ModelFileError(problem, detail))
