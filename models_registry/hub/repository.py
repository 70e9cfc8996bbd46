"""What a hub says of a repository, and the models in it: files grouped as a person thinks of them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from models_registry import naming
from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.names import check_path

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})\.gguf", re.IGNORECASE | re.DOTALL)
# The other half of a model that sees or hears, and the statistics that a quantization was made with.
_PROJECTOR = re.compile(r"(^|[-._])mmproj([-._]|$)", re.IGNORECASE)
_NO_MODEL = re.compile(r"(^|[-._])imatrix([-._]|$)", re.IGNORECASE)
# Of several projectors, the one that loses nothing and is no larger than it must be.
_PROJECTOR_TYPES = ("F16", "BF16", "Q8_0", "F32")


class Scan(StrEnum):
    """What the hub's virus scanners found in a file."""

    SAFE = "safe"
    SUSPICIOUS = "suspicious"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"
    """Not scanned yet, or the hub says nothing."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository at one commit.

    Attributes:
        path: In the repository, with "/" between names; safe to be joined to a folder.
        size: In bytes.
        sha256: Of its bytes, in lower case; None for the few files that the hub keeps without one.
    """

    path: str
    size: int
    sha256: str | None
    scan: Scan = Scan.UNKNOWN


@dataclass(frozen=True, slots=True)
class Variant:
    """One model of a repository, as it is stored in one way.

    Attributes:
        quantization: As its name says, "Q4_K_M"; empty when the name says none.
        files: All of them, in order; one for most.
        projector: What it needs besides to see or hear.
    """

    quantization: str
    files: tuple[RemoteFile, ...]
    projector: RemoteFile | None = None

    @property
    def path(self) -> str:
        """Return the path of the first file."""
        return self.files[0].path

    @property
    def name(self) -> str:
        """Return the first file's name without part number and ending: what tells it from all others."""
        name = PurePosixPath(self.path).name
        part = _PART.fullmatch(name)
        return part["stem"] if part else name[: -len(".gguf")]

    @property
    def size(self) -> int:
        """Return the bytes of its files, without the projector."""
        return sum(file.size for file in self.files)

    @property
    def scan(self) -> Scan:
        """Return the worst that was found in its files."""
        return _worst(self.files)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit.

    Attributes:
        name: "maker/name", as the hub writes it.
        commit: 40 hexadecimal digits; everything else here is true of this commit.
        license: Its short name, "apache-2.0"; empty when nothing is said.
        gated: Whether its maker wants to know who gets it.
        accessible: Whether the files may be read with the token there is; True for most.
        downloads: In the last 30 days.
        base_models: "maker/name" of what it was made from.
        architecture: As in the GGUF header, "llama"; empty when the hub says nothing.
        parameters: Weights of the model; 0 when the hub says nothing.
        context: Tokens it was trained to see at once; 0 when the hub says nothing.
        variants: The models, smallest first.
        projectors: All of them; each variant has the one that fits it best.
    """

    name: str
    commit: str
    license: str
    gated: bool
    accessible: bool
    downloads: int
    likes: int
    created: datetime | None
    modified: datetime | None
    base_models: tuple[str, ...]
    tags: tuple[str, ...]
    architecture: str
    parameters: int
    context: int
    variants: tuple[Variant, ...]
    projectors: tuple[RemoteFile, ...]

    @property
    def maker(self) -> str:
        """Return who published it."""
        return self.name.partition("/")[0]

    @property
    def scan(self) -> Scan:
        """Return the worst that was found in the files of its models."""
        return _worst([*self.projectors, *(file for variant in self.variants for file in variant.files)])

    def choose(self, wanted: str = "") -> Variant:
        """Return the variant that a person names.

        Args:
            wanted: A quantization ("Q4_K_M", also where the files say "UD-Q4_K_M"), the name of a file or
                its path; empty when there is only one to choose from. Capital letters do not matter.

        Raises:
            HubError: NO_GGUF, NO_SUCH_VARIANT, AMBIGUOUS or UNSAFE_NAME.
        """
        if not self.variants:
            raise HubError(HubProblem.NO_GGUF, "no .gguf file", self.name)
        if "/" in wanted or "\\" in wanted:
            check_path(wanted)
        found = _named(self.variants, wanted) if wanted else self.variants
        if len(found) == 1:
            return found[0]
        problem = HubProblem.AMBIGUOUS if found else HubProblem.NO_SUCH_VARIANT
        detail = f"{len(found)} of {len(self.variants)} variants of {self.name} match {wanted!r}"
        raise HubError(problem, detail, wanted or self.name, choices=_labels(found or self.variants))


def _named(variants: Sequence[Variant], wanted: str) -> list[Variant]:
    """Return the variants that `wanted` names in the most exact of several ways."""
    text = wanted.casefold()
    ways = (
        lambda each: text in {file.path.casefold() for file in each.files},
        lambda each: text in {each.name.casefold(), f"{each.name}.gguf".casefold()},
        lambda each: text == each.quantization.casefold(),
        lambda each: text == each.quantization.removeprefix("UD-").casefold(),
    )
    return next((found for way in ways if (found := [each for each in variants if way(each)])), [])


def _labels(variants: Sequence[Variant]) -> tuple[str, ...]:
    """Return what tells the variants apart: their quantizations where these do, else their names."""
    labels = tuple(variant.quantization for variant in variants)
    return (
        labels if all(labels) and len(set(labels)) == len(labels) else tuple(each.name for each in variants)
    )


def group(files: Iterable[RemoteFile]) -> tuple[tuple[Variant, ...], tuple[RemoteFile, ...]]:
    """Group the GGUF files of a repository.

    A model in several files is one variant, and none when one of them is missing. Importance matrices and
    files in other formats are left out.

    Returns:
        The variants, smallest first, and the projectors.

    Raises:
        HubError: UNSAFE_NAME, for any GGUF file.
    """
    single: list[RemoteFile] = []
    parts: defaultdict[tuple[str, int], dict[int, RemoteFile]] = defaultdict(dict)
    projectors: list[RemoteFile] = []
    for file in files:
        if not file.path.lower().endswith(".gguf"):
            continue
        check_path(file.path)
        name = PurePosixPath(file.path).name
        if _PROJECTOR.search(name[: -len(".gguf")]):
            projectors.append(file)
        elif _NO_MODEL.search(name[: -len(".gguf")]) and not naming.quantization(name):
            continue
        elif (part := _PART.fullmatch(file.path)) and int(part["total"]) > 1:
            parts[part["stem"], int(part["total"])][int(part["number"])] = file
        else:
            single.append(file)
    whole = [
        tuple(file for _, file in sorted(found.items()))
        for (_, total), found in parts.items()
        if sorted(found) == list(range(1, total + 1))
    ]
    variants = [
        Variant(naming.quantization(files[0].path), files, _projector_for(files[0], projectors))
        for files in [*whole, *((file,) for file in single)]
    ]
    return tuple(sorted(variants, key=lambda each: (each.size, each.path))), tuple(projectors)


def _projector_for(file: RemoteFile, projectors: Sequence[RemoteFile]) -> RemoteFile | None:
    """Return the projector that has most words of its name in common with the model's."""

    def words(path: str) -> set[str]:
        return set(re.split(r"[-._/]", path.casefold())) - {
            "gguf",
            "mmproj",
            "model",
            naming.quantization(path).casefold(),
        }

    def fitness(projector: RemoteFile) -> tuple[int, int, int]:
        stored = naming.quantization(projector.path)
        rank = _PROJECTOR_TYPES.index(stored) if stored in _PROJECTOR_TYPES else len(_PROJECTOR_TYPES)
        ours, theirs = words(file.path), words(projector.path)
        return len(ours & theirs), -len(theirs - ours), -rank

    return max(projectors, key=fitness, default=None)


def _worst(files: Iterable[RemoteFile]) -> Scan:
    order = (Scan.SAFE, Scan.UNKNOWN, Scan.SUSPICIOUS, Scan.UNSAFE)
    return max((file.scan for file in files), key=order.index, default=Scan.UNKNOWN)
