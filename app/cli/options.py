"""The options that shape an answer, or how its model is loaded: the same for every command that answers."""

import argparse
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.cli.loop import Loop
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.loading import KV_TYPES, ROPE_METHODS, ROPE_NUMBERS, Adapter, LoadOptions, rope_options
from app.domain.model import Model
from app.domain.rope_words import number_meanings
from app.domain.sampler_words import meanings
from app.domain.settings import SAMPLERS, Settings
from app.services import Services

_MOST_BYTES = 4_000_000  # of a grammar or a schema; the largest that anyone writes have some ten thousand


def add_options(command: argparse.ArgumentParser) -> None:
    """Give `command` all of them, in groups."""
    _add_usual(command)
    _add_samplers(command.add_argument_group(_("how each token is chosen")))
    _add_form(command.add_argument_group(_("the form of the answer")))
    _add_loading(command.add_argument_group(_("memory and devices")))
    add_rope(command)


def settings_from(arguments: argparse.Namespace) -> Settings:
    """Return the settings that the options give; what was not given is left to the model and to us.

    Raises:
        UserError: When a value is out of range, or a file cannot be read.
    """
    names = ("context", "max_tokens", "seed", "probabilities", *SAMPLERS)
    given: dict[str, Any] = {
        name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None
    }
    for name in ("grammar", "json_schema"):
        if path := getattr(arguments, name):
            given[name] = _read(path)
    if arguments.dry_breaker:
        given["dry_breakers"] = tuple(arguments.dry_breaker)
    return Settings(
        logit_bias=tuple(arguments.logit_bias),
        speculation=arguments.speculation,
        template_variables=dict(arguments.template),
        **given,
    ).checked()


def model_from(services: Services, loop: Loop, arguments: argparse.Namespace) -> tuple[Model, LoadOptions]:
    """Return the model that is asked for, and how it is to be loaded.

    Raises:
        UserError: When it, or the one that guesses ahead for it, is not there.
    """
    models = loop.result(services.models.refresh())
    draft = services.models.find(models, arguments.draft).path if arguments.draft else None
    return services.models.find(models, arguments.model), options_from(arguments, draft)


def options_from(arguments: argparse.Namespace, draft: Path | None = None) -> LoadOptions:
    """Return how the model is to be loaded.

    Args:
        arguments: The command's.
        draft: The file of the model that `--draft` names.

    Raises:
        UserError: When two of the options contradict each other.
    """
    if arguments.flash_attention == "off" and arguments.kv_type != "f16":
        raise UserError(
            _("A KV cache of type {type} needs flash attention.").format(type=arguments.kv_type),
            _("Leave out --flash-attention off, or use --kv-type f16."),
        )
    options = LoadOptions(
        kv_type=arguments.kv_type,
        flash_attention=None if arguments.flash_attention is None else arguments.flash_attention == "on",
        ubatch=arguments.ubatch,
        whole_window=arguments.whole_window,
        mmap=arguments.mmap,
        mlock=arguments.mlock,
        gpu_layers=arguments.gpu_layers,
        threads=arguments.threads,
        gentle=arguments.gentle,
        draft=draft,
    )
    return rotated(options, arguments)


def rotated(options: LoadOptions, arguments: argparse.Namespace) -> LoadOptions:
    """Return `options` with what `add_rope` gave the command.

    Raises:
        UserError: When a number is out of range, or contradicts another.
    """
    numbers = {name: getattr(arguments, f"rope_{name}") for name in ROPE_NUMBERS}
    return replace(options, rope=rope_options(arguments.rope, **numbers))


def adapters_from(arguments: argparse.Namespace) -> tuple[Adapter, ...]:
    """Return the LoRA adapters, in the order given."""
    return tuple(arguments.lora)


def add_json(command: argparse.ArgumentParser) -> None:
    """Add what has a command print JSON."""
    # Without a default of its own, so that `models --json info M` is not undone by the inner parser.
    command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=_("print JSON"))


def _add_usual(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--context",
        type=token_count,
        metavar="N",
        help=_("the context: how many tokens the model sees at once, such as 16k"),
    )
    command.add_argument("--max-tokens", type=int, metavar="N", help=_("write at most N tokens"))
    command.add_argument("--temperature", type=float, metavar="X", help=meanings()["temperature"])
    command.add_argument("--seed", type=int, metavar="N", help=_("the same seed gives the same answer"))


def _add_samplers(group: "argparse._ArgumentGroup") -> None:
    for name, meaning in meanings().items():
        if name == "temperature":  # stands among the usual ones
            continue
        whole = SAMPLERS[name].whole
        group.add_argument(
            _flag(name), type=int if whole else float, metavar="N" if whole else "X", help=meaning
        )
    group.add_argument(
        "--dry-breaker", action="append", type=_quoted, metavar="TEXT",
        help=_("DRY: a text that ends a sequence, instead of the usual ones; may be given several times"),
    )  # fmt: skip
    group.add_argument(
        "--logit-bias", action="append", default=[], type=bias, metavar="TOKEN=BIAS",
        help=_("make a token, given as text or number, more or less likely; may be given several times"),
    )  # fmt: skip


def _add_form(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--grammar",
        type=Path,
        metavar="FILE",
        help=_("a file with a GBNF grammar that the answer must follow"),
    )
    group.add_argument(
        "--json-schema",
        type=Path,
        metavar="FILE",
        help=_("a file with a JSON Schema that the answer must match"),
    )
    group.add_argument(
        "--probabilities", type=int, metavar="N", help=_("print the N likeliest tokens at each position")
    )
    group.add_argument(
        "--template", action="append", default=[], type=variable, metavar="NAME=VALUE",
        help=_("set a variable of the chat template, such as "
               "enable_thinking=false; may be given several times"),
    )  # fmt: skip
    group.add_argument(
        "--lora", action="append", default=[], type=adapter, metavar="PATH[:SCALE]",
        help=_("apply a LoRA adapter to the model; may be given several times"),
    )  # fmt: skip


def _add_loading(group: "argparse._ArgumentGroup") -> None:
    usual = LoadOptions()
    group.add_argument(
        "--kv-type",
        choices=KV_TYPES,
        default=usual.kv_type,
        help=_("the number type of the KV cache; smaller types take less memory"),
    )
    group.add_argument(
        "--flash-attention",
        choices=("on", "off"),
        help=_("compute attention with less memory (default: chosen for this computer)"),
    )
    group.add_argument(
        "--ubatch", type=_whole(1, 65536), default=usual.ubatch, metavar="N",
        help=_("how many tokens are computed at once while reading"),
    )  # fmt: skip
    group.add_argument(
        "--whole-window",
        action="store_true",
        help=_("sliding-window models: also keep what lies outside the window; takes more memory"),
    )
    group.add_argument(
        "--no-mmap",
        dest="mmap",
        action="store_false",
        help=_("read the model's file into memory instead of mapping it"),
    )
    group.add_argument(
        "--mlock", action="store_true", help=_("lock the model in memory, so that it is never swapped out")
    )
    group.add_argument(
        "--gpu-layers",
        type=_whole(0, 9999),
        metavar="N",
        help=_("how many layers of the model run on the GPU"),
    )
    group.add_argument("--threads", type=_whole(1, 512), metavar="N", help=_("how many CPU threads to use"))
    group.add_argument(
        "--gentle", action="store_true", help=_("use fewer threads on battery, or while the computer is busy")
    )
    group.add_argument(
        "--draft",
        metavar="M",
        help=_("a small model of the same family that guesses ahead (speculative decoding)"),
    )
    group.add_argument(
        "--no-speculation", dest="speculation", action="store_false",
        help=_("write tokens one by one, without guessing ahead"),
    )  # fmt: skip


def add_rope(command: argparse.ArgumentParser) -> None:
    """Give `command` what decides how a context beyond the trained length is read."""
    group = command.add_argument_group(_("how positions are scaled (for experts)"))
    group.add_argument(
        "--rope", choices=ROPE_METHODS, default="auto",
        help=_("how to read beyond the trained context (default: auto, which scales only where it must)"),
    )  # fmt: skip
    for name, meaning in number_meanings().items():
        tokens = name == "original_context"
        group.add_argument(
            _flag(f"rope_{name}"), type=token_count if tokens else float, metavar="N" if tokens else "X",
            help=meaning,
        )  # fmt: skip


def token_count(text: str) -> int:
    """Read "8192" or "16k" (of 1,024).

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    match = re.fullmatch(r"(\d{1,15})([kK]?)", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(
            _("{text} is not a number of tokens; write it like 8192 or 16k").format(text=text)
        )
    return int(match[1]) * (1024 if match[2] else 1)


def bias(text: str) -> tuple[str | int, float]:
    r"""Read `TOKEN=BIAS`: digits are a token's number, `"…"` is a text as in JSON, all else a text as it is.

    Raises:
        argparse.ArgumentTypeError: For anything else.
    """
    token, separator, amount = text.rpartition("=")
    try:
        if separator and token:
            return (int(token) if re.fullmatch(r"\d{1,10}", token) else _quoted(token)), float(amount)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        _("{text} is not a bias; write it like word=-5 or 1234=2.5").format(text=text)
    )


def variable(text: str) -> tuple[str, Any]:
    """Read `NAME=VALUE`; the value is JSON, or else a text.

    Raises:
        argparse.ArgumentTypeError: When it has no name.
    """
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise argparse.ArgumentTypeError(
            _("{text} is not a variable; write it like enable_thinking=false").format(text=text)
        )
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def adapter(text: str) -> Adapter:
    """Read `PATH[:SCALE]`; a colon in the name of a file that exists belongs to it.

    Raises:
        argparse.ArgumentTypeError: When the scale is no finite number.
    """
    path, separator, scale = text.rpartition(":")
    if not separator or not path or Path(text).exists() or not re.fullmatch(r"[-+.\w]+", scale):
        return Adapter(Path(text))
    try:
        amount = float(scale)
    except ValueError:
        return Adapter(Path(text))
    if not math.isfinite(amount):
        raise argparse.ArgumentTypeError(_("the scale in {text} must be a finite number").format(text=text))
    return Adapter(Path(path), amount)


def _quoted(text: str) -> str:
    """Read a text, or one in quotes with the escapes of JSON."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                _("{text} is not a whole number from {low} to {high}").format(text=text, low=low, high=high)
            )
        return int(text)

    return read


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UserError(
            _("“{file}” cannot be read: {reason}.").format(file=path, reason=error.strerror or error)
        ) from error
    if len(data) > _MOST_BYTES:
        raise UserError(_("“{file}” is too large for a grammar or a schema.").format(file=path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(_("“{file}” is not UTF-8 text.").format(file=path)) from error
    if not text.strip():
        raise UserError(_("“{file}” is empty.").format(file=path))
    return text
