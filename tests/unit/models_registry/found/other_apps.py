"""Writes the folders of other apps as they write them themselves."""

import hashlib
import json
import os
from pathlib import Path

from tiny_models import tiny

HOST = "registry.example"
VENDOR = "application/vnd.ollama.image"


def gguf(name="", size="", architecture=None, seed=""):
    """Return the bytes of a model that llama.cpp loads; another seed makes other bytes."""
    model = tiny()
    if name:
        model.metadata["general.basename"] = ("str", name)
        model.metadata["general.size_label"] = ("str", size)
    if architecture:
        model.metadata["general.architecture"] = ("str", architecture)
    model.metadata["general.description"] = ("str", seed)
    return model.encode()


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def ollama_blob(store: Path, content: bytes) -> str:
    """Write a blob and return its digest."""
    digest = hashlib.sha256(content).hexdigest()
    write(store / "blobs" / f"sha256-{digest}", content)
    return f"sha256:{digest}"


def ollama_manifest(store: Path, name: str, tag: str, layers, namespace="library", host=HOST) -> Path:
    """Write the manifest of `layers`, pairs of a kind ("model") and the bytes of the blob."""
    written = [
        {"mediaType": f"{VENDOR}.{kind}", "digest": ollama_blob(store, content), "size": len(content)}
        for kind, content in layers
    ]
    config = json.dumps({"model_format": "gguf", "model_family": "llama", "architecture": "amd64"}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": ollama_blob(store, config),
            "size": len(config),
        },
        "layers": written,
    }
    return write(store / "manifests" / host / namespace / name / tag, json.dumps(manifest))


def ollama_model(store: Path, name: str, tag: str, content: bytes, projector=None, **place) -> Path:
    layers = [("model", content)]
    if projector:
        layers.append(("projector", projector))
    layers += [("template", b"{{ .Prompt }}"), ("license", b"Apache"), ("params", b'{"stop":["<|end|>"]}')]
    ollama_manifest(store, name, tag, layers, **place)
    return store / "blobs" / f"sha256-{hashlib.sha256(content).hexdigest()}"


def hub_file(cache: Path, repository: str, name: str, content: bytes, commit="a" * 40) -> Path:
    """Write a blob, and the link to it in a snapshot, as the hub's client does where links can be made."""
    root = cache / f"models--{repository.replace('/', '--')}"
    blob = write(root / "blobs" / hashlib.sha256(content).hexdigest(), content)
    link = root / "snapshots" / commit / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    write(root / "refs" / "main", commit)
    return link


def jan_model(data: Path, name: str, content: bytes, file="model.gguf", **more) -> Path:
    place = f"llamacpp/models/{name}"
    lines = {"embedding": "false", "model_path": f"{place}/{file}", "name": name, **more}
    write(data / place / "model.yml", "".join(f"{key}: {value}\n" for key, value in lines.items()))
    return write(data / place / file, content)


def snapshot(folder: Path):
    """Return all that writing anything below `folder` would change."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        link = path.readlink() if path.is_symlink() else None
        found[path] = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size, link)
    return found
