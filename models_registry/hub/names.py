"""Names at a hub: what a person may type for one, which are safe on every disk, which imitate another."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple, Self
from urllib.parse import unquote

from models_registry.hub.errors import HubError, HubProblem

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_ADDRESS = re.compile(r"https?://[^/?#]+(?P<path>[^?#]*)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Windows: "Naming Files, Paths, and Namespaces"; the digits may be superscripts.
_DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = set('<>:"|?*\\')
_LONGEST = 255  # bytes of a name, on nearly every file system


class Reference(NamedTuple):
    """What a person names: a repository, and perhaps what in it.

    Attributes:
        repository: "maker/name".
        revision: A branch, tag or commit; empty for the usual one.
        wanted: A quantization or the path of a file; empty when nothing is said.
    """

    repository: str
    revision: str = ""
    wanted: str = ""

    @classmethod
    def of(cls, text: str) -> Self | None:
        """Read "maker/name", "maker/name:Q4_K_M", or the address of a repository or file at any hub.

        Returns:
            None when it is none of these, as for words to search for.
        """
        text = text.strip()
        address = _ADDRESS.match(text)
        path, _, wanted = (address["path"], "", "") if address else text.partition(":")
        maker, name, *rest = (unquote(path).strip("/") + "/").split("/")
        if not _REPOSITORY.fullmatch(f"{maker}/{name}") or ".." in name + maker:
            return None
        rest = rest[:-1]
        if not address:
            return cls(f"{maker}/{name}", "", wanted) if not rest and " " not in wanted else None
        if len(rest) >= 2 and rest[0] in ("tree", "blob", "resolve", "raw", "commit"):
            file = "/".join(rest[2:]) if rest[0] in ("blob", "resolve", "raw") else ""
            return cls(f"{maker}/{name}", rest[1], file)
        return cls(f"{maker}/{name}")


def is_commit(text: object) -> bool:
    """Return whether `text` names one commit for ever, in 40 hexadecimal digits."""
    return isinstance(text, str) and bool(_COMMIT.fullmatch(text))


def check_repository(name: str) -> None:
    """Refuse a name that cannot be that of a repository, or that no folder can have.

    Raises:
        HubError: UNSAFE_NAME or NOT_FOUND.
    """
    check_path(name)
    if not _REPOSITORY.fullmatch(name):
        raise HubError(HubProblem.NOT_FOUND, "a repository is named maker/name", name)


def check_path(path: str) -> None:
    """Refuse a path that leads out of the folder it is put into, or that some system cannot store.

    Args:
        path: Relative, with "/" between the names.

    Raises:
        HubError: UNSAFE_NAME.
    """
    for name in path.split("/"):
        if reason := _unsafe(name):
            raise HubError(HubProblem.UNSAFE_NAME, f"{path!r}: {reason}", path)


def _unsafe(name: str) -> str:
    """Return what is wrong with one name of a path; empty when nothing is."""
    if not name or name in (".", ".."):
        return "leads elsewhere"
    # Not printable: control characters, and those that turn the direction of writing.
    if not name.isprintable() or _FORBIDDEN & set(name):
        return "a character that no name can have"
    if name.endswith((".", " ")) or name.startswith((" ", "~")):
        return "begins or ends as no name can"
    if _DEVICES.fullmatch(name):
        return "the name of a device"
    if len(name.encode(errors="surrogatepass")) > _LONGEST:
        return f"longer than {_LONGEST} bytes"
    return ""


# What looks alike in the letters that such names have.
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "-": None, "_": None, ".": None})
_WORD = re.compile(r"[a-z]{6,}")


def near_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the well-known names that `name` could be mistaken for; those that it has are none.

    A maker is near another one that looks alike ("unsIoth") or is one letter away ("bartowsky"). The name of
    a model is near another one only if it looks alike or if one long word of it is one letter away, because
    honest names differ by little: "3b" and "4b", "it" and "pt".

    Args:
        name: "maker/name", or a maker alone.
        known: Likewise.
    """
    maker, _, model = name.partition("/")
    pairs = [each.partition("/")[::2] for each in known]
    if maker.casefold() in {own.casefold() for own, _ in pairs}:
        return ()
    makers = [own for own, _ in pairs if _imitates_maker(maker, own)]
    models = [f"{own}/{each}" for own, each in pairs if model and each and _imitates_model(model, each)]
    return tuple(dict.fromkeys(makers + models))


def _imitates_maker(name: str, known: str) -> bool:
    ours, theirs = name.casefold(), known.casefold()
    return _skeleton(ours) == _skeleton(theirs) or (len(theirs) > 3 and _one_edit(ours, theirs))


def _imitates_model(name: str, known: str) -> bool:
    ours, theirs = name.casefold(), known.casefold()
    if ours == theirs:  # most makers of GGUF files name theirs after the model
        return False
    if _skeleton(ours) == _skeleton(theirs):
        return re.sub("[-_.]", "", ours) != re.sub("[-_.]", "", theirs)
    words, others = re.split("[-_.]", ours), re.split("[-_.]", theirs)
    if len(words) != len(others):
        return False
    changed = [pair for pair in zip(words, others, strict=True) if pair[0] != pair[1]]
    return len(changed) == 1 and bool(_WORD.fullmatch(changed[0][1])) and _one_edit(*changed[0])


def _skeleton(name: str) -> str:
    """Return what is left of a name when letters that look alike are one."""
    plain = unicodedata.normalize("NFKD", name).translate(_ALIKE)
    return plain.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def _one_edit(one: str, other: str) -> bool:
    """Return whether one letter put in, left out, replaced or swapped with the next is all that differs."""
    if one == other:
        return False
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) == 1 or (len(one) == len(other) == 2 and one == other[::-1])
