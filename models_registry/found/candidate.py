"""What an app's folder says of a file, before the file itself is read."""

import re
from dataclasses import dataclass
from pathlib import Path

from models_registry.errors import ModelFileError
from models_registry.found.places import Source

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that should hold a model.

    Attributes:
        path: Absolute; of a model in several files the first one there is.
        name: What the app calls it; empty where only the file itself is named.
        sha256: What the app says about its bytes, in hexadecimal; None when it says nothing.
        projector: The file through which it sees or hears.
        problem: What is wrong with the app's own records, so that the file needs no look.
    """

    source: Source
    path: Path
    name: str = ""
    sha256: str | None = None
    projector: Path | None = None
    problem: ModelFileError | None = None
