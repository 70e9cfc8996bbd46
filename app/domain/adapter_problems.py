"""What is wrong with an adapter's file, as a sentence for the person who picked it."""

from app.domain.errors import UserError
from app.domain.language import _
from app.domain.model_problems import explain
from models_registry.adapter import AdapterError, Misfit
from models_registry.errors import ModelFileError, Problem


def explain_adapter(error: AdapterError | ModelFileError, file_name: str, architecture: str) -> UserError:
    """Say in the user's language why an adapter cannot be laid over a model.

    Args:
        error: What was found.
        file_name: Of the adapter.
        architecture: Of the model, as its file names it.
    """
    if isinstance(error, AdapterError):
        message, hint = _sentences(error.misfit)
        return UserError(
            message.format(file=file_name, subject=error.subject, architecture=architecture), hint
        )
    if error.problem is Problem.NOT_GGUF:
        return UserError(_("“{file}” is not a GGUF file.").format(file=file_name), _pick())
    problem = explain(error, file_name)
    return UserError(problem.message, problem.hint)


def _pick() -> str:
    return _("Choose a LoRA adapter in GGUF format.")


def _sentences(misfit: Misfit) -> tuple[str, str]:
    other = _("Choose an adapter that was made for exactly this model.")
    again = _("Downloading the file again often helps.")
    match misfit:
        case Misfit.MODEL:
            return _("“{file}” is a whole model, not an adapter."), _pick()
        case Misfit.OTHER_KIND:
            return _("“{file}” is not a LoRA adapter."), _pick()
        case Misfit.CONTROL_VECTOR:
            return _("“{file}” is a control vector, not a LoRA adapter."), _pick()
        case Misfit.ACTIVATED:
            return _(
                "“{file}” is an activated LoRA (aLoRA): it works for single tasks only, not for a whole chat."
            ), _pick()
        case Misfit.EMPTY:
            return _("“{file}” is an adapter without weights."), again
        case Misfit.ARCHITECTURE:
            return _(
                "“{file}” is made for the architecture {subject}, but this model is {architecture}."
            ), other
        case Misfit.UNKNOWN_TENSOR:
            return _("“{file}” does not fit this model, which has no tensor “{subject}”."), other
        case Misfit.SHAPE:
            return _("“{file}” does not fit this model: the tensor “{subject}” differs in size."), other
        case Misfit.HALF:
            return _("“{file}” is incomplete: one half of “{subject}” is missing."), again
        case Misfit.RANK:
            return _("“{file}” is damaged: the two halves of “{subject}” do not fit together."), again
        case Misfit.TYPE:
            return (
                _("“{file}” stores “{subject}” with a quantization that does not work in adapters."),
                _("Look for a version of the adapter in F16, BF16, F32 or Q8_0."),
            )
        case Misfit.FIXED:
            return _("“{file}” changes “{subject}”, which cannot be changed in this model."), other
        case Misfit.NOT_FINITE:
            return _("“{file}” is damaged: “{subject}” contains invalid numbers (NaN or infinity)."), again
