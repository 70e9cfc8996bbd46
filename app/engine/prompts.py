"""How a request becomes the tokens that a model reads."""

from collections import OrderedDict
from pathlib import Path

from app.domain.errors import UserError
from app.domain.generation import Request
from app.domain.language import _
from app.engine.fitting import Counts, Sheet
from app.engine.model import LoadedModel
from app.engine.template import Segment

_REMEMBERED_ANSWERS = 256


class Prompts:
    """Remembers the tokens that answers were written in, and what it has counted.

    Read back from their text answers can come out in other tokens, and the cache would no longer match.
    """

    def __init__(self) -> None:
        self._written: OrderedDict[tuple[Path, str], list[int]] = OrderedDict()
        self._counts = Counts()

    def forget(self) -> None:
        """Forget all answers."""
        self._written.clear()

    def segments(self, model: LoadedModel, request: Request) -> list[Segment]:
        """Return the conversation of `request` as the model's chat template lays it out."""
        variables = request.settings.template_variables
        if request.continues:
            return model.template.resume(request.turns, variables)
        return model.template.render(request.turns, variables)

    def tokens(self, model: LoadedModel, segments: list[Segment]) -> list[int]:
        """Return the tokens of a conversation that was laid out.

        Raises:
            UserError: When there are none.
        """
        tokens = model.prompt(segments, lambda text: self._written.get((model.path, text.strip())))
        if not tokens:
            raise UserError(
                _("The model could not turn this conversation into tokens."),
                _("The model's file may be damaged; downloading it again often helps."),
                "choose-model",
            )
        return tokens

    def read(self, model: LoadedModel, request: Request) -> list[int]:
        """Return the tokens of `request`.

        Raises:
            UserError: When there are none.
        """
        return self.tokens(model, self.segments(model, request))

    def sheet(self, model: LoadedModel, request: Request, size: int) -> Sheet:
        """Return a request with a window, laid out for a context of `size` tokens."""
        return Sheet(model, request, size, self._counts)

    def go_on_with(self, model: LoadedModel, begun: str) -> list[int]:
        """Return the tokens of an answer that is to be continued; empty when it has yet to begin."""
        if not begun.strip():
            return []
        key = (model.path, begun.strip())
        # As the model would have written it, where that is not known.
        return self._written.setdefault(key, model.tokenize(begun, special=False))

    def remember(self, model: LoadedModel, text: str, tokens: list[int]) -> None:
        """Know in which tokens an answer was written."""
        self._written[model.path, text.strip()] = tokens
        if len(self._written) > _REMEMBERED_ANSWERS:
            self._written.popitem(last=False)
