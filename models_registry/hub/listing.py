"""A repository as huggingface_hub's client tells of it, checked and in our own terms."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from models_registry.hub import search
from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.names import is_commit
from models_registry.hub.repository import RemoteFile, Repository, Scan, group

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo
    from huggingface_hub.hf_api import RepoFile

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SCANS = {scan.value: scan for scan in Scan}


def read(api: "HfApi", name: str, revision: str) -> Repository:
    """Ask for a repository, for its files, and where it is gated, whether they may be read.

    Args:
        api: Speaking.
        name: "maker/name"; another one may come back, when it was renamed.
        revision: Empty for the usual branch.

    Raises:
        HubError: ANSWER, UNSAFE_NAME or NOT_FOUND; and what the client raises.
    """
    info = api.model_info(name, revision=revision or None)
    if not info.sha or not is_commit(info.sha):
        raise HubError(HubProblem.ANSWER, f"the commit is {info.sha!r}")
    facts = search.read(info)
    variants, projectors = group(_files(api, info))
    bases = (base.rpartition(":")[2] for base in search.tagged(facts.tags, "base_model"))
    return Repository(
        name=info.id,
        commit=info.sha,
        license=facts.license,
        gated=facts.gated,
        accessible=not facts.gated or _is_accessible(api, info.id),
        downloads=facts.downloads,
        likes=facts.likes,
        created=info.created_at,
        modified=facts.modified,
        base_models=tuple(dict.fromkeys(bases)),
        tags=facts.tags,
        architecture=facts.architecture,
        parameters=facts.parameters,
        context=facts.context,
        variants=variants,
        projectors=projectors,
    )


def _files(api: "HfApi", info: "ModelInfo") -> Iterator[RemoteFile]:
    """Yield all files of a commit, with what the scanners said of them."""
    from huggingface_hub.hf_api import RepoFolder

    for entry in api.list_repo_tree(info.id, recursive=True, expand=True, revision=info.sha):
        if not isinstance(entry, RepoFolder):
            yield _file(entry)


def _file(entry: "RepoFile") -> RemoteFile:
    sha256 = entry.lfs.sha256.lower() if entry.lfs else ""
    size = entry.lfs.size if entry.lfs else entry.size
    if not isinstance(size, int) or size < 0:
        raise HubError(HubProblem.ANSWER, f"{entry.path} has the size {size!r}")
    status = entry.security.status if entry.security else ""
    scan = _SCANS.get(status, Scan.UNKNOWN)
    return RemoteFile(entry.path, size, sha256 if _SHA256.fullmatch(sha256) else None, scan)


def _is_accessible(api: "HfApi", name: str) -> bool:
    """Return whether the files of a gated repository may be read."""
    from huggingface_hub.errors import GatedRepoError

    try:
        api.auth_check(name)
    except GatedRepoError:
        return False
    return True
