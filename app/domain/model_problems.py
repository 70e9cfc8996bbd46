"""What is wrong with a model's file, as a sentence for the person who picked it."""

from app.domain.errors import UserError
from app.domain.language import _
from models_registry.errors import ModelFileError, Problem


def explain(error: ModelFileError, file_name: str) -> UserError:
    """Say in the user's language what is wrong with the file and what to do."""
    message, hint = _sentences(error)
    return UserError(message.format(file=file_name), hint, "choose-model")


def _sentences(error: ModelFileError) -> tuple[str, str]:
    again = _("Getting the file again often helps.")
    other = _("Pick another file: models for Fireside end in .gguf.")
    match error.problem:
        case Problem.MISSING:
            return _("“{file}” is no longer where it was."), _("Put it back, or pick another model.")
        case Problem.NOT_A_FILE:
            return _("“{file}” is not a file."), other
        case Problem.UNREADABLE:
            return _("“{file}” cannot be read."), _("Check who may read it, and that its disk is connected.")
        case Problem.NOT_GGUF:
            return _("“{file}” is not a GGUF model."), other
        case Problem.BIG_ENDIAN:
            return _("“{file}” was made for another kind of processor."), _(
                "Look for its little-endian version."
            )
        case Problem.UNSUPPORTED_VERSION:
            return _("“{file}” is in a format that is too old or too new."), _(
                "Look for a newer copy of the model."
            )
        case Problem.UNSUPPORTED_FEATURE:
            return (
                _("“{file}” uses something that this version of Fireside does not know."),
                _("A newer version of Fireside may know it."),
            )
        case Problem.TRUNCATED:
            return _("“{file}” is incomplete: it ends too early."), again
        case Problem.CORRUPT:
            return _("“{file}” is damaged."), again
        case Problem.SHARD_MISSING:
            return _("“{file}” is one of several parts, and another part is missing."), _(
                "Put all parts in one folder."
            )
        case Problem.NOT_FIRST_SHARD:
            return _("“{file}” is a later part of a model."), _(
                "Pick its first part, the one with 00001 in its name."
            )
        case Problem.PROJECTOR:
            return _("“{file}” is only the part of a model that sees or hears."), _("Pick the model itself.")
        case Problem.ADAPTER:
            return _("“{file}” is an adapter, which goes on top of a model."), _("Pick the model itself.")
        case Problem.NOT_FOR_CHAT:
            return _("“{file}” is a model for search or translation, which cannot chat."), other
        case Problem.NOT_A_MODEL:
            return _("“{file}” holds no language model."), other
