"""`fireside models search`, `get`, `suggest`, `scan` and `hub`: models that are not here yet."""

import argparse
import math
import sys
from concurrent.futures import Future
from dataclasses import asdict
from getpass import getpass
from typing import Any

from app.cli.loop import Loop
from app.cli.output import clear_progress, print_columns, print_json, show_progress, size
from app.domain.contact_words import outcome_words, purpose_words
from app.domain.download import Download, Progress, State
from app.domain.errors import UserError
from app.domain.language import _, joined
from app.services import Services
from app.services.contacts import entry_of
from app.services.discovery import Found, Query, Reference, Repository, Sort

SORTS = {
    "trending": Sort.TRENDING,
    "downloads": Sort.DOWNLOADS,
    "likes": Sort.LIKES,
    "recent": Sort.RECENT,
}


def search(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List what a hub has; nothing is fetched."""
    smallest, largest = arguments.parameters
    query = Query(
        " ".join(arguments.query),
        SORTS[arguments.sort],
        min_parameters=smallest,
        max_parameters=largest,
        architecture=arguments.architecture,
        license=arguments.license or "",
        gated=False if arguments.ungated else None,
    )
    first = loop.result(services.discovery.search(query))
    found = list(first)
    while len(found) < arguments.limit and (page := loop.result(services.discovery.more())):
        found += page
    found = found[: arguments.limit]
    if "json" in arguments:
        print_json([_found(each) for each in found])
    elif found:
        print_columns([_row(each) for each in found])
    else:
        print(_("Nothing was found; try fewer words."), file=sys.stderr)
    return 0


def get(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Download a model; without a quantization, say what there is."""
    reference = reference_of(arguments.repository)
    repository = loop.result(services.discovery.look(reference.repository, reference.revision or None))
    wanted = arguments.quantization or reference.wanted
    if not wanted and len(repository.variants) > 1:
        return _list(repository, as_json="json" in arguments)
    variant = services.discovery.choose(repository, wanted)
    loop.result(services.network.begin())
    download = loop.result(services.downloads.add(services.discovery.wanted(repository, variant)))
    _follow(services, loop, download)
    ended = next(each for each in loop.result(services.downloads.refresh()) if each.id == download.id)
    if ended.state is State.FAILED:
        raise UserError(ended.problem, ended.hint)
    if ended.state is not State.DONE:  # the window, or another terminal, has it
        raise UserError(
            _("Another Fireside is downloading “{name}” already.").format(name=ended.name),
            _("Wait until it is done."),
        )
    paths = [str(path) for path in services.downloads.paths(ended)]
    if "json" in arguments:
        print_json({"name": ended.name, "repository": ended.repository, "commit": ended.commit,
                    "quantization": ended.quantization, "size": ended.size, "paths": paths})  # fmt: skip
    else:
        print(_("{model} is ready: {path}").format(model=ended.name, path=paths[0]))
    return 0


def reference_of(text: str) -> Reference:
    """Return the repository that a person names.

    Raises:
        UserError: When it is no name of one.
    """
    reference = Reference.of(text)
    if reference is None:
        raise UserError(
            _("“{name}” is not the name of a repository.").format(name=text),
            _("Write it like maker/model or maker/model:Q4_K_M. “fireside models search” finds names."),
        )
    return reference


def fit_words(fit: str) -> str:
    """Say how a model fits; nothing when that is not known."""
    return {"fits": _("fits well"), "tight": _("tight"), "too_large": _("too large")}.get(fit, "")


def scan(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the models of other apps, or add them all where they lie."""
    keys = [source.key for source in loop.result(services.adoption.sources())]
    if unknown := set(arguments.app or ()) - set(keys):
        raise UserError(
            _("Fireside does not know the models of “{app}”.").format(app=min(unknown)),
            _("It knows: {apps}.").format(apps=", ".join(keys)),
        )
    found = loop.result(services.adoption.scan(tuple(arguments.app or keys)))
    if arguments.add:
        for each in found:
            if not each.problem:
                loop.result(services.adoption.adopt(each))
    if "json" in arguments:
        print_json([each.to_json() for each in found])
    elif found:
        print_columns(
            [
                (each.name, each.quantization, size(each.size), each.app, each.problem or str(each.path))
                for each in found
            ]
        )
    else:
        print(_("No other app on this computer has models that Fireside could find."), file=sys.stderr)
    return 0


def suggest(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List what suits this computer."""
    found = loop.result(services.recommendations.here(arguments.limit))
    if "json" in arguments:
        print_json([{name: getattr(each, name) for name in each.__dataclass_fields__} for each in found])
        return 0
    rows = []
    for each in found:
        name = f"{each.repository}:{each.quantization}"
        rows.append((each.name, size(each.size), fit_words(each.fit), name, each.good_at))
    print_columns(rows)
    return 0


def settings(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Show how the hub is reached, change it, or try it; or list what was asked over the network."""
    if arguments.log:
        return _list_contacts(services, loop, as_json="json" in arguments)
    given = {
        "endpoint": arguments.mirror,
        "proxy": arguments.proxy,
        "token_for_mirror": arguments.token_for_mirror,
    }
    services.hubs.change(**{name: value for name, value in given.items() if value is not None})
    if arguments.token or arguments.forget_token:
        _set_token(services, _read_token() if arguments.token else "")
    if arguments.limit is not None:
        loop.result(services.network.set_limit(arguments.limit))
    reach = loop.result(services.network.read())
    told: dict[str, Any] = {
        **asdict(reach.settings),
        "has_token": reach.token is not None,
        "limit": reach.limit,
    }
    if arguments.test:
        connection = loop.result(services.discovery.test())
        told |= {
            "answered": connection.endpoint,
            "user": connection.user,
            "seconds": round(connection.seconds, 3),
        }
    if "json" in arguments:
        print_json(told)
    else:
        print_columns([(name.replace("_", " "), _value(value)) for name, value in told.items()])
    return 0


def _list_contacts(services: Services, loop: Loop, *, as_json: bool) -> int:
    """List the connections that are remembered, the oldest first."""
    contacts = loop.result(services.contacts.earlier())
    if as_json:
        print_json([entry_of(each) for each in contacts])
        return 0
    rows = []
    for each in contacts:
        when = f"{each.began.astimezone():%Y-%m-%d %H:%M:%S}"
        received = size(each.received) if each.received else ""
        rows.append((when, each.host, purpose_words(each.purpose), received, outcome_words(each.outcome)))
    if rows:
        print_columns(rows)
    else:
        print(_("Fireside has asked nothing over the network yet."), file=sys.stderr)
    return 0


def _read_token() -> str:
    """Read a token, without showing it where somebody types."""
    return getpass(_("Access token: ")).strip() if sys.stdin.isatty() else sys.stdin.readline().strip()


def _set_token(services: Services, token: str) -> None:
    if not services.hubs.set_token(token):
        raise UserError(
            _("This computer has no keyring that could keep the access token."),
            _("Install one, such as GNOME Keyring, and try again."),
        )


def _value(value: Any) -> str:
    # Translators: of a setting that is on or off.
    return (
        {True: _("on"), False: _("off")}.get(value, str(value))
        if isinstance(value, bool)
        else str(value or "–")
    )


def _follow(services: Services, loop: Loop, download: Download) -> None:
    """Fetch a download, showing how far it is; Ctrl+C keeps what has arrived."""
    future = services.downloads.fetch(download)
    try:
        while not future.done():
            loop.tick()
            show_progress(_line(download, services.downloads.progress(download)))
        loop.result(future)
    except KeyboardInterrupt:
        _finish(services.downloads.pause(download), loop)
        raise
    finally:
        clear_progress()


def _finish(future: "Future[None]", loop: Loop) -> None:
    loop.result(future)


def _line(download: Download, progress: Progress) -> str:
    if progress.next_try is not None:
        again = _("Trying again in {count} s").format(count=math.ceil(progress.next_try))
        return f"{download.name}  {joined(progress.reason, again)}"
    bar = 20
    full = int(bar * progress.done / max(download.size, 1))
    text = f"{download.name} {'█' * full}{'░' * (bar - full)} {size(progress.done)} / {size(download.size)}"
    if progress.bytes_per_second:
        text += f"  {size(int(progress.bytes_per_second))}/s"
    if progress.seconds_left is not None:
        minutes, seconds = divmod(int(progress.seconds_left), 60)
        text += f"  {minutes}:{seconds:02}"
    return text


def _list(repository: Repository, *, as_json: bool) -> int:
    """Say what a repository has to choose from."""
    rows = [(each.quantization or each.name, size(each.size), each.name) for each in repository.variants]
    if as_json:
        print_json([{"quantization": each.quantization, "name": each.name, "size": each.size}
                    for each in repository.variants])  # fmt: skip
    else:
        print_columns(rows)
        print(
            _("Choose one: fireside models get {name}:QUANTIZATION").format(name=repository.name),
            file=sys.stderr,
        )
    return 0


def _row(found: Found) -> tuple[str, ...]:
    parameters = f"{found.parameters / 1e9:.1f}B" if found.parameters else ""
    gated = _("asks who you are") if found.gated else ""
    return found.repository, parameters, f"{found.downloads:,}", found.license, gated


def _found(found: Found) -> dict[str, Any]:
    return {
        "repository": found.repository,
        "downloads": found.downloads,
        "likes": found.likes,
        "modified": found.modified.isoformat() if found.modified else None,
        "gated": found.gated,
        "parameters": found.parameters,
        "architecture": found.architecture,
        "trained_context": found.context,
        "license": found.license,
    }
