"""`fireside doctor`: what a bug report needs."""

import argparse
from typing import Any

from app.cli.loop import Loop
from app.cli.output import print_columns, print_json
from app.services import Services
from app.services.diagnosis import diagnose


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Print facts about this installation."""
    facts = diagnose(services.folders, services.database)
    if "json" in arguments:
        print_json(facts)
    else:
        print_columns([(name.replace("_", " "), text) for name, text in _lines("", facts)])
    return 0


def _lines(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Flatten JSON types into names and values: ("folders data", "/home/…")."""
    if isinstance(value, dict):
        return [line for name, inner in value.items() for line in _lines(f"{prefix} {name}".strip(), inner)]
    if isinstance(value, list):
        return [line for number, inner in enumerate(value, 1) for line in _lines(f"{prefix} {number}", inner)]
    return [(prefix, str(value))]
