"""Folders in which a database does not lie well: those that a program or a network carries about."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.domain.errors import UserError
from app.domain.language import _


class Kind(StrEnum):
    """What carries the folder about."""

    SYNCED = "synced"  # a program copies its files to other computers
    NETWORK = "network"  # it lies on another computer


@dataclass(frozen=True, slots=True)
class Risk:
    """Why the folder of the data is no good place; `name` is that of the service, or the type of disk."""

    kind: Kind
    name: str

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {"kind": self.kind.value, "name": self.name}


def risk_words(risk: Risk) -> UserError:
    """Return what is said of it, once."""
    if risk.kind is Kind.SYNCED:
        text = _("Your chats lie in a folder that {name} copies to other computers. That can damage them.")
    else:
        text = _("Your chats lie on a network drive ({name}). That can damage them.")
    return UserError(
        text.format(name=risk.name), _("Set FIRESIDE_HOME to a folder on this computer’s own disk.")
    )
