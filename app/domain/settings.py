"""How an answer is written: the samplers, and what else shapes it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from app.domain.errors import UserError
from app.domain.language import _

MAX_SEED = 2**32 - 2  # 2**32 - 1 asks llama.cpp for a random one


@dataclass(frozen=True, slots=True)
class Settings:
    """How an answer is sampled, in llama.cpp's terms; neutral values switch a sampler off.

    Attributes:
        temperature: 0 takes the likeliest token; above 0 flattens (> 1) or sharpens (< 1).
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the likeliest tokens that together reach this probability; 1 keeps all.
        min_p: Keep tokens at least this fraction as likely as the likeliest; 0 keeps all.
        repeat_penalty: Divide the logits of tokens among the last `repeat_last_n`; 1 is none.
        seed: None draws a fresh one; the one that was used is in `Stats.seed`.
        max_tokens: The most tokens to write; None stops only at the end of the context.
        context: Tokens the model can see at once; None leaves the choice to the engine.
        grammar: GBNF that the answer follows, from the rule "root"; empty for none.
        json_schema: JSON Schema, as JSON, that the answer is valid against; empty for none.
        probabilities: How many of the likeliest tokens to report with every token that is written.
        template_variables: What the chat template is given beside the messages, such as
            `enable_thinking`; names to JSON values.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    seed: int | None = None
    max_tokens: int | None = None
    context: int | None = None
    grammar: str = ""
    json_schema: str = ""
    probabilities: int = 0
    template_variables: Mapping[str, Any] = field(default_factory=dict)

    def checked(self) -> Self:
        """Return self when every value is in range.

        Raises:
            UserError: Naming the first value that is not, and its range.
        """
        ranges: dict[str, tuple[float, float]] = {
            "temperature": (0, 5),
            "top_k": (0, 1_000_000),
            "top_p": (0, 1),
            "min_p": (0, 1),
            "repeat_penalty": (0.1, 5),
            "repeat_last_n": (0, 1_000_000),
            "seed": (0, MAX_SEED),
            "max_tokens": (1, 100_000_000),
            "context": (256, 100_000_000),
            "probabilities": (0, 100),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:  # also refuses NaN
                raise UserError(
                    _("{name} must lie between {low} and {high}, and {value} does not.").format(
                        name=name.replace("_", "-"), low=low, high=high, value=value
                    )
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote, also by an older or newer Fireside: unknown names are left out."""
        return replace(cls(), **{name: value for name, value in values.items() if name in _settings_names})


# Computed once: opening a long chat asks for it thousands of times.
_settings_names = frozenset(f.name for f in fields(Settings))
