"""What is searched for at a hub, and what is found."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.names import check_repository

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo


class Sort(StrEnum):
    """In which order, by the hub's own names."""

    TRENDING = "trendingScore"
    DOWNLOADS = "downloads"
    LIKES = "likes"
    RECENT = "lastModified"


@dataclass(frozen=True, slots=True)
class Query:
    """What to find among the repositories with GGUF files.

    Attributes:
        text: Words of the name; empty for all.
        author: Who published it, exactly; empty for anyone.
        min_parameters: Weights of the model, at least.
        max_parameters: Likewise, at most; None for any.
        architecture: As in the GGUF header, "llama"; empty for any.
        license: Its short name, "apache-2.0"; empty for any.
        gated: Whether its maker wants to know who gets it; None for both.
    """

    text: str = ""
    sort: Sort = Sort.TRENDING
    author: str = ""
    min_parameters: int | None = None
    max_parameters: int | None = None
    architecture: str = ""
    license: str = ""
    gated: bool | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the query of the request, as huggingface_hub's `list_models` writes it."""
        bounds = (("min", self.min_parameters), ("max", self.max_parameters))
        size = ",".join(f"{name}:{bound / 1e9:.9g}B" for name, bound in bounds if bound is not None)
        asked = {
            "search": self.text,
            "author": self.author,
            "gated": self.gated,
            "num_parameters": size,
            "sort": self.sort.value,
            "filter": ["gguf"] + ([f"license:{self.license}"] if self.license else []),
            "expand": ["gguf", "downloads", "likes", "gated", "lastModified", "tags"],
        }
        return {name: value for name, value in asked.items() if value not in ("", None)}

    def fits(self, found: "Found") -> bool:
        """Return whether something that the hub found is wanted: it cannot look for an architecture."""
        if self.architecture and found.architecture != self.architecture:
            return False
        if not found.parameters:
            return True
        return (self.min_parameters or 0) <= found.parameters <= (self.max_parameters or found.parameters)


@dataclass(frozen=True, slots=True)
class Found:
    """A repository, as far as a search says.

    Attributes:
        repository: "maker/name".
        downloads: In the last 30 days.
        parameters: Weights of the model; 0 when the hub says nothing, likewise the next two.
        architecture: As in the GGUF header.
        context: Tokens it was trained to see at once.
    """

    repository: str
    downloads: int
    likes: int
    modified: datetime | None
    gated: bool
    parameters: int
    architecture: str
    context: int
    license: str
    tags: tuple[str, ...]

    @property
    def author(self) -> str:
        """Return who published it."""
        return self.repository.partition("/")[0]


def ask(api: "HfApi", query: Query, page_size: int) -> Iterator[Found | None]:
    """Yield what is found, None for what makes no sense.

    The next page is asked for when it is wanted, by the one who wants it.
    """
    from huggingface_hub.hf_api import ModelInfo
    from huggingface_hub.utils._pagination import paginate

    asked = query.parameters() | {"limit": page_size}
    for entry in paginate(f"{api.endpoint}/api/models", asked, api._build_hf_headers()):
        try:
            facts: dict[str, Any] = {"siblings": None, **entry}
            yield read(ModelInfo(**facts))  # type: ignore[no-untyped-call]
        except (HubError, ValueError, TypeError, KeyError, AttributeError):
            yield None


def read(info: "ModelInfo") -> Found:
    """Return what the hub says of a repository.

    Raises:
        HubError: UNSAFE_NAME, NOT_FOUND or ANSWER, when its name is none that can be used.
    """
    if not isinstance(info.id, str):
        raise HubError(HubProblem.ANSWER, f"a repository is named {info.id!r}")
    check_repository(info.id)
    tags = tuple(map(str, info.tags or ()))
    gguf = info.gguf if isinstance(info.gguf, dict) else {}
    return Found(
        repository=info.id,
        downloads=count(info.downloads),
        likes=count(info.likes),
        modified=info.last_modified,
        gated=bool(info.gated),
        parameters=count(gguf.get("total")),
        architecture=word(gguf.get("architecture")),
        context=count(gguf.get("context_length")),
        license=next(tagged(tags, "license"), ""),
        tags=tags,
    )


def tagged(tags: tuple[str, ...], kind: str) -> Iterator[str]:
    """Yield what stands behind `kind` and a colon in tags."""
    for tag in tags:
        if tag.startswith(f"{kind}:"):
            yield tag[len(kind) + 1 :]


def count(value: object) -> int:
    """Return a count that the hub states, 0 where there is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def word(value: object) -> str:
    """Return a word that the hub states, empty where there is none."""
    return value if isinstance(value, str) else ""
