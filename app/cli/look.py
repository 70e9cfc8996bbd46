"""`fireside models look`: a model at the hub, before any of it is fetched."""

import argparse
from typing import Any

from app.cli.hub import fit_words, reference_of
from app.cli.loop import Loop
from app.cli.output import print_columns, print_json, size
from app.domain.errors import UserError
from app.domain.language import _
from app.services import Services
from app.services.discovery import Publisher, PublisherRecord, Repository, Scan
from app.services.prospects import Prospect


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Tell all that the hub says of a repository, and how its models would do here."""
    reference = reference_of(arguments.repository)
    repository = loop.result(services.discovery.look(reference.repository, reference.revision or None))
    first = loop.result(services.prospects.first_look(repository))
    prospect = loop.result(services.prospects.close_look(repository, first))
    publisher, record = _publisher(services, loop, repository.maker)
    if "json" in arguments:
        card = loop.result(services.discovery.card(repository))
        facts = _facts(repository, prospect, publisher, record)
        print_json(facts | {"variants": _variants(repository, prospect), "card": card})
        return 0
    print_columns([line for line in _lines(repository, prospect, publisher, record) if line[1]])
    if repository.variants:
        print()
        print_columns(
            [
                (each.quantization or each.name, size(each.size), fit_words(prospect.fits.get(each.path, "")))
                for each in repository.variants
            ]
        )
    if arguments.card:
        print()
        print(loop.result(services.discovery.card(repository)))
    return 0


def _publisher(services: Services, loop: Loop, name: str) -> tuple[Publisher | None, PublisherRecord | None]:
    """Return what can be learnt of a publisher; a hub may say nothing of one."""
    try:
        publisher = loop.result(services.discovery.publisher(name))
        return publisher, loop.result(services.discovery.publisher_record(name))
    except UserError:
        return None, None


def _facts(
    repository: Repository, prospect: Prospect, publisher: Publisher | None, record: PublisherRecord | None
) -> dict[str, Any]:
    return {
        "repository": repository.name,
        "commit": repository.commit,
        "page": prospect.page,
        "license": repository.license,
        "gated": repository.gated,
        "accessible": repository.accessible,
        "scan": str(repository.scan),
        "downloads": repository.downloads,
        "likes": repository.likes,
        "modified": repository.modified.isoformat() if repository.modified else None,
        "parameters": repository.parameters,
        "architecture": repository.architecture,
        "trained_context": prospect.context,
        "base_model": prospect.is_base,
        "problem": prospect.problem,
        "looks_like": list(prospect.near),
        "publisher": publisher.full_name or publisher.name if publisher else "",
        "publisher_is_organization": publisher.is_organization if publisher else None,
        "publisher_is_verified": publisher.is_verified if publisher else None,
        "publisher_models": publisher.models if publisher else None,
        "publisher_followers": publisher.followers if publisher else None,
        "publisher_since": record.since.date().isoformat() if record and record.since else None,
        "publisher_since_or_earlier": record.earlier if record else None,
        "publisher_downloads": record.downloads if record else None,
        "publisher_downloads_or_more": not record.complete if record else None,
    }


def _lines(
    repository: Repository, prospect: Prospect, publisher: Publisher | None, record: PublisherRecord | None
) -> list[tuple[str, str]]:
    return [
        (_("repository"), repository.name),
        (_("address"), prospect.page),
        (_("license"), repository.license or _("no licence stated")),
        (_("gated"), _gate(repository)),
        (_("downloads last month"), f"{repository.downloads:,}"),
        (_("likes"), f"{repository.likes:,}"),
        (_("changed"), f"{repository.modified:%Y-%m-%d}" if repository.modified else ""),
        (_("architecture"), repository.architecture),
        (_("parameters"), f"{repository.parameters:,}" if repository.parameters else ""),
        (_("trained context"), f"{prospect.context:,}" if prospect.context else ""),
        *_publisher_lines(publisher, record),
        (_("problem"), " ".join(_warnings(repository, prospect))),
    ]


def _gate(repository: Repository) -> str:
    if not repository.accessible:
        return _("Its maker wants to know who downloads it.")
    return _("You have access to this gated model.") if repository.gated else ""


def _publisher_lines(publisher: Publisher | None, record: PublisherRecord | None) -> list[tuple[str, str]]:
    if publisher is None or record is None:
        return []
    name = publisher.full_name or publisher.name
    if publisher.is_verified:
        name = _("{name} is an organization that the hub has verified").format(name=name)
    elif publisher.is_organization:
        name = _("{name} is an organization").format(name=name)
    since = f"{record.since:%Y-%m}" if record.since else ""
    downloads = f"{record.downloads:,}"
    return [
        (_("publisher"), name),
        (_("has published since"), _("{date} or longer").format(date=since) if record.earlier else since),
        (_("its models"), f"{publisher.models:,}" if publisher.models else ""),
        (
            _("their downloads last month"),
            downloads if record.complete else _("more than {count}").format(count=downloads),
        ),
        (_("followers"), f"{publisher.followers:,}" if publisher.followers else ""),
    ]


def _warnings(repository: Repository, prospect: Prospect) -> list[str]:
    """Return what one should know before a download."""
    near = _("This name looks like {names}, and is another one.").format(names=_(", ").join(prospect.near))
    scanned = repository.scan in (Scan.SUSPICIOUS, Scan.UNSAFE)
    told = [
        (bool(prospect.near), near),
        (scanned, _("The hub's scanner has found something in files of this model.")),
        (not repository.variants, _("There is no model in the GGUF format here.")),
        (
            prospect.is_base,
            _("This is a base model: it continues text rather than following instructions."),
        ),
        (bool(prospect.problem), prospect.problem),
    ]
    return [words for holds, words in told if holds]


def _variants(repository: Repository, prospect: Prospect) -> list[dict[str, Any]]:
    return [
        {
            "quantization": each.quantization,
            "name": each.name,
            "size": each.size,
            "files": [file.path for file in each.files],
            "projector": each.projector.path if each.projector else None,
            "fit": prospect.fits.get(each.path, ""),
        }
        for each in repository.variants
    ]
