"""What `fireside bench --long` asks for and prints."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.cli import bench
from app.cli.arguments import parser
from app.domain.errors import UserError
from app.domain.loading import LoadOptions, rope_options
from app.domain.long_reading import Fact, LongReading
from app.services.long_reading import Test

FOUND = LongReading(
    context=12288, tokens=12288, trained=8192, scaling="yarn", factor=2.0, freq_base=10_000.0, step=512,
    scaled=(30.0,) * 24, unscaled=(30.0,) * 16 + (90.0,) * 8, tail=2048, tail_scaled=31.0,
    tail_unscaled=90.0, tail_inside=30.0,
    facts=(Fact(0.1, "48213", "48213.", True), Fact(0.5, "70952", "I do not\nknow", False)), seconds=1.0,
)  # fmt: skip


def run(*words, found=FOUND, interrupt=False):
    asked, stopped = [], []

    def begin(model, context, options):
        test = Test(model, lambda: stopped.append(True))
        if isinstance(found, UserError):
            test.result.set_exception(found)
        elif not interrupt:
            test.result.set_result(found)
        asked.append((model.name, context, options))
        return test

    def tick():
        raise KeyboardInterrupt

    services = SimpleNamespace(
        models=SimpleNamespace(refresh=lambda: None, find=lambda _all, name: SimpleNamespace(name=name)),
        long_readings=SimpleNamespace(begin=begin),
    )
    loop = SimpleNamespace(result=lambda future: [], tick=tick)
    try:
        assert bench.run(services, loop, parser().parse_args(["bench", *words, "--long"])) == 0
    except KeyboardInterrupt:
        assert stopped
        raise
    return asked[0]


def test_a_sentence_a_chart_and_the_figures(capsys):
    assert run("smol") == ("smol", None, LoadOptions())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "It reads 12,288 tokens as well as the 8,192 it was trained for."
    assert lines[1] == "It found 1 of 2 facts planted in the text."
    rows = {line.split()[0]: line for line in lines if line[:1].isdigit()}
    assert len(rows) == 12
    assert rows["0"].count("█") == 16  # a third of 24, twice
    assert rows["11,264"].count("█") == 8 + 24
    assert [start for start, row in rows.items() if "trained up to here" in row] == ["8,192"]
    assert "YaRN × 2" in next(line for line in lines if line.startswith("position scaling"))
    assert any(line.endswith("not found: I do not") for line in lines)
    run("smol", found=replace(FOUND, unscaled=(), tail_unscaled=None, tail_inside=None, trained=0))
    assert "without scaling" not in capsys.readouterr().out


def test_json_is_one_object_and_options_are_passed_on(capsys):
    expected = LoadOptions(rope=rope_options("ntk", factor=2.0))
    words = ("smol", "--json", "--context", "12k", "--rope", "ntk", "--rope-factor", "2")
    assert run(*words) == ("smol", 12288, expected)
    printed = json.loads(capsys.readouterr().out)
    assert printed["tail_scaled"] == 31.0
    assert printed["verdict"] == FOUND.verdict
    assert LongReading.from_json(printed) == FOUND


def test_what_cannot_be_done_is_raised_and_an_interruption_stops_the_test():
    with pytest.raises(UserError, match="Not so"):
        run("smol", found=UserError("Not so."))
    with pytest.raises(KeyboardInterrupt):
        run("smol", interrupt=True)
