"""`fireside bench --long`: how well a model reads long texts, as a chart in the terminal."""

import argparse
import math

from app.cli.loop import Loop
from app.cli.options import rotated
from app.cli.output import clear_progress, print_columns, print_json, show_progress
from app.domain.language import _, joined
from app.domain.loading import LoadOptions
from app.domain.long_reading import LongReading
from app.domain.model import Model
from app.domain.settings import Settings
from app.services import Services
from app.services.long_reading import Test

_BARS = 24  # cells of the longest bar
_ROWS = 16


def run(services: Services, loop: Loop, arguments: argparse.Namespace) -> int:
    """Test one model, and print what came of it, or one JSON object; Ctrl+C ends it with nothing printed."""
    context = Settings(context=arguments.context).checked().context
    options = rotated(LoadOptions(), arguments)
    model = services.models.find(loop.result(services.models.refresh()), arguments.model)
    test = services.long_readings.begin(model, context, options)
    try:
        while not test.result.done():
            loop.tick()
            _show(test)
    except BaseException:
        test.stop()
        raise
    finally:
        clear_progress()
    reading = test.result.result()
    if reading is not None:
        _print(model, reading, as_json="json" in arguments)
    return 0


def _show(test: Test) -> None:
    words = _("Reading… {percent} %").format(percent=round(test.done * 100))
    left = test.seconds_left
    rest = "" if left is None else _("{count} min left").format(count=math.ceil(left / 60))
    show_progress(joined(words, rest))


def _print(model: Model, reading: LongReading, *, as_json: bool) -> None:
    if as_json:
        said = {"verdict": reading.verdict, "cost": reading.cost, "found": reading.found}
        print_json({"model": model.name} | reading.to_json() | said)
        return
    print(reading.verdict)
    print(reading.facts_sentence)
    print()
    print(_("How unsure it was of the next word, by position (perplexity; less is better):"))
    print_columns(_chart(reading))
    print()
    print_columns(_figures(reading))
    print()
    print(_("Facts planted in the text:"))
    print_columns([_fact_row(fact.depth, fact.code, fact.said, found=fact.found) for fact in reading.facts])


def _chart(reading: LongReading) -> list[tuple[str, ...]]:
    """Return a row for each stretch of the text: where it begins, and a bar for each way of reading."""
    size = len(reading.scaled)
    together = math.ceil(size / _ROWS)
    curves = [reading.scaled] + ([reading.unscaled] if reading.unscaled else [])
    merged = [_merged(curve, together) for curve in curves]
    most = max(map(max, merged))
    titles = [_("from token"), _("as scaled") if reading.unscaled else _("perplexity"), ""]
    if reading.unscaled:
        titles += [_("without scaling"), ""]
    rows: list[tuple[str, ...]] = [(*titles, "")]
    for number, values in enumerate(zip(*merged, strict=True)):
        begin = number * together * reading.step
        row = [f"{begin:,}"]
        for value in values:
            row += [f"{value:,.1f}", "█" * max(1, round(_BARS * value / most))]
        after = reading.trained and begin >= reading.trained > begin - together * reading.step
        rows.append((*row, _("← trained up to here") if after else ""))
    return rows


def _merged(curve: tuple[float, ...], together: int) -> list[float]:
    """Return the geometric mean of every so many values."""
    parts = [curve[at : at + together] for at in range(0, len(curve), together)]
    return [math.exp(sum(map(math.log, part)) / len(part)) for part in parts]


def _figures(reading: LongReading) -> list[tuple[str, str]]:
    rows = [
        (_("tokens read"), f"{reading.tokens:,}"),
        (_("trained context"), f"{reading.trained:,}" if reading.trained else "?"),
        (_("position scaling"), reading.scaling_word),
        (
            _("perplexity of the last {count:,} tokens").format(count=reading.tail),
            f"{reading.tail_scaled:,.1f}",
        ),
    ]
    if reading.tail_unscaled is not None:
        rows.append((_("… without scaling"), f"{reading.tail_unscaled:,.1f}"))
    if reading.tail_inside is not None:
        rows.append((_("… read within the trained context"), f"{reading.tail_inside:,.1f}"))
    return rows


def _fact_row(depth: float, code: str, said: str, *, found: bool) -> tuple[str, str, str]:
    answer = said.partition("\n")[0][:60]
    mark = _("found") if found else _("not found: {answer}").format(answer=answer)
    return (_("at {percent} % of the text").format(percent=round(depth * 100)), code, mark)
