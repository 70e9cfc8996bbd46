"""`fireside plan`: what a model takes at a context, without loading it."""

import argparse

from app.cli.loop import Loop
from app.cli.options import rotated
from app.cli.output import print_columns, print_json, size
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.rope_words import note, quality_word, scaling_word
from app.domain.settings import Settings
from app.services import Services
from app.services.plan import Plan, plan

_BAR = 60  # characters


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Print what a model takes, and what to do when it does not fit; or one JSON object."""
    context = Settings(context=arguments.context).checked().context
    model = services.models.find(loop.result(services.models.refresh()), arguments.model)
    options = rotated(LoadOptions(kv_type=arguments.kv_type), arguments)
    found = plan(model, context, options, arguments.memory)
    if "json" in arguments:
        print_json(found.to_json())
        return 0
    print_columns(_lines(found))
    print(_bar(found))
    notes = () if arguments.rope == "auto" and found.rope.from_file else found.rope.notes
    for sentence in [*map(note, notes), *found.advice]:
        print(sentence)
    print()
    print(_("The same context with other options:"))
    print_columns(_alternatives(found))
    print()
    print(_("The largest context that fits with flash attention, by KV type and batch size:"))
    print_columns(_fitting(found))
    return 0


def _bar(found: Plan) -> str:
    """Return the memory that there is as a line of characters: what is taken for what, and what is free."""
    memory = found.memory
    parts = {"█": memory.weights, "▓": memory.kv_cache, "▒": memory.compute}
    parts["░"] = memory.vocabulary + memory.program
    whole = max(found.available, memory.total, 1)
    drawn, taken = "", 0
    for letter, part in parts.items():
        taken += part
        drawn += letter * (round(_BAR * taken / whole) - len(drawn))
    return f"[{drawn:·<{_BAR}}]"


def _fitting(found: Plan) -> list[tuple[str, ...]]:
    """Return a table of the largest contexts, a line for each type of the KV cache, with a line of titles."""
    kinds = list(dict.fromkeys(kind for kind, _size in found.fitting))
    sizes = list(dict.fromkeys(size for _kind, size in found.fitting))
    rows = [
        (kind, *(f"{found.fitting[kind, size]:,}" if found.fitting[kind, size] else "–" for size in sizes))
        for kind in kinds
    ]
    return [(_("KV type"), *map(str, sizes)), *rows]


def _alternatives(found: Plan) -> list[tuple[str, ...]]:
    """Return a table of what each way takes, with a line of titles."""
    titles = (
        _("KV type"),
        _("flash attention"),
        _("batch size"),
        _("whole window"),
        _("KV cache"),
        _("compute buffers"),
        _("total"),
    )
    rows = [
        (
            each.layout.kv_type,
            _("on") if each.layout.flash_attention else _("off"),
            str(each.layout.ubatch),
            _("on") if each.layout.whole_window else _("off"),
            size(each.memory.kv_cache),
            size(each.memory.compute),
            size(each.memory.total),
        )
        for each in found.alternatives
    ]
    return [titles, *rows]


def _lines(found: Plan) -> list[tuple[str, str, str]]:
    """Return each figure: in plain words, with its unit, and in the field's word."""
    memory = found.memory
    trained = f"{found.trained_context:,}" if found.trained_context else "?"
    return [
        (_("model"), found.model, ""),
        (_("tokens seen at once"), f"{found.context:,}", _("context")),
        (_("tokens it was trained to see at once"), trained, _("trained context")),
        (_("position scaling"), scaling_word(found.rope), "RoPE"),
        (_("how well it reads at this length"), quality_word(found.rope.quality), ""),
        (_("the model itself"), size(memory.weights), _("weights") + " █"),
        (
            _("room for the conversation"),
            size(memory.kv_cache),
            _("KV cache, {type}").format(type=found.kv_type) + " ▓",
        ),
        (_("room to compute in"), size(memory.compute), _("compute buffers") + " ▒"),
        (_("the words it knows"), size(memory.vocabulary), _("vocabulary") + " ░"),
        (_("Fireside itself"), size(memory.program), "░"),
        (_("total"), size(memory.total), ""),
        (_("memory available"), size(found.available), _("it fits") if found.fits else _("it does not fit")),
    ]
