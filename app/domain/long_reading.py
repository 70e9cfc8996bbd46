"""How well a model reads long texts: what was measured, and what that says in words."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from app.domain.generation import Job
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.rope_words import scaling_name

WELL, LESS, WORSE = 1.1, 1.35, 2.0
"""Up to which ratio of perplexities reading is as good, a little less good, and clearly worse."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What is asked of the engine.

    Attributes:
        model: Path of the GGUF file; loaded first when it is not in memory.
        context: Tokens that it is to see at once.
        options: How it is loaded, and how positions are scaled for this context.
        text: Real prose, of which as much is read as the context holds.
    """

    model: Path
    context: int
    options: LoadOptions
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence that was planted in the text, and what the model answered when it was asked for it.

    Attributes:
        depth: Where it stood: 0 the beginning of the text, 1 its end.
        code: What should have been answered.
        said: What was.
        found: Whether that is the code and nothing else.
    """

    depth: float
    code: str
    said: str
    found: bool


@dataclass(frozen=True, slots=True)
class LongReading:
    """How well a text was read. Perplexities: the lower, the better foreseen was what came next.

    Attributes:
        context: Tokens of the context that was asked for.
        tokens: Tokens of the text that were read: fewer where the text ends before the context does.
        trained: Tokens that the model was trained for without scaling; 0 when unknown.
        scaling: How positions were scaled, "none" for not at all; see `Rope.type`.
        factor: See `Rope.factor`.
        freq_base: See `Rope.freq_base`.
        step: Tokens of the text for each of the values in `scaled` and `unscaled`.
        scaled: Perplexity by position, as it was asked for.
        unscaled: The same without scaling; empty where that is no other.
        tail: Of how many last tokens the following values are.
        tail_scaled: Perplexity as it was asked for.
        tail_unscaled: Without scaling; None where that is no other.
        tail_inside: Of the same tokens, read unscaled within the trained length; None where that is no other.
        facts: Those that were planted, from the beginning of the text to its end.
        seconds: What all of it took.
    """

    context: int
    tokens: int
    trained: int
    scaling: str
    factor: float
    freq_base: float
    step: int
    scaled: tuple[float, ...]
    unscaled: tuple[float, ...]
    tail: int
    tail_scaled: float
    tail_unscaled: float | None
    tail_inside: float | None
    facts: tuple[Fact, ...]
    seconds: float

    @property
    def beyond(self) -> bool:
        """Return whether more was read than the model was trained for."""
        return 0 < self.trained < self.tokens

    @property
    def scaling_word(self) -> str:
        """Return how positions were scaled, in the field's words."""
        return scaling_name(self.scaling, self.factor)

    @property
    def found(self) -> int:
        """Return how many of the facts were found."""
        return sum(fact.found for fact in self.facts)

    @property
    def cost(self) -> float | None:
        """Return how many times worse the end was foreseen than it can be; None when nothing can be said."""
        best = self.tail_inside if self.beyond else self.tail_unscaled
        return self.tail_scaled / best if best else None

    @property
    def verdict(self) -> str:
        """Return what was seen, in one sentence."""
        cost = self.cost
        if not self.trained:
            return _("Its file does not say what it was trained for, so there is nothing to compare with.")
        if cost is None:
            return _(
                "It was trained for more than the {tokens:,} tokens of this test: nothing is scaled."
            ).format(tokens=self.tokens)
        if not self.beyond:
            words = (
                _("Scaled for {context:,} tokens, it reads shorter texts as well as without.")
                if cost <= WELL
                else _("Scaled for {context:,} tokens, it reads shorter texts worse than without.")
            )
            return words.format(context=self.context)
        return _by_cost(cost).format(tokens=self.tokens, trained=self.trained)

    @property
    def facts_sentence(self) -> str:
        """Return how many of the planted facts were found, in a sentence."""
        return _("It found {found} of {count} facts planted in the text.").format(
            found=self.found, count=len(self.facts)
        )

    @property
    def is_good(self) -> bool:
        """Return whether nothing speaks against reading at this length."""
        return (self.cost or 1.0) <= WELL

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: When it is not that.
        """
        facts = tuple(
            Fact(float(each["depth"]), str(each["code"]), str(each["said"]), bool(each["found"]))
            for each in values["facts"]
        )
        others = {name: values[name] for name in ("tail_unscaled", "tail_inside")}
        return cls(
            context=int(values["context"]),
            tokens=int(values["tokens"]),
            trained=int(values["trained"]),
            scaling=str(values["scaling"]),
            factor=float(values["factor"]),
            freq_base=float(values["freq_base"]),
            step=int(values["step"]),
            scaled=tuple(map(float, values["scaled"])),
            unscaled=tuple(map(float, values["unscaled"])),
            tail=int(values["tail"]),
            tail_scaled=float(values["tail_scaled"]),
            facts=facts,
            seconds=float(values["seconds"]),
            **{name: None if value is None else float(value) for name, value in others.items()},
        )


class ReadingJob(Job):
    """An examination on its way; events and end as of any job.

    Attributes:
        reading: What was measured, when the job has ended with Finished and was not cancelled.
    """

    reading: LongReading | None = None


def _by_cost(cost: float) -> str:
    if cost <= WELL:
        return _("It reads {tokens:,} tokens as well as the {trained:,} it was trained for.")
    if cost <= LESS:
        return _("It reads {tokens:,} tokens a little less well than the {trained:,} it was trained for.")
    if cost <= WORSE:
        return _("It reads {tokens:,} tokens clearly worse than the {trained:,} it was trained for.")
    return _("Beyond the {trained:,} tokens it was trained for it hardly understands what it reads.")
