"""A model as the app offers it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.domain.language import _


class Origin(StrEnum):
    """How a model came to be on this computer."""

    STARTER = "starter"  # came with Fireside
    OWN = "own"  # lies in Fireside's own models folder
    LINKED = "linked"  # lies elsewhere and is used in place


@dataclass(frozen=True, slots=True)
class Model:
    """One GGUF file that can be picked.

    Attributes:
        name: What people call it: "SmolLM2 135M Instruct".
        quantization: As the field writes it: "Q4_K_M"; empty when unknown.
        size: Bytes of the file.
        context: Tokens it was trained to see at once; 0 when unknown.
        architecture: As in `general.architecture`.
        parameters: How many weights it has; 0 when unknown.
        license: As in `general.license`; empty when unknown.
        sha256: Of the whole file; empty until it has been computed.
        has_template: False for a base model.
        problem: Why it cannot be used, as a sentence; empty when it can.
        original_name: What it is called by itself; another one than `name` where a person has named it.
        repository: Where it was downloaded from, as "maker/name"; empty for other files.
        commit: Whose file it is; empty when unknown.
        changed: Its bytes are not the ones it came with.
        copies: Other files with the very same bytes, which are not listed by themselves.
    """

    path: Path
    name: str
    origin: Origin
    size: int
    quantization: str = ""
    architecture: str = ""
    parameters: int = 0
    context: int = 0
    license: str = ""
    sha256: str = ""
    has_template: bool = True
    problem: str = ""
    original_name: str = ""
    repository: str = ""
    commit: str = ""
    changed: bool = False
    copies: tuple[Path, ...] = ()

    @property
    def caution(self) -> str:
        """Return what a person should know before they talk to it; empty for a model made for chat."""
        if self.has_template:
            return ""
        return _(
            "This is a base model: it continues text rather than following instructions, "
            "so answers may ramble."
        )


@dataclass(frozen=True, slots=True)
class Use:
    """What the answers of a model have told.

    Attributes:
        used_at: When the last one ended, in seconds since 1970.
        writing, reading: Tokens a second on this computer; 0 when unknown.
    """

    used_at: float
    writing: float
    reading: float


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a chat template is told whether the model thinks before it answers.

    Attributes:
        variable: Of the template, such as "enable_thinking".
        on, off: Its values for thinking, or for more of it, and for not, or for less.
        usual: Whether the template asks for it when nothing is said.
    """

    variable: str
    on: str | int | bool
    off: str | int | bool
    usual: bool


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine holds right now; a new one replaces it with every `Changed(ENGINE)`.

    Attributes:
        model: The loaded file, or the one being loaded; None when there is none.
        loading: From 0 to 1 while the file is read; None when nothing is loading.
        context: Tokens the loaded model sees at once; 0 until it is loaded.
        trained_context: Tokens it was trained to see at once; 0 when unknown.
        has_template: False for a base model, which gets a plain dialogue format instead.
        template_notes: What the chat template cannot do and what is done instead, a sentence each.
        thinking: How the loaded model is told to think first or not; None when it cannot be told.
        error: Why the last load failed, as a sentence; empty otherwise.
        kept: The models beside this one that are in memory, too, and answer without being loaded.
    """

    model: Path | None = None
    loading: float | None = None
    context: int = 0
    trained_context: int = 0
    has_template: bool = True
    template_notes: tuple[str, ...] = ()
    thinking: Thinking | None = None
    error: str = ""
    kept: tuple["EngineStatus", ...] = ()

    @property
    def ready(self) -> bool:
        """Return whether a model is loaded and can answer."""
        return self.model is not None and self.loading is None and not self.error

    @property
    def in_memory(self) -> tuple[Path, ...]:
        """Return every model that answers without being loaded, the one used last first."""
        return tuple(each.model for each in (self, *self.kept) if each.model is not None and each.ready)

    def of(self, path: Path) -> "EngineStatus":
        """Return what is so of one model; of one that is not in memory, nothing is."""
        return next((each for each in (self, *self.kept) if each.model == path), EngineStatus())
