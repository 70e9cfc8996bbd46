"""A small model that guesses ahead for a large one."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from app.domain.errors import UserError
from app.domain.language import _
from app.engine.context import Aborted, Context, NoSlot, Part
from app.engine.logits import view
from app.engine.model import LoadedModel
from app.engine.prefix import common_length
from app.engine.speculation import MOST
from models_registry.fit import choose
from models_registry.gguf import read_header


class DraftModel:
    """A model with the vocabulary of another, and a context of its own with sequences for several answers."""

    def __init__(
        self, path: Path, large: LoadedModel, context: int, threads: int, interrupt: bytearray, *, gpu: bool
    ) -> None:
        """Load `path` to guess for `large`.

        Args:
            path: A GGUF file that has been let in.
            large: The model it guesses for.
            context: Tokens that the large one sees at once. Beyond what the small one was trained for,
                nothing is guessed.
            threads: CPU threads.
            interrupt: See `Context.watch`.
            gpu: Whether there is a GPU.

        Raises:
            UserError: When it cannot be loaded, or speaks in other tokens.
        """
        self._model = LoadedModel(path, lambda _fraction: True)
        self._context: Context | None = None
        try:
            _require_same_vocabulary(self._model, large)
            trained = self._model.trained_context or context
            layout = choose(read_header(path), min(context, trained), whole_window=True, gpu=gpu)
            self._context = Context(self._model, layout, threads)
            self._context.watch(interrupt)
        except BaseException:
            self.close()
            raise
        # What each sequence holds, the one used last at the end.
        self._held: OrderedDict[int, list[int]] = OrderedDict(
            (number, []) for number in range(self._context.layout.sequences)
        )

    def close(self) -> None:
        """Give the memory back."""
        if self._context:
            self._context.close()
            self._context = None
        self._model.close()

    def draft(self, tokens: Sequence[int], most: int) -> list[int]:
        """Return the `most` tokens that are likeliest one after the other; fewer at the end of its context.

        Args:
            tokens: Everything so far, at least one.
            most: Tokens.
        """
        context = self._context
        if context is None or len(tokens) + most > context.size:
            return []
        sequence, guessed = self._sequence_for(context, tokens), list[int]()
        held = self._held[sequence]
        new = list(tokens[len(held) :])
        while len(guessed) < most:
            try:
                self._read(context, sequence, new)
            except NoSlot:
                other = next((each for each in self._held if self._held[each] and each != sequence), None)
                if other is None:
                    break
                self._cut(context, other, 0)
                new = [*tokens, *guessed][len(held) :]
                continue
            except Aborted:
                self._cut(context, sequence, len(held))
                return []
            token = int(view(context, -1, self._model.vocabulary_size).argmax())
            if self._model.is_end(token):
                break
            guessed.append(token)
            new = [token]
        return guessed

    def _sequence_for(self, context: Context, tokens: Sequence[int]) -> int:
        """Return a sequence that holds a beginning of `tokens`, at most all but the last of them.

        One that would lose more than wrong guesses belongs to another answer, and only shares its beginning.
        """
        shared, found = max(
            (min(common_length(held, tokens), len(tokens) - 1), number) for number, held in self._held.items()
        )
        chosen = found
        if len(self._held[found]) - shared > MOST:
            chosen = next(number for number in self._held if number != found)
            self._cut(context, chosen, 0)
            if context.rolls_back:
                context.copy(found, chosen, shared)
                self._held[chosen] = self._held[found][:shared]
        self._cut(context, chosen, min(shared, len(self._held[chosen])))
        self._held.move_to_end(chosen)
        return chosen

    def _cut(self, context: Context, sequence: int, length: int) -> None:
        """Forget what `sequence` holds from `length` on; all of it when its memory cannot do that."""
        if not length or not context.forget(sequence, length):
            context.forget(sequence)
            length = 0
        del self._held[sequence][length:]

    def _read(self, context: Context, sequence: int, tokens: list[int]) -> None:
        held, step = self._held[sequence], context.layout.ubatch
        for start in range(0, len(tokens), step):
            chunk = tokens[start : start + step]
            last = start + len(chunk) == len(tokens)
            context.decode([Part(sequence, len(held), chunk, int(last))])
            held += chunk


def _require_same_vocabulary(small: LoadedModel, large: LoadedModel) -> None:
    """Raise UserError unless every token means the same to both."""
    same = small.vocabulary_size == large.vocabulary_size and all(
        small.piece(token) == large.piece(token) and small.is_end(token) == large.is_end(token)
        for token in range(small.vocabulary_size)
    )
    if not same:
        raise UserError(
            _(
                "“{small}” cannot guess ahead for “{large}”: the two models have different vocabularies."
            ).format(small=small.path.name, large=large.path.name),
            _("Choose a small model of the same family."),
        )
