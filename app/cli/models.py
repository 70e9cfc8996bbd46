"""`fireside models`: what is on this computer."""

import argparse
import sys
from typing import Any

from app.cli import downloads, hub
from app.cli.loop import Loop
from app.cli.output import print_columns, print_json, size
from app.domain.download import Download
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.model import Model, Origin
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the models, tell about one, add, check or remove one, or look beyond them."""
    as_json = "json" in arguments
    beyond = {
        "search": hub.search,
        "get": hub.get,
        "downloads": downloads.run,
        "scan": hub.scan,
        "suggest": hub.suggest,
        "hub": hub.settings,
    }
    if arguments.action in beyond:
        return beyond[arguments.action](services, loop, arguments)
    if arguments.action == "add":
        model = loop.result(services.models.add(arguments.path))
        if not as_json:
            print(_("{model} can be used now.").format(model=model.name))
            return 0
        _print_one(loop.result(services.models.identified(model)), None, as_json=True)
        return 0
    models = loop.result(services.models.refresh())
    if arguments.action == "info":
        model = services.models.find(models, arguments.model)
        source = loop.result(services.downloads.origin(model.path))
        _print_one(loop.result(services.models.identified(model)), source, as_json=as_json)
    elif arguments.action == "verify":
        return _verify(services, loop, services.models.find(models, arguments.model), as_json=as_json)
    elif arguments.action == "remove":
        model = services.models.find(models, arguments.model)
        loop.result(services.models.remove(model))
        if as_json:
            print_json({"name": model.name, "path": str(model.path)})
        else:
            print(_removed(model))
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


def _verify(services: Services, loop: Loop, model: Model, *, as_json: bool) -> int:
    """Compute a model's sha256 anew and compare it; return 3 when it is another."""
    brought = loop.result(services.downloads.origin(model.path))
    expected = (brought.sha256 if brought else "") or model.sha256
    found = loop.result(services.models.sha256_anew(model))
    right = not expected or found == expected
    if as_json:
        print_json({"name": model.name, "sha256": found, "expected": expected, "right": right})
    elif right:
        print(_("{model} is as it should be: {sha256}").format(model=model.name, sha256=found))
    if not right:
        raise UserError(
            _("The bytes of {model} are not the ones that were downloaded.").format(model=model.name),
            _("Download it again: fireside models remove, then fireside models get."),
        )
    return 0


def _removed(model: Model) -> str:
    if model.origin is Origin.OWN:
        return _("{model} lies in the trash now.").format(model=model.name)
    return _("{model} is off the list; its file stays where it is.").format(model=model.name)


def _print_one(model: Model, source: Download | None, *, as_json: bool) -> None:
    if as_json:
        where = {"repository": source.repository, "commit": source.commit} if source else None
        print_json({**_object(model), "source": where})
        return
    lines = _lines(model)
    if source:
        lines.append((_("downloaded from"), f"{source.repository} ({source.commit[:12]})"))
    print_columns([(name, value) for name, value in lines if value])


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
