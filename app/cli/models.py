"""`fireside models`: what is on this computer."""

import argparse
import sys
from typing import Any

from app.cli.loop import Loop
from app.cli.output import print_columns, print_json, size
from app.domain.language import _
from app.domain.model import Model, Origin
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the models, tell about one, or add one."""
    as_json = "json" in arguments
    if arguments.action == "add":
        model = loop.result(services.models.add(arguments.path))
        if not as_json:
            print(_("{model} can be used now.").format(model=model.name))
            return 0
        _print_one(loop.result(services.models.identified(model)), as_json=True)
        return 0
    models = loop.result(services.models.refresh())
    if arguments.action == "info":
        model = services.models.find(models, arguments.model)
        _print_one(loop.result(services.models.identified(model)), as_json=as_json)
    elif as_json:
        print_json([_object(model) for model in models])
    elif models:
        print_columns(
            [
                (
                    model.name,
                    model.quantization,
                    size(model.size),
                    _context(model),
                    model.problem or str(model.path),
                )
                for model in models
            ]
        )
    else:
        print(_("There are no models yet. Add one: fireside models add FILE.gguf"), file=sys.stderr)
    return 0


def _print_one(model: Model, *, as_json: bool) -> None:
    if as_json:
        print_json(_object(model))
    else:
        print_columns([(name, value) for name, value in _lines(model) if value])


def _context(model: Model) -> str:
    return f"{model.context // 1024}k" if model.context else "?"


def _lines(model: Model) -> list[tuple[str, str]]:
    origins = {
        Origin.STARTER: _("came with Fireside"),
        Origin.OWN: _("in Fireside's own folder"),
        Origin.LINKED: _("used in place"),
    }
    return [
        (_("name"), model.name),
        (_("file"), str(model.path)),
        (_("origin"), origins[model.origin]),
        (_("size"), size(model.size)),
        (_("quantization"), model.quantization),
        (_("architecture"), model.architecture),
        (_("parameters"), f"{model.parameters:,}" if model.parameters else ""),
        (_("trained context"), _context(model)),
        # Translators: “yes” and “no” are said of the chat template alone.
        (_("chat template"), _("yes") if model.has_template else _("no")),
        (_("license"), model.license),
        ("sha256", model.sha256),
        (_("problem"), model.problem),
    ]


def _object(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "path": str(model.path),
        "origin": str(model.origin),
        "size": model.size,
        "quantization": model.quantization,
        "architecture": model.architecture,
        "parameters": model.parameters,
        "trained_context": model.context,
        "license": model.license,
        "has_template": model.has_template,
        "sha256": model.sha256,
        "problem": model.problem,
    }
