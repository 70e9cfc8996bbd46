"""When the model of a chat cannot answer at once, and another one could."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.language import _
from app.domain.model import EngineStatus, Model
from app.ui.open_chat import OpenChat

_LONGEST = 28  # characters of a name on a button


@dataclass(frozen=True, slots=True)
class Instead:
    """What is so about the model of a chat, and which one could answer in its place.

    Attributes:
        text: A sentence.
        model: What could answer; None when nothing can.
        gone: The chat's own model cannot be used any more, so that a person may want to choose.
    """

    text: str
    model: Model | None
    gone: bool


def instead(
    shown: OpenChat, answering: Model | None, known: Sequence[Model], status: EngineStatus
) -> Instead | None:
    """Return what to say of the model that answers next in a chat; None when it simply can.

    Args:
        shown: The chat.
        answering: What answers next.
        known: All models on this computer.
        status: What the engine holds.
    """
    own = shown.chat.model_path if shown.chat else ""
    if own and not any(str(model.path) == own and not model.problem for model in known):
        problem = next((model.problem for model in known if str(model.path) == own), "")
        gone = _("{model}, which answered here last, is no longer on this computer.")
        return Instead(problem or gone.format(model=_name(shown, own)), answering, gone=True)
    ready = next(
        (model for path in status.in_memory for model in known if model.path == path and not model.problem),
        None,
    )
    if answering is None or ready is None or status.loading is not None:
        return None
    if answering.path in status.in_memory or answering.path == status.model:
        return None  # it is there, or has just been refused, which is said elsewhere
    text = _("{model} is not loaded; {other} is.").format(model=answering.name, other=ready.name)
    return Instead(text, ready, gone=False)


def answer_with(model: Model) -> str:
    """Return what is written on the button that has `model` answer."""
    name = model.name if len(model.name) <= _LONGEST else f"{model.name[: _LONGEST - 1].rstrip()}…"
    return _("Answer with {model}").format(model=name)


def _name(shown: OpenChat, path: str) -> str:
    """Return what the model of this file was called when it last answered."""
    wrote = (message.model for message in reversed(shown.tree.path(shown.tip)) if message.model)
    return next((model.name for model in wrote if model.path == path), Path(path).stem)
