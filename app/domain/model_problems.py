"""What is wrong with a model's file, as a sentence for the person who picked it."""

from app.domain.errors import UserError
from app.domain.language import _
from models_registry.errors import ModelFileError, Problem


def explain(error: ModelFileError, file_name: str) -> UserError:
    """Say in the user's language what is wrong with the file and what to do."""
    message, hint = _sentences(error)
    return UserError(message.format(file=file_name), hint, "choose-model")


def _sentences(error: ModelFileError) -> tuple[str, str]:
    again = _("Downloading the file again often helps.")
    other = _("Choose another file: models for Fireside end in .gguf.")
    chat = _("Choose a model that is made for chat.")
    match error.problem:
        case Problem.MISSING:
            return _("“{file}” cannot be found."), _("Put the file back, or choose another one.")
        case Problem.NOT_A_FILE:
            return _("“{file}” is not a file."), other
        case Problem.UNREADABLE:
            return _("“{file}” cannot be read."), _(
                "Check that its disk is connected and that you may read the file."
            )
        case Problem.NOT_GGUF:
            return _("“{file}” is not a GGUF model."), other
        case Problem.BIG_ENDIAN:
            return _("“{file}” was made for another kind of processor."), _(
                "Look for its little-endian version."
            )
        case Problem.UNSUPPORTED_VERSION:
            return _("“{file}” uses a version of GGUF that is too old or too new."), _(
                "Look for another copy of the model, or a newer version of Fireside."
            )
        case Problem.UNSUPPORTED_FEATURE:
            return (
                _("“{file}” uses a feature that this version of Fireside does not support."),
                _("A newer version of Fireside may support it."),
            )
        case Problem.TRUNCATED:
            return _("“{file}” is incomplete: it ends too early."), again
        case Problem.CORRUPT:
            return _("“{file}” is damaged."), again
        case Problem.SHARD_MISSING:
            return _("“{file}” is one part of a model, and other parts are missing."), _(
                "Put all parts of the model into the same folder."
            )
        case Problem.NOT_FIRST_SHARD:
            return _("“{file}” is not the first part of its model."), _(
                "Choose the first part instead, with 00001 in its name."
            )
        case Problem.PROJECTOR:
            return _("“{file}” is only the part of a model for images or sound (mmproj)."), _(
                "Choose the file of the model itself."
            )
        case Problem.ADAPTER:
            return _("“{file}” is an adapter, which works only together with a model."), _(
                "Choose the model that it was made for."
            )
        case Problem.NOT_FOR_CHAT:
            return _("“{file}” is a model for search or translation, which cannot chat."), chat
        case Problem.NOT_A_MODEL:
            return _("“{file}” does not contain a language model."), chat
