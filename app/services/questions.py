"""One question outside of any chat: nothing of it is kept."""

from app.domain.errors import UserError
from app.domain.generation import Job, Request, Turn
from app.domain.language import _
from app.domain.model import Model
from app.domain.settings import Settings
from app.engine.worker import Engine


class Questions:
    """Asks the engine directly."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, model: Model, prompt: str, system: str, settings: Settings) -> Job:
        """Have `model` answer `prompt`, told how to behave by `system` unless it is empty.

        Raises:
            UserError: For an empty prompt, or a setting out of range.
        """
        if not prompt.strip():
            raise UserError(_("The question is empty."), _("Write something first."))
        turns = [Turn("system", system)] if system.strip() else []
        return self._engine.submit(Request(model.path, (*turns, Turn("user", prompt)), settings.checked()))
