"""Why a model cannot be found or fetched, as a sentence for the person who wants it."""

from app.domain.errors import UserError
from app.domain.language import _
from models_registry.hub.errors import HubError, HubProblem
from models_registry.transfer import TransferError, Trouble


def explain(error: HubError | TransferError, name: str = "", mirror: str = "") -> UserError:
    """Say in the user's language what stands in the way, and what to do.

    Args:
        error: What was raised.
        name: What the person calls what they wanted; needed for a `TransferError`.
        mirror: The address that is set instead of the usual hub; empty for none.
    """
    if isinstance(error, TransferError):
        message, hint = _transfer(error)
        return UserError(message.format(name=name, size=_gigabytes(error.missing)), hint)
    message, hint = _reach(error.problem, mirror) or _refused(error.problem) or _missing(error)
    choices = _(", ").join(error.choices)
    return UserError(
        message.format(subject=error.subject, status=error.status, choices=choices, mirror=mirror),
        hint.format(subject=error.subject, choices=choices),
    )


def _gigabytes(size: int) -> str:
    return f"{max(size, 100_000_000) / 1e9:.1f} GB"


def _transfer(error: TransferError) -> tuple[str, str]:
    match error.trouble:
        case Trouble.NO_SPACE if error.missing:
            return _("There is not enough room on the disk for “{name}”: {size} are missing."), _(
                "Make room, then go on with the download; what has arrived is kept."
            )
        case Trouble.NO_SPACE:
            return _("The disk is full."), _(
                "Make room, then go on with the download; what has arrived is kept."
            )
        case Trouble.UNWRITABLE:
            return _("The folder of models cannot be written to."), _(
                "Check that its disk is connected and that you may write there."
            )
        case Trouble.WRONG_SIZE:
            return _("“{name}” has another size than the hub says."), _(
                "Its maker may be replacing the file just now: try again later."
            )
        case Trouble.WRONG_BYTES:
            return _("“{name}” arrived damaged, twice: its bytes are not the ones that the hub names."), _(
                "Something on the way changes them, such as a proxy or a mirror: try another network."
            )
        case Trouble.IN_USE:
            return _("Another Fireside is downloading “{name}” already."), _("Wait until it is done.")


def _reach(problem: HubProblem, mirror: str) -> tuple[str, str] | None:
    """Return what to say when the hub could not be asked."""
    match problem:
        case HubProblem.OFFLINE | HubProblem.TIMEOUT if mirror:
            return _("The mirror “{mirror}” cannot be reached."), _(
                "Check the connection to the internet and the address, or go back to the usual hub."
            )
        case HubProblem.OFFLINE:
            return _("The hub cannot be reached."), _(
                "Check the connection to the internet, or set a mirror or a proxy."
            )
        case HubProblem.TIMEOUT:
            return _("The hub does not answer."), _("Try again, or set a mirror that is closer.")
        case HubProblem.PROXY:
            return _("The proxy does not work."), _("Check its address, and whether it wants a password.")
        case HubProblem.TLS:
            return _("The connection to the hub is not secure: it cannot prove who it is."), _(
                "A virus scanner or a company's network may read along. Ask who runs it, or try another one."
            )
        case HubProblem.ADDRESS:
            return _("“{subject}” is not the address of a hub."), _("An address begins with “https://”.")
        case HubProblem.ANSWER:
            return _("What answered is not a hub of models."), _(
                "Check the address of the mirror. In a hotel or café, log in with your browser first."
            )
        case HubProblem.SERVER:
            return _("The hub has trouble of its own (status {status})."), _("Try again later.")
        case HubProblem.RATE_LIMITED:
            return _("The hub has had too many requests from here."), _("Wait some minutes, then try again.")
    return None


def _refused(problem: HubProblem) -> tuple[str, str] | None:
    """Return what to say when the hub would not give it."""
    match problem:
        case HubProblem.BAD_TOKEN:
            return _("The hub does not accept your access token."), _(
                "Make a new one on its page of settings, and enter it in Fireside."
            )
        case HubProblem.GATED:
            return _("The maker of “{subject}” wants to know who downloads it."), _(
                "Accept the terms on its page, then enter an access token of your account in Fireside."
            )
        case HubProblem.NOT_FOUND:
            return _("There is no repository “{subject}”, or it is private."), _(
                "Check the name; it looks like “maker/model”."
            )
        case HubProblem.DISABLED:
            return _("The hub has closed “{subject}”."), _("Look for the same model from another maker.")
        case HubProblem.UNSAFE_NAME:
            return _("“{subject}” is not a safe name for a file, so Fireside does not download it."), _(
                "Look for the same model from another maker."
            )
    return None


def _missing(error: HubError) -> tuple[str, str]:
    """Return what to say when the hub does not have it."""
    match error.problem:
        case HubProblem.NO_SUCH_REVISION:
            return _("This version of “{subject}” is no longer there."), _("Choose the model anew.")
        case HubProblem.NO_GGUF:
            return _("“{subject}” holds no model in the GGUF format."), _(
                "Look for the same name with “GGUF” behind it."
            )
        case HubProblem.NO_SUCH_VARIANT if error.choices:
            return _("There is no “{subject}” of this model."), _("There are: {choices}.")
        case HubProblem.AMBIGUOUS:
            return _("“{subject}” could be several models."), _("Name one of them: {choices}.")
        case HubProblem.CHANGED:
            return _("“{subject}” was replaced while it was being downloaded."), _("Choose the model anew.")
    return _("“{subject}” is not at the hub."), _("Choose the model anew.")
