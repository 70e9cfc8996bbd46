"""The words of `fireside bench`, and what it prints."""

import argparse
import json
from types import SimpleNamespace

import pytest

from app.cli import bench
from app.cli.arguments import parser, run_count
from app.domain.errors import UserError
from app.services.benchmark import Speed

SPEED = Speed("SmolLM2", 2, 8192, 341.04, 54.6, 1.4236, 0.197, 0.2014, 410_800_000)


class Services:
    """Only what the command touches; notes what was asked for."""

    def __init__(self):
        self.models = SimpleNamespace(refresh=lambda: None, find=lambda _all, name: name)
        self.benchmark = self
        self.asked = None

    def measure(self, model, context, runs, on_progress):
        self.asked = (model, context, runs)
        on_progress(0.5)
        return SPEED


def run(*words):
    services = Services()
    loop = SimpleNamespace(result=lambda future: [])
    assert bench.run(services, loop, parser().parse_args(["bench", *words])) == 0
    return services.asked


def test_the_table_has_plain_words_units_and_the_words_of_the_field(capsys):
    assert run("smol") == ("smol", None, 3)
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    shown = {line[0]: [part.strip() for part in line[1:] if part.strip()] for line in lines}
    assert shown["reading a question"] == ["341.0 tokens a second", "prefill"]
    assert shown["writing an answer"] == ["54.6 tokens a second", "decode"]
    assert shown["first word after a restart"] == ["0.201 seconds", "first token, restored"]
    assert shown["most memory used"] == ["410.8 MB", "peak memory"]


def test_json_is_one_object_and_options_are_passed_on(capsys):
    assert run("smol", "--json", "--context", "4k", "--runs", "5") == ("smol", 4096, 5)
    assert json.loads(capsys.readouterr().out) == SPEED.to_json()


@pytest.mark.parametrize("text", ["0", "-1", "100", "three", "1.5", ""])
def test_a_number_of_runs_is_from_1_to_99(text):
    with pytest.raises(argparse.ArgumentTypeError, match="not a whole number from 1 to 99"):
        run_count(text)


def test_a_scaling_is_refused_where_it_would_not_be_looked_at():
    with pytest.raises(UserError, match="tested with --long"):
        run("smol", "--rope", "ntk")
