"""One question outside of any chat: nothing of it is kept."""

from app.domain.errors import UserError
from app.domain.generation import Job, Request, Turn
from app.domain.language import _
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model
from app.domain.settings import Settings
from app.engine.worker import Engine


class Questions:
    """Asks the engine directly."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(
        self,
        model: Model,
        prompt: str,
        system: str,
        settings: Settings,
        options: LoadOptions | None = None,
        adapters: tuple[Adapter, ...] = (),
    ) -> Job:
        """Have `model` answer `prompt`, told how to behave by `system` unless it is empty.

        Args:
            model: What answers.
            prompt: The question.
            system: How the model should behave.
            settings: How to sample.
            options: How the model is loaded; None leaves it all to the engine.
            adapters: What is laid over the model.

        Raises:
            UserError: For an empty prompt, or a setting out of range.
        """
        if not prompt.strip():
            raise UserError(_("The question is empty."), _("Write something first."))
        turns = [Turn("system", system)] if system.strip() else []
        return self._engine.submit(
            Request(
                model.path,
                (*turns, Turn("user", prompt)),
                settings.checked(),
                options=options or LoadOptions(),
                adapters=adapters,
            )
        )
