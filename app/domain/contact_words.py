"""What Fireside has asked over the network, in words."""

from app.domain.language import _
from models_registry.hub.contacts import DONE, LED_ON, STOPPED, Purpose
from models_registry.hub.errors import HubProblem


def purpose_words(purpose: Purpose) -> str:
    """Say why somebody was asked."""
    return {
        Purpose.TEST: _("Tested the connection"),
        Purpose.SEARCH: _("Searched for models"),
        Purpose.PAGE: _("Looked at a model’s page"),
        Purpose.HEADER: _("Looked into a model’s file"),
        Purpose.FILE: _("Downloaded a model"),
    }[purpose]


def purpose_name(purpose: Purpose) -> str:
    """Say the same in a word or two."""
    return {
        Purpose.TEST: _("Test"),
        Purpose.SEARCH: _("Search"),
        Purpose.PAGE: _("Model page"),
        Purpose.HEADER: _("Model file"),
        Purpose.FILE: _("Download"),
    }[purpose]


def outcome_words(outcome: str) -> str:
    """Say how it ended; empty for what went well."""
    match outcome:
        case "":
            return _("goes on")
        case _ if outcome == DONE:
            return ""
        case _ if outcome == LED_ON:
            return _("named another server")
        case _ if outcome == STOPPED:
            return _("stopped from here")
        case HubProblem.OFFLINE:
            return _("no connection")
        case HubProblem.TIMEOUT:
            return _("no answer")
        case HubProblem.PROXY:
            return _("the proxy refused")
        case HubProblem.TLS:
            return _("not secure, so nothing was sent")
        case HubProblem.BAD_TOKEN:
            return _("the access token was refused")
        case HubProblem.RATE_LIMITED:
            return _("too many requests")
        case HubProblem.SERVER:
            return _("trouble at the server")
        case HubProblem.ANSWER:
            return _("an answer that makes no sense")
    return _("not there, or not for everyone")


def is_trouble(outcome: str) -> bool:
    """Return whether it ended otherwise than it should."""
    return outcome not in ("", DONE, LED_ON, STOPPED)
