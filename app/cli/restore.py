"""`fireside restore`: a backup in the place of what is there."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.cli.loop import Loop
from app.cli.output import print_columns, print_json, size
from app.domain.backup import Backup
from app.domain.backup_words import chats_words, lost_words, reason_words
from app.domain.errors import UserError
from app.domain.language import _
from app.services import Services


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """List the backups, or bring one back."""
    as_json = "json" in arguments
    if arguments.backup is None:
        listed = loop.result(services.backups.listed())
        _list(listed, as_json=as_json)
        return 0
    backup = _named(services, loop, arguments.backup)
    prospect = loop.result(services.backups.prospect(backup))
    restored = loop.result(services.backups.restore(backup))
    if as_json:
        print_json({**backup.to_json(), "lost": prospect.lost, "kept": str(restored.before)})
        return 0
    text = _("Your chats are as they were on {date}: {chats}.")
    print(text.format(date=_when(backup), chats=chats_words(backup.chats)))
    if prospect.lost:
        print(lost_words(prospect.lost, damaged=restored.before.is_dir()))
    print(_("What was there before is kept: {path}").format(path=restored.before))
    return 0


def _list(backups: Sequence[Backup], *, as_json: bool) -> None:
    if as_json:
        print_json([backup.to_json() for backup in backups])
    elif backups:
        rows = ((each.path.name, _when(each), chats_words(each.chats), size(each.size)) for each in backups)
        why = (reason_words(each.reason) for each in backups)
        print_columns([(*row, reason) for row, reason in zip(rows, why, strict=True)])
        print(_("To bring one back: fireside restore NAME"))
    else:
        print(_("There are no backups yet."))


def _named(services: Services, loop: Loop, name: str) -> Backup:
    """Return the backup of a name or number, or the one in a file."""
    for backup in loop.result(services.backups.listed()):
        if name in (backup.path.name, str(backup.number)):
            return backup
    path = Path(name).expanduser().absolute()
    if not path.exists():
        raise UserError(
            _("There is no backup “{name}”.").format(name=name),
            _("Run “fireside restore” to list the backups."),
        )
    return loop.result(services.backups.read(path))


def _when(backup: Backup) -> str:
    return datetime.fromtimestamp(backup.made_at).strftime("%Y-%m-%d %H:%M")
