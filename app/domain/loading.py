"""How a model is brought into memory, beside its file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from app.domain.errors import UserError
from app.domain.language import _
from app.domain.rope_words import explain
from models_registry.fit import Layout, choose
from models_registry.header import Header
from models_registry.rope import Rope
from models_registry.rope import choose as choose_rotation
from models_registry.rope_options import EFFECTIVE, METHODS, RANGES, RopeError, RopeOptions

KV_TYPES = ("f16", "q8_0", "q4_0")

ROPE_METHODS = METHODS
ROPE_NUMBERS = tuple(RANGES)
"""The raw numbers of the rotation, the fields of `LoadOptions.rope` beside its method."""
ROPE_EFFECTS = EFFECTIVE
"""Those that matter for each method but "auto", for which it depends on the model."""
ROPE_RANGES = RANGES

WHOLE = {"threads": (1, 512), "gpu_layers": (0, 9999), "ubatch": (1, 65536)}
"""The lowest and the highest value of what is counted."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter: a GGUF file of its own, laid over the model; with `scale` 0 it changes nothing."""

    path: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Choices about memory and devices; None leaves one to the engine.

    Attributes:
        kv_type: Element type of the KV cache, one of `KV_TYPES`: 16, 8.5 and 4.5 bits an element.
        flash_attention: Attention without its table of scores: less memory, and faster on GPUs. Always on
            with a quantised KV cache.
        ubatch: Tokens that are computed at once while reading; the compute buffer grows with it.
        whole_window: Keep the KV cache of sliding-window layers beyond their window.
        mmap: Map the file instead of reading it, so that other programs share its pages.
        mlock: Hold the weights in memory; the system cannot page them out.
        gpu_layers: Layers on the GPU.
        threads: CPU threads.
        gentle: Use fewer threads while the computer is busy or runs on its battery.
        draft: A small model with the same vocabulary, which guesses ahead for this one.
        rope: How positions are rotated; by itself as the file says, and scaled beyond the trained length.
    """

    kv_type: str = "f16"
    flash_attention: bool | None = None
    ubatch: int = 512
    whole_window: bool = False
    mmap: bool = True
    mlock: bool = False
    gpu_layers: int | None = None
    threads: int | None = None
    gentle: bool = False
    draft: Path | None = None
    rope: RopeOptions = RopeOptions()  # noqa: RUF009 - frozen

    def layout(self, header: Header, context: int, *, gpu: bool) -> Layout:
        """Return how a context of so many tokens is laid out for the model of `header`.

        Args:
            header: Of the model's file.
            context: Tokens.
            gpu: Whether there is a GPU to compute on.

        Raises:
            UserError: When positions cannot be rotated for it.
        """
        return replace(self.cells(header, context, gpu=gpu), rope=self.rotation(header, context))

    def cells(self, header: Header, context: int, *, gpu: bool) -> Layout:
        """Return the layout without its rotation, which takes no memory; this is possible for any context."""
        return choose(
            header,
            context,
            kv_type=self.kv_type,
            flash_attention=self.flash_attention,
            ubatch=self.ubatch,
            whole_window=self.whole_window,
            gpu=gpu and self.gpu_layers != 0,
        )

    def rotation(self, header: Header, context: int) -> Rope:
        """Return how positions are rotated in a context of so many tokens.

        Raises:
            UserError: When that cannot be.
        """
        try:
            return choose_rotation(header, context, self.rope)
        except RopeError as error:
            raise explain(error) from error

    def checked(self) -> Self:
        """Return self when every value is in range and none contradicts another.

        Raises:
            UserError: Naming the first value that is not.
        """
        for name, (low, high) in WHOLE.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UserError(
                    _("{name} must be between {low} and {high}; {value} is not.").format(
                        name=name.replace("_", "-"), low=low, high=high, value=value
                    )
                )
        if self.flash_attention is False and self.kv_type != "f16":
            raise UserError(
                _("A KV cache of type {type} needs flash attention.").format(type=self.kv_type),
                _("Leave flash attention on, or use f16 for the KV cache."),
            )
        _check_rope(self.rope)
        return self


def rope_options(method: str, **numbers: float | None) -> RopeOptions:
    """Return how positions are to be rotated: one of `ROPE_METHODS`, with some of `ROPE_NUMBERS`.

    Raises:
        UserError: When a number is out of range, or contradicts another.
    """
    options = RopeOptions(method, **numbers)  # type: ignore[arg-type]
    _check_rope(options)
    return options


def _check_rope(options: RopeOptions) -> None:
    try:
        options.checked()
    except RopeError as error:
        raise explain(error) from error
