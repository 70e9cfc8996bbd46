"""What the header of a GGUF file says about the model in it."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from models_registry import naming
from models_registry.tensor_types import FALLBACKS, FILE_TYPE_GUESSED, FILE_TYPES, TensorType

Value = bool | int | float | str | tuple[bool, ...] | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor, as listed in the header.

    Attributes:
        shape: Elements per dimension, fastest first; one to four dimensions.
        offset: Bytes from the beginning of the file that holds it.
        size: Bytes in the file.
    """

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int
    size: int

    @property
    def elements(self) -> int:
        """Return how many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """A model file that was read and found sound.

    Attributes:
        path: The file, or the first one of several.
        parts: Every file of the model, in order; `path` alone for most.
        file_size: Bytes of all parts together.
        version: Of the GGUF format, 2 or 3.
        metadata: Every scalar and string by key, and arrays of at most 512 elements as tuples; longer ones
            (the vocabulary) are checked and left out. Strings end at their first NUL, as for llama.cpp.
        tensors: Of all parts, in the order of the files.
    """

    path: Path
    parts: tuple[Path, ...]
    file_size: int
    version: int
    metadata: dict[str, Value]
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        """Return `general.architecture`, such as "llama"; whether the engine knows it is not checked."""
        return self._text("general.architecture")

    @property
    def name(self) -> str:
        """Return what to call the model: "SmolLM2 135M Instruct". Never empty."""
        return naming.display_name(self.metadata, self.path)

    @property
    def quantization(self) -> str:
        """Return how the weights are stored, as the field writes it: "Q4_K_M", "F16".

        `general.file_type` says so; where no tensor bears it out, the type of most weights does.
        """
        elements: Counter[str] = Counter()
        for tensor in self.tensors:
            elements[tensor.type.name] += tensor.elements if len(tensor.shape) > 1 else 0
        most = elements.most_common(1)[0][0]
        stated = self._number("general.file_type", -1) & ~FILE_TYPE_GUESSED
        label, expected = FILE_TYPES.get(stated, (most, most))
        present = {name for name, count in elements.items() if count}
        if expected in ("F32", "F16", "BF16"):
            return label if most == expected else most
        return label if present & {expected, *FALLBACKS.get(expected, ())} else most

    @property
    def parameter_count(self) -> int:
        """Return how many weights the model has, all tensors together."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def weights_size(self) -> int:
        """Return the bytes of all tensors: what the weights take in memory."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def context_length(self) -> int:
        """Return how many tokens the model was trained to see at once; 0 when unknown."""
        return self._number(f"{self.architecture}.context_length")

    @property
    def block_count(self) -> int:
        """Return the number of layers, 1 to 512."""
        return self._number(f"{self.architecture}.block_count")

    @property
    def embedding_length(self) -> int:
        """Return the width of the model's hidden state; 0 when unknown."""
        return self._number(f"{self.architecture}.embedding_length")

    @property
    def chat_template(self) -> str:
        """Return the Jinja source of the chat template; empty for a base model. Untrusted."""
        return self._text("tokenizer.chat_template")

    @property
    def is_base(self) -> bool:
        """Return whether the model was not made for chat: it has no chat template."""
        return not self.chat_template

    @property
    def license(self) -> str:
        """Return `general.license`, such as "apache-2.0"; empty when the file says nothing."""
        return self._text("general.license")

    @property
    def size_label(self) -> str:
        """Return `general.size_label`, such as "135M" or "8x7B"; empty when the file says nothing."""
        return self._text("general.size_label")

    def _text(self, key: str) -> str:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def _number(self, key: str, default: int = 0) -> int:
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else default
