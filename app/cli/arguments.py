"""The command line: every word and option, in one place."""

import argparse
import re
from pathlib import Path

from app import __version__
from app.cli.history_arguments import add_history
from app.cli.hub import SORTS
from app.cli.options import add_json, add_options, add_rope, token_count
from app.domain.budget import Policy
from app.domain.language import _
from app.domain.loading import KV_TYPES


def parser() -> argparse.ArgumentParser:
    """Return the parser for `fireside`; without a command the window opens."""
    root = argparse.ArgumentParser(
        prog="fireside", description=_("Private, offline chat with open models on your own computer.")
    )
    root.add_argument("--version", action="version", version=f"fireside {__version__}")
    root.add_argument(
        "--home", type=Path, metavar="DIR", help=_("keep all data in DIR instead of the usual folder")
    )
    commands = root.add_subparsers(dest="command", metavar="COMMAND")

    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--home", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    ask = commands.add_parser(
        "ask", parents=[everywhere], usage="fireside ask PROMPT [OPTION…]",
        help=_("ask one question; nothing is saved"),
    )  # fmt: skip
    ask.add_argument("prompt", help=_("the question, or - to read the question from standard input"))
    ask.add_argument("--system", default="", help=_("the system prompt: how the model should behave"))
    _add_model(ask)
    add_options(ask)
    add_json(ask)

    chat = commands.add_parser(
        "chat", parents=[everywhere], usage="fireside chat [OPTION…]",
        help=_("chat in the terminal; the chat is saved among those of the window"),
    )  # fmt: skip
    _add_model(chat)
    chat.add_argument(
        "--incognito",
        action="store_true",
        help=_("keep nothing of the chat, on no disk: it ends with the command"),
    )
    chat.add_argument(
        "--when-full",
        choices=tuple(Policy),
        type=Policy,
        default=Policy.SUMMARISE,
        metavar="POLICY",
        help=_(
            "when the chat outgrows its context: summarise older messages, drop the oldest, "
            "extend the context, or ask ({policies})"
        ).format(policies=", ".join(Policy)),
    )
    add_options(chat)

    models = commands.add_parser("models", parents=[everywhere], help=_("list the models on this computer"))
    add_json(models)
    what = models.add_subparsers(dest="action", metavar="ACTION")
    _add_library(what, everywhere)
    info = what.add_parser(
        "info", parents=[everywhere], help=_("show what a model's file says about the model")
    )
    _add_one_model(info)
    add_json(info)
    add = what.add_parser("add", parents=[everywhere], help=_("add a GGUF file; the file stays where it is"))
    add.add_argument("path", type=Path)
    add_json(add)
    _add_hub(what, everywhere)

    add_history(commands, everywhere)
    _add_backups(commands, everywhere)
    _add_plan(commands, everywhere)

    _add_bench(
        commands.add_parser(
            "bench", parents=[everywhere], help=_("measure how fast a model runs on this computer")
        )
    )

    doctor = commands.add_parser(
        "doctor", parents=[everywhere], help=_("print the facts that a bug report needs")
    )
    snapshots = doctor.add_mutually_exclusive_group()
    snapshots.add_argument(
        "--clear-snapshots", action="store_true",
        help=_("delete the snapshots that make returning to a chat quick; the chats stay"),
    )  # fmt: skip
    snapshots.add_argument(
        "--snapshot-budget", type=byte_count, metavar="SIZE",
        help=_("the most disk space for snapshots, such as 8GiB; 0 keeps none (default: 4GiB)"),
    )  # fmt: skip
    add_json(doctor)
    return root


def _add_backups(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    backup = commands.add_parser("backup", parents=[everywhere], help=_("make a backup of all chats"))
    backup.add_argument(
        "--to", type=Path, metavar="FILE", help=_("in this file, not among the other backups")
    )
    add_json(backup)
    restore = commands.add_parser(
        "restore", parents=[everywhere], help=_("list the backups, or bring one back; what is there is kept")
    )
    restore.add_argument(
        "backup",
        nargs="?",
        metavar="BACKUP",
        help=_("the name or number of a backup, or a file that holds one"),
    )
    add_json(restore)
    add_json(
        commands.add_parser(
            "check", parents=[everywhere], help=_("check that the chats are whole, to the last word")
        )
    )


def _add_library(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Add what concerns the models that are here."""
    shown = what.add_parser("list", parents=[everywhere], help=_("list the models on this computer"))
    shown.add_argument("--sort", choices=("name", "size", "used"), default="name", help=_("in this order"))
    add_json(shown)
    rename = what.add_parser(
        "rename", parents=[everywhere],
        help=_("give a model another name in Fireside; its file stays as it is"),
    )  # fmt: skip
    _add_one_model(rename)
    rename.add_argument("name", help=_("the new name; an empty text gives the model its own name back"))
    add_json(rename)
    verify = what.add_parser(
        "verify", parents=[everywhere], help=_("check that a model's bytes are still right")
    )
    _add_one_model(verify)
    add_json(verify)
    remove = what.add_parser(
        "remove", parents=[everywhere],
        help=_("move a downloaded model to the trash, or take an added one off the list"),
    )  # fmt: skip
    _add_one_model(remove)
    add_json(remove)


def _add_hub(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Add what reaches beyond the models that are here."""
    search = what.add_parser("search", parents=[everywhere], help=_("search the hub for models"))
    search.add_argument("query", nargs="*", help=_("words of the name"))
    search.add_argument("--sort", choices=SORTS, default="trending", help=_("the order of the results"))
    search.add_argument(
        "--parameters", type=parameter_range, default=(None, None), metavar="MIN-MAX",
        help=_("only models of this size, such as 4B-9B, 4B- or -9B"),
    )  # fmt: skip
    search.add_argument(
        "--architecture", metavar="NAME", default="",
        help=_("only of this architecture, as the GGUF header names it, such as llama"),
    )  # fmt: skip
    search.add_argument("--ungated", action="store_true", help=_("only what needs no sign-up"))
    search.add_argument("--license", metavar="NAME", help=_("only under this license, such as apache-2.0"))
    search.add_argument("--limit", type=run_count, default=30, metavar="N", help=_("at most N results"))
    add_json(search)
    look = what.add_parser("look", parents=[everywhere], help=_("look at a model of the hub"))
    look.add_argument("repository", metavar="REPO", help=_("such as maker/model, or the address of its page"))
    look.add_argument("--card", action="store_true", help=_("its description, too"))
    add_json(look)
    get = what.add_parser(
        "get", parents=[everywhere], help=_("download a model, or go on with a download that broke off")
    )
    get.add_argument(
        "repository", metavar="REPO[:QUANT]", help=_("such as maker/model:Q4_K_M, or the address of its page")
    )
    get.add_argument("quantization", nargs="?", default="", help=argparse.SUPPRESS)
    add_json(get)
    downloads = what.add_parser(
        "downloads", parents=[everywhere], help=_("list the downloads in their order, or change the order")
    )
    downloads.add_argument(
        "--move", type=int, metavar="N", help=_("put download N last, or before the one that --before names")
    )
    downloads.add_argument(
        "--before", type=int, metavar="M", help=_("the download before which --move puts the other one")
    )
    add_json(downloads)
    suggest = what.add_parser("suggest", parents=[everywhere], help=_("list models that suit this computer"))
    suggest.add_argument("--limit", type=run_count, default=10, metavar="N", help=_("at most N results"))
    add_json(suggest)
    scan = what.add_parser("scan", parents=[everywhere], help=_("find the models of other apps"))
    scan.add_argument("app", nargs="*", help=_("look only for those of these apps, such as ollama"))
    scan.add_argument("--add", action="store_true", help=_("use them where they lie; nothing is copied"))
    add_json(scan)
    hub = what.add_parser("hub", parents=[everywhere], help=_("show or change how the hub is reached"))
    hub.add_argument(
        "--mirror", metavar="URL", help=_("use this mirror; an empty text goes back to the usual hub")
    )
    hub.add_argument(
        "--proxy", metavar="URL", help=_("go through this proxy, such as socks5://127.0.0.1:1080")
    )
    token = hub.add_mutually_exclusive_group()
    token.add_argument(
        "--token", action="store_true",
        help=_("ask for an access token, and keep it in the system's keyring"),
    )  # fmt: skip
    token.add_argument("--forget-token", action="store_true", help=_("forget the access token"))
    hub.add_argument(
        "--token-for-mirror", action=argparse.BooleanOptionalAction,
        help=_("whether the token may go to a mirror; it does not unless you say so"),
    )  # fmt: skip
    hub.add_argument(
        "--limit", type=byte_count, metavar="SIZE",
        help=_("the most that downloads may take together in a second, such as 5MB; 0 is no limit"),
    )  # fmt: skip
    hub.add_argument("--test", action="store_true", help=_("ask the hub whether it can be reached"))
    hub.add_argument("--log", action="store_true", help=_("list what Fireside has asked over the network"))
    add_json(hub)


def _add_one_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", help=_("the model: its name, a part of the name, or the path of its file"))


def _add_bench(bench: argparse.ArgumentParser) -> None:
    _add_one_model(bench)
    bench.add_argument(
        "--context",
        type=token_count,
        metavar="N",
        help=_("the context: how many tokens the model sees at once, such as 16k"),
    )
    bench.add_argument(
        "--runs", type=run_count, default=3, metavar="N", help=_("how many times to measure (default: 3)")
    )
    bench.add_argument(
        "--long", action="store_true",
        help=_("test how well the model reads long texts instead; takes minutes"),
    )  # fmt: skip
    add_rope(bench)
    add_json(bench)


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", metavar="M", help=_("the model: its name, a part of the name, or the path of its file")
    )


def _add_plan(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    plan = commands.add_parser(
        "plan",
        parents=[everywhere],
        help=_("work out how much memory a model needs for a context, without loading the model"),
    )
    _add_one_model(plan)
    plan.add_argument(
        "--context",
        type=token_count,
        metavar="N",
        help=_("the context: how many tokens the model sees at once, such as 16k"),
    )
    plan.add_argument(
        "--memory",
        type=byte_count,
        metavar="SIZE",
        help=_("the memory available, such as 8GiB (default: what is free now)"),
    )
    plan.add_argument(
        "--kv-type",
        choices=KV_TYPES,
        default="f16",
        help=_("the number type of the KV cache; smaller types take less memory"),
    )
    add_rope(plan)
    add_json(plan)


def byte_count(text: str) -> int:
    """Read "8GiB", "500 MB" or a plain number of bytes; MB and the like count by 1,000, MiB by 1,024.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    match = re.fullmatch(
        r"(\d{1,6}(?:\.\d{1,3})?|\d{1,18})\s*(?:([kmgt])(i?)b?|b)?", text.strip(), re.IGNORECASE
    )
    if not match:
        raise argparse.ArgumentTypeError(
            _("{text} is not an amount of memory; write it like 8GiB").format(text=text)
        )
    power = " kmgt".index((match[2] or " ").lower())
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def parameter_range(text: str) -> tuple[int | None, int | None]:
    """Read "4B-9B", "4B-" or "-9B": how many weights a model has at least and at most.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    size = r"(?:(\d{1,6}(?:\.\d{1,3})?)([MB]))?"
    match = re.fullmatch(f"{size}-{size}", text.strip(), re.IGNORECASE)
    if not match or not any(match.groups()):
        raise argparse.ArgumentTypeError(
            _("{text} is not a range of sizes; write it like 4B-9B").format(text=text)
        )
    units = {"M": 10**6, "B": 10**9}
    smallest, largest = (
        round(float(number) * units[unit.upper()]) if number else None
        for number, unit in (match.group(1, 2), match.group(3, 4))
    )
    return smallest, largest


def run_count(text: str) -> int:
    """Read how often something is measured: 1 to 99.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    if not re.fullmatch(r"[1-9][0-9]?", text.strip()):
        raise argparse.ArgumentTypeError(_("{text} is not a whole number from 1 to 99").format(text=text))
    return int(text)
