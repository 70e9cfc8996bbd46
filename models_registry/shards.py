"""The file names of a model that lies in several files: "name-00001-of-00003.gguf"."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

_NAME = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})\.gguf", re.DOTALL)


class Shard(NamedTuple):
    """One file of several.

    Attributes:
        number: From 1 to `total`.
        total: Files of the model, at least 2.
    """

    folder: Path
    stem: str
    number: int
    total: int

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Return what the name of `path` says, None when it is not that of a shard; no file need exist."""
        name = _NAME.fullmatch(path.name)
        if not name:
            return None
        number, total = int(name["number"]), int(name["total"])
        return cls(path.parent, name["stem"], number, total) if 1 <= number <= total and total > 1 else None

    def sibling(self, number: int) -> Path:
        """Return the path of another file of the same model."""
        return self.folder / f"{self.stem}-{number:05d}-of-{self.total:05d}.gguf"


def parts_of(path: Path) -> Iterator[Path]:
    """Yield the files of the model whose first one is `path`, up to a missing one; for most, `path` alone."""
    yield path
    shard = Shard.of(path)
    if shard and shard.number == 1:
        for number in range(2, shard.total + 1):
            if not (part := shard.sibling(number)).is_file():
                return
            yield part
