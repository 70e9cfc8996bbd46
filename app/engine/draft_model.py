"""A small model that guesses ahead for a large one."""

from collections.abc import Sequence
from pathlib import Path

from llama_cpp import llama_cpp as api

from app.domain.errors import UserError
from app.domain.language import _
from app.engine.context import Aborted, Context, NoSlot, Part
from app.engine.model import LoadedModel
from app.engine.prefix import common_length
from models_registry.fit import choose
from models_registry.gguf import read_header


class DraftModel:
    """A model with the vocabulary of another, and a context of its own with one sequence."""

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
        self._held: list[int] = []

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
        shared = min(common_length(self._held, tokens), len(tokens) - 1)
        if shared < len(self._held) and not context.forget(0, shared):
            context.forget(0)
            shared = 0
        del self._held[shared:]
        guessed: list[int] = []
        new = list(tokens[shared:])
        while len(guessed) < most:
            try:
                self._read(context, new)
            except NoSlot:
                break
            except Aborted:
                context.forget(0, len(self._held))
                return []
            token = _likeliest(context)
            if self._model.is_end(token):
                break
            guessed.append(token)
            new = [token]
        return guessed

    def _read(self, context: Context, tokens: list[int]) -> None:
        step = context.layout.ubatch
        for start in range(0, len(tokens), step):
            chunk = tokens[start : start + step]
            last = start + len(chunk) == len(tokens)
            context.decode([Part(0, len(self._held), chunk, int(last))])
            self._held += chunk


def _likeliest(context: Context) -> int:
    sampler = api.llama_sampler_init_greedy()
    try:
        return int(api.llama_sampler_sample(sampler, context.handle, -1))
    finally:
        api.llama_sampler_free(sampler)


def _require_same_vocabulary(small: LoadedModel, large: LoadedModel) -> None:
    """Raise UserError unless every token means the same to both."""
    same = small.vocabulary_size == large.vocabulary_size and all(
        small.piece(token) == large.piece(token) and small.is_end(token) == large.is_end(token)
        for token in range(small.vocabulary_size)
    )
    if not same:
        raise UserError(
            _("“{small}” cannot guess ahead for “{large}”: they do not share one vocabulary.").format(
                small=small.path.name, large=large.path.name
            ),
            _("Choose a small model of the same family."),
        )
