"""`fireside models`: what is on this computer."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.cli import downloads, hub, look
from app.cli.loop import Loop
from app.cli.output import clear_progress, print_columns, print_json, show_progress, size
from app.domain.language import _
from app.domain.model import Model, Origin, Use
from app.services import Services
from app.services.model_facts import NOTHING, Facts


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the models, tell about one, add, rename, check or remove one, or look beyond them."""
    as_json = "json" in arguments
    beyond = {
        "search": hub.search,
        "look": look.run,
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
        _print_one(loop.result(services.models.identified(model)), NOTHING, as_json=True)
        return 0
    models = loop.result(services.models.refresh())
    if arguments.action in (None, "list"):
        _list(services, loop, models, arguments)
        return 0
    model = services.models.find(models, arguments.model, usable=False)
    if arguments.action == "info":
        known = loop.result(services.facts.look()).get(model.path, NOTHING)
        _print_one(loop.result(services.models.identified(model)), known, as_json=as_json)
    elif arguments.action == "verify":
        return _verify(services, loop, model, as_json=as_json)
    elif arguments.action == "rename":
        loop.result(services.models.rename(model, arguments.name))
        renamed = next(each for each in services.models.known if each.path == model.path)
        if as_json:
            print_json({"name": renamed.name, "path": str(model.path)})
        else:
            print(_("{file} is called {model} now.").format(file=model.path.name, model=renamed.name))
    elif arguments.action == "remove":
        loop.result(services.models.remove(model))
        if as_json:
            print_json({"name": model.name, "path": str(model.path)})
        else:
            print(_removed(model))
    return 0


def _list(services: Services, loop: Loop, models: list[Model], arguments: argparse.Namespace) -> None:
    """Print all models, in the order that is wanted."""
    facts = loop.result(services.facts.look())
    orders: dict[str, Callable[[Model], Any]] = {
        "name": lambda model: model.name.casefold(),
        "size": lambda model: -model.size,
        "used": lambda model: -(use.used_at if (use := facts[model.path].use) else 0.0),
    }
    if order := orders.get(getattr(arguments, "sort", None) or ""):
        models = sorted(models, key=order)
    if "json" in arguments:
        print_json([_object(model, facts[model.path]) for model in models])
    elif models:
        print_columns([_row(model, facts[model.path]) for model in models])
    else:
        print(_("There are no models yet. Add one: fireside models add FILE.gguf"), file=sys.stderr)


def _row(model: Model, facts: Facts) -> tuple[str, ...]:
    return (
        model.name,
        model.quantization,
        size(model.size),
        _context(model),
        _fit(facts),
        _speed(facts.use.writing if facts.use else 0.0),
        model.problem or str(model.path),
    )


def _verify(services: Services, loop: Loop, model: Model, *, as_json: bool) -> int:
    """Compute a model's sha256 anew and compare it; return 3 when it is another."""
    check = loop.result(services.models.verify(model))
    try:
        while not check.verdict.done():
            loop.tick()
            percent = 100 * check.done // max(check.total, 1)
            show_progress(_("Checking {model}… {percent} %").format(model=model.name, percent=percent))
        verdict = loop.result(check.verdict)
    finally:
        check.stop()
        clear_progress()
    if as_json:
        print_json({"name": model.name, "outcome": str(verdict.outcome), "sha256": verdict.sha256,
                    "expected": verdict.expected, "right": verdict.right})  # fmt: skip
    elif verdict.right:
        print(verdict.sentence)
        print(verdict.sha256)
    if not verdict.right:
        raise verdict.sentence
    return 0


def _removed(model: Model) -> str:
    if model.origin is Origin.OWN:
        return _("{model} lies in the trash now.").format(model=model.name)
    return _("{model} is off the list; its file stays where it is.").format(model=model.name)


def _print_one(model: Model, facts: Facts, *, as_json: bool) -> None:
    if as_json:
        print_json(_object(model, facts))
    else:
        print_columns([(name, value) for name, value in _lines(model, facts) if value])


def _fit(facts: Facts) -> str:
    if facts.context:
        return _("tight: {count} tokens").format(count=f"{facts.context // 1024}k")
    words = {"fits": _("fits well"), "tight": _("tight"), "too_large": _("too large")}
    return words.get(facts.fit, "")


def _speed(speed: float) -> str:
    return (
        _("{count} tokens/s").format(count=f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}") if speed else ""
    )


def _context(model: Model) -> str:
    return f"{model.context // 1024}k" if model.context else "?"


def _lines(model: Model, facts: Facts) -> list[tuple[str, str]]:
    use = facts.use
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
        (_("on this computer"), _fit(facts)),
        (_("last used"), _moment(use).replace("T", " ") if use else ""),
        (_("writes"), _speed(use.writing) if use else ""),
        (_("reads"), _speed(use.reading) if use else ""),
        ("sha256", model.sha256),
        (_("downloaded from"), f"{model.repository} {model.commit[:12]}".strip()),
        (_("belongs to"), facts.app),
        (_("the same file"), ", ".join(map(str, model.copies))),
        (_("problem"), model.problem or (_("It has changed since it came here.") if model.changed else "")),
    ]


def _moment(use: Use) -> str:
    return datetime.fromtimestamp(use.used_at, UTC).astimezone().isoformat(timespec="seconds")


def _object(model: Model, facts: Facts) -> dict[str, Any]:
    use = facts.use
    return {
        "name": model.name,
        "original_name": model.original_name,
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
        "source": {"repository": model.repository, "commit": model.commit} if model.repository else None,
        "app": facts.app,
        "changed": model.changed,
        "copies": [str(path) for path in model.copies],
        "fit": facts.fit,
        "fitting_context": facts.context,
        "last_used": _moment(use) if use else None,
        "tokens_per_second": round(use.writing, 2) if use else 0.0,
        "reading_tokens_per_second": round(use.reading, 2) if use else 0.0,
        "problem": model.problem,
    }
