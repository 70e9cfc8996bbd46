"""`fireside doctor`: what a bug report needs."""

import argparse
from typing import Any

from app.cli.loop import Loop
from app.cli.output import print_columns, print_json, size
from app.domain.errors import UserError
from app.domain.language import _, plural
from app.services import Services, snapshots
from app.services.diagnosis import diagnose


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Print facts about this installation, or see to the snapshots of chats."""
    as_json = "json" in arguments
    if arguments.clear_snapshots:
        return _clear(services, as_json=as_json)
    if arguments.snapshot_budget is not None:
        return _set_budget(services, arguments.snapshot_budget, as_json=as_json)
    facts = diagnose(services.folders, services.database)
    if as_json:
        print_json(facts)
    else:
        print_columns([(name.replace("_", " "), text) for name, text in _lines("", facts)])
    return 0


def _clear(services: Services, *, as_json: bool) -> int:
    """Say what it frees, then delete."""
    before = snapshots.usage(services.folders)
    if not as_json and not before.count:
        print(_("There is no snapshot to delete."))
    elif not as_json:
        text = plural(
            "Deleting {count:,} snapshot frees {size}. Its chat stays; returning to it takes longer once.",
            "Deleting {count:,} snapshots frees {size}. The chats stay; returning to one takes longer once.",
            before.count,
        )
        print(text.format(count=before.count, size=size(before.bytes)), flush=True)
    left = snapshots.clear(services.folders)
    if as_json:
        print_json({"deleted": before.count - left.count, "freed_bytes": before.bytes - left.bytes})
    if left.count:
        raise UserError(
            _("{size} could not be deleted.").format(size=size(left.bytes)),
            _("Close Fireside's window, and try again."),
        )
    return 0


def _set_budget(services: Services, budget: int, *, as_json: bool) -> int:
    now = snapshots.set_budget(services.folders, budget)
    if as_json:
        print_json(now.to_json())
    else:
        text = _("Snapshots of chats may now take up to {budget}; they take {used}.")
        print(text.format(budget=size(now.budget), used=size(now.bytes)))
    return 0


def _lines(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Flatten JSON types into names and values: ("folders data", "/home/…")."""
    if isinstance(value, dict):
        return [line for name, inner in value.items() for line in _lines(f"{prefix} {name}".strip(), inner)]
    if isinstance(value, list):
        return [line for number, inner in enumerate(value, 1) for line in _lines(f"{prefix} {number}", inner)]
    return [(prefix, str(value))]
