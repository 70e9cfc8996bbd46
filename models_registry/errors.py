"""Why a model file cannot be used."""

from enum import StrEnum


class Problem(StrEnum):
    """What is wrong with a file; two problems differ where a person would be told something different."""

    MISSING = "missing"
    """There is nothing at this path (any more)."""
    NOT_A_FILE = "not_a_file"
    """A folder, a pipe or a device."""
    UNREADABLE = "unreadable"
    """It is there but cannot be read: permissions, or the disk or network failed."""
    NOT_GGUF = "not_gguf"
    """Some other kind of file."""
    BIG_ENDIAN = "big_endian"
    """A GGUF written for computers of the other byte order."""
    UNSUPPORTED_VERSION = "unsupported_version"
    """GGUF of another version than 2 and 3, or one of the formats before GGUF."""
    UNSUPPORTED_FEATURE = "unsupported_feature"
    """Sound, but of a tensor type or RoPE scaling that the engine does not know."""
    TRUNCATED = "truncated"
    """The file ends before it should: most often a download that was cut off."""
    CORRUPT = "corrupt"
    """The bytes contradict the format or each other."""
    SHARD_MISSING = "shard_missing"
    """One part of a model in several files, with another part missing beside it."""
    NOT_FIRST_SHARD = "not_first_shard"
    """A later part of a model in several files; the first one, which stands for all, is beside it."""
    PROJECTOR = "projector"
    """The part of another model that sees or hears (mmproj)."""
    ADAPTER = "adapter"
    """A LoRA adapter, which goes on top of a model."""
    NOT_FOR_CHAT = "not_for_chat"
    """A model that does not write word after word: one for search (embeddings), translation or diffusion."""
    NOT_A_MODEL = "not_a_model"
    """A GGUF that holds no language model: a vocabulary, an importance matrix, an image model."""


class ModelFileError(Exception):
    """A file that is not a model which can be used.

    Attributes:
        problem: The kind of trouble, to be said to the user in words.
        detail: The finding itself, technical and in English: which key, offset or bound.
    """

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(problem, detail)
        self.problem = problem
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.problem}: {self.detail}"
