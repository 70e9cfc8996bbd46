"""What `fireside ask` asks for, and what it prints of the answer."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.cli import ask
from app.cli.arguments import parser
from app.domain.errors import UserError
from app.domain.generation import (
    Choice,
    Chosen,
    Failed,
    Finished,
    Job,
    Loading,
    Piece,
    Reading,
    Stats,
    StopReason,
)
from app.domain.loading import Adapter, LoadOptions
from app.domain.model import Model, Origin
from app.domain.settings import Settings

MODELS = {name: Model(Path(f"{name}.gguf"), name, Origin.LINKED, 1, sha256="ab") for name in ("big", "small")}
CHOSEN = Chosen(Choice(3, " a", -0.5), (Choice(3, " a", -0.5), Choice(4, '"', -math.inf)))


def stats(reason=StopReason.END):
    return Stats(reason, 9, 4, 3, 0.1, 0.2, 0.15, 7, 1024, "yarn", "q8_0", True, 2, 6, 5, ("top_k", "draw"))


class Services:
    """Finds models by name, and answers with the events it was given."""

    def __init__(self, events):
        self.models = SimpleNamespace(
            refresh=lambda: None,
            find=lambda _all, name: MODELS[name or "big"],
            identified=lambda model: model,
        )
        self.questions = self
        self.events = events
        self.asked = None

    def ask(self, *asked):
        self.asked = asked
        job = Job()
        for event in self.events:
            job.put(event)
        return job


THOUGHT_ABOUT = (Piece("Hm.", True), Piece("Yes"), Piece("."), Finished(stats()))


def run(*words, events=THOUGHT_ABOUT, code=0):
    services = Services(events)
    loop = SimpleNamespace(result=lambda what: what)
    assert ask.run(services, loop, parser().parse_args(["ask", "Is it?", *words])) == code
    return services.asked


def test_everything_that_was_given_reaches_the_question(capsys):
    words = (
        "--system Brief. --seed 7 --no-speculation --kv-type q8_0 --threads 1 --draft small --lora a.gguf:0.5"
    )
    assert run(*words.split()) == (
        MODELS["big"],
        "Is it?",
        "Brief.",
        Settings(seed=7, speculation=False),
        LoadOptions(kv_type="q8_0", threads=1, draft=Path("small.gguf")),
        (Adapter(Path("a.gguf"), 0.5),),
    )


def test_a_pipe_gets_the_answer_without_what_was_thought(capsys):
    events = (
        Loading(0.5),
        Reading(0, 9),
        Reading(9, 9),
        Piece("Hm.", True),
        Piece("Yes."),
        Finished(stats()),
    )
    run(events=events)
    assert capsys.readouterr() == ("Yes.\n", "")


def test_a_terminal_gets_what_was_thought_dimmed(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    run()
    assert capsys.readouterr().out == "\x1b[2mHm.\x1b[22m\n\nYes.\n"


def test_json_holds_the_answer_and_what_it_took(capsys):
    run("--json")
    assert json.loads(capsys.readouterr().out) == {
        "text": "Yes.", "stop_reason": "end", "prompt_tokens": 9, "reused_tokens": 4, "generated_tokens": 3,
        "prefill_seconds": 0.1, "decode_seconds": 0.2, "first_token_seconds": 0.15, "seed": 7,
        "model": {"name": "big", "sha256": "ab"},
        "context": {"size": 1024, "rope": "yarn", "kv_type": "q8_0"},
        "samplers": ["top_k", "draw"],
        "threads": 2, "flash_attention": True, "drafted_tokens": 6, "accepted_tokens": 5, "reasoning": "Hm.",
    }  # fmt: skip


def test_json_has_reasoning_only_when_there_is_any_and_probabilities_when_asked(capsys):
    run("--json", "--probabilities", "2", events=(Piece(" a"), CHOSEN, Finished(stats())))
    answer = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert "reasoning" not in answer
    assert answer["probabilities"] == [
        {"token": 3, "text": " a", "logprob": -0.5,
         "top": [{"token": 3, "text": " a", "logprob": -0.5}, {"token": 4, "text": '"', "logprob": None}]}
    ]  # fmt: skip


def test_probabilities_stand_below_an_answer(capsys):
    run("--probabilities", "2", events=(Piece(" a"), CHOSEN, Finished(stats())))
    assert capsys.readouterr().out == ' a\n\n" a" 60.7%  " a" 60.7%  "\\"" 0.0%\n'


@pytest.mark.parametrize("option", ["--json-schema", "--grammar"])
def test_an_answer_in_a_form_that_its_limit_cut_is_said_to_be_cut(option, capsys, tmp_path):
    form = tmp_path / "form"
    form.write_text("{}")
    cut = (Piece("{"), Finished(stats(StopReason.LENGTH)))
    run(option, str(form), events=cut)
    assert "may not be complete" in capsys.readouterr().err
    run(option, str(form))
    run(option, str(form), "--json", events=cut)
    run(events=cut)
    assert capsys.readouterr().err == ""


def test_a_cancelled_answer_ends_with_130_and_a_failed_one_with_its_sentence():
    run(events=(Piece("Ye"), Finished(stats(StopReason.CANCELLED))), code=130)
    with pytest.raises(UserError, match="No room"):
        run(events=(Piece("Ye"), Failed(UserError("No room."))))
