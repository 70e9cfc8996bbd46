"""The command as people run it: real processes, the real model."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_models import aborting

pytestmark = pytest.mark.real_model


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def start(home: Path, *words: str, **options: object) -> "subprocess.Popen[str]":
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    environment |= {"FIRESIDE_HOME": str(home), "LANG": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "app", *words], text=True, env=environment, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,  # type: ignore[call-overload]
    )  # fmt: skip


def fireside(home: Path, *words: str, said: str = "", code: int = 0) -> str:
    """Run one command; return what it printed, to either side, after checking its exit code."""
    process = start(home, *words)
    out, err = process.communicate(said, timeout=110)
    assert process.returncode == code, out + err
    return out if code == 0 else err


def ask(home: Path, *options: str) -> dict[str, object]:
    out = fireside(home, "ask", "What is the capital of France?", "--json", "--max-tokens", "16", *options)
    answer: dict[str, object] = json.loads(out)
    return answer


def test_ask_gives_the_same_answer_for_the_same_seed_in_fresh_processes(home: Path) -> None:
    first, again, other = ask(home, "--seed", "1"), ask(home, "--seed", "1"), ask(home, "--seed", "2")
    assert first["text"] == again["text"] != other["text"]
    assert set(first) == {
        "text", "stop_reason", "prompt_tokens", "reused_tokens", "generated_tokens", "prefill_seconds",
        "decode_seconds", "first_token_seconds", "seed", "model", "context",
        "samplers", "threads", "flash_attention", "drafted_tokens", "accepted_tokens",
    }  # fmt: skip
    assert first["seed"] == 1
    assert first["context"] == {"size": 8192, "rope": "none", "kv_type": "f16"}
    assert first["model"] == {
        "name": "SmolLM2 135M Instruct",
        "sha256": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    }


def test_ask_streams_reads_standard_input_and_keeps_nothing(home: Path) -> None:
    out = fireside(
        home,
        "ask",
        "-",
        "--max-tokens",
        "5",
        "--context",
        "1k",
        "--system",
        "Be brief.",
        said="What is rain?",
    )
    assert out.strip()
    assert json.loads(fireside(home, "history", "--json")) == []


def test_an_answer_follows_a_schema_and_tells_its_probabilities(home: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"enum": ["yes", "no"]}')
    options = ("--json-schema", str(schema), "--probabilities", "2", "--kv-type", "q8_0", "--threads", "1")
    answer = ask(home, *options)
    assert json.loads(str(answer["text"])) in ("yes", "no")
    tokens: Any = answer["probabilities"]
    assert "".join(token["text"] for token in tokens).strip().startswith(str(answer["text"]).strip())
    assert {len(token["top"]) for token in tokens} == {2}
    assert answer["context"] == {"size": 8192, "rope": "none", "kv_type": "q8_0"}
    assert (answer["threads"], answer["flash_attention"]) == (1, True)


def test_a_full_chat_does_as_it_was_told_and_says_what_is_no_longer_seen(home: Path) -> None:
    words = "fox " * 100
    process = start(home, "chat", "--context", "256", "--max-tokens", "4", "--when-full", "ask")
    said = f"{words}\n{words}two\n{words}three\n/full drop\n{words}three\n"
    out, err = process.communicate(said, timeout=110)
    assert process.returncode == 0
    assert err.count("This chat has outgrown its context") == 1
    assert "The model no longer sees the " in err
    assert "oldest messages of this chat." in err
    (chat,) = json.loads(fireside(home, "history", "--json"))
    shown = json.loads(fireside(home, "history", "show", str(chat["id"]), "--json"))["messages"]
    assert [message["role"] for message in shown] == ["user", "assistant"] * 3
    assert "{" not in err + out


def test_chat_is_kept_and_its_second_turn_reads_only_what_is_new(home: Path) -> None:
    said = "Tell me about a fox.\nAnd about an owl.\n/again\n/tell is no command\n"
    fireside(home, "chat", "--max-tokens", "8", said=said)
    (chat,) = json.loads(fireside(home, "history", "--json"))
    assert chat["title"] == "Tell me about a fox."
    shown = json.loads(fireside(home, "history", "show", str(chat["id"]), "--json"))["messages"]
    assert [message["role"] for message in shown] == ["user", "assistant"] * 3
    first, again, last = (message["stats"] for message in shown[1::2])
    assert again["prompt_tokens"] - again["reused_tokens"] == 1  # /again reads the last token only
    # A turn reads only what is new; of an answer that its limit ended, the last token is new too.
    assert last["reused_tokens"] >= again["prompt_tokens"] + again["generated_tokens"] - 1
    assert again["prompt_tokens"] > first["prompt_tokens"] + first["generated_tokens"]
    assert shown[1]["model"]["sha256"].startswith("b179")
    assert "And about an owl." in fireside(home, "history", "show", str(chat["id"]))


def test_models_are_listed_added_and_told_about(home: Path, gemma: Path) -> None:
    assert [model["origin"] for model in json.loads(fireside(home, "models", "--json"))] == ["starter"]
    assert "Gemma" in fireside(home, "models", "add", str(gemma))
    assert "Gemma" in fireside(home, "models")
    assert "base model" in fireside(home, "chat", "--model", "gemma", said="/quit\n")
    info = json.loads(fireside(home, "models", "info", "gemma", "--json"))
    assert (info["architecture"], info["origin"], info["has_template"]) == ("gemma3", "linked", False)
    assert info["sha256"] == "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
    assert (info["fit"], info["last_used"], info["tokens_per_second"]) == ("fits", None, 0.0)


def test_a_plan_says_what_a_context_takes_and_what_would_fit(home: Path) -> None:
    plan = json.loads(fireside(home, "plan", "smol", "--context", "4k", "--json"))
    memory = plan["memory"]
    assert plan["fits"]
    assert memory["kv_cache"] == 4096 * 30 * 2 * 3 * 64 * 2  # layers, keys and values, heads, size, f16
    small = json.loads(fireside(home, "plan", "smol", "--context", "8k", "--memory", "200MiB", "--json"))
    assert not small["fits"]
    assert small["advice"]
    assert "it does not fit" in fireside(home, "plan", "smol", "--context", "8k", "--memory", "200MiB")


def test_doctor_tells_what_a_bug_report_needs(home: Path) -> None:
    facts = json.loads(fireside(home, "doctor", "--json"))
    assert facts["devices"][-1]["name"] == "CPU"
    assert tuple(map(int, facts["sqlite"].split("."))) >= (3, 51, 3)
    assert facts["folders"]["data"] == str(home)
    assert str(home) in fireside(home, "doctor")


def test_a_reader_who_has_enough_ends_it_without_a_word(home: Path) -> None:
    process = start(home, "doctor")
    assert process.stdout is not None
    process.stdout.close()
    _out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, "")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["ask", "  "], 3, "The question is empty."),
        (["ask", "Hi", "--model", "nosuch"], 3, "no model called “nosuch”"),
        (["ask", "Hi", "--model", "./nosuch.gguf"], 3, "cannot be found"),
        (["ask", "Hi", "--temperature", "-1"], 3, "temperature must be between 0 and 5"),
        (["ask", "Hi", "--context", "64"], 3, "context must be between 256"),
        (["ask", "Hi", "--context", "128k"], 3, "too far beyond what this model was trained for"),
        (["ask", "Hi", "--context", "1000000000000"], 3, "context must be between 256"),
        (["ask", "Hi", "--rope", "ntk", "--rope-freq-base", "5"], 3, "rope-freq-base has no effect"),
        (["ask", "Hi", "--context", "lots"], 2, "not a number of tokens"),
        (["ask", "word " * 400, "--context", "256"], 3, "tokens long, but the context holds only 256"),
        (["history", "show", "77"], 3, "no longer exists"),
        (["models", "add", "/etc/hostname"], 3, "not a GGUF model"),
        (["nosuch"], 2, "invalid choice"),
        (["ask", "Hi", "--lora", "/etc/hostname"], 3, "Choose a LoRA adapter"),
        (["ask", "Hi", "--draft", "nosuch"], 3, "no model called “nosuch”"),
        ([], 3, "fireside chat"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_code(
    home: Path, words: list[str], code: int, sentence: str
) -> None:
    assert sentence in fireside(home, *words, code=code)


def test_a_file_that_makes_llama_cpp_abort_is_a_sentence_also_the_second_time(
    home: Path, tmp_path: Path
) -> None:
    bad = aborting().write(tmp_path / "Bad.gguf")
    for _time in range(2):
        assert "“Bad.gguf” crashed the engine" in fireside(home, "ask", "Hi", "--model", str(bad), code=3)
    assert ask(home)["text"]


def test_a_home_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "a file is in the way" in fireside(tmp_path / "file", "history", code=3)


def test_an_answer_that_was_killed_is_there_afterwards_and_can_be_continued(home: Path) -> None:
    process = start(home, "chat")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("Write a very long story about a fox.\n")
    process.stdin.flush()
    shown = ""
    while len(shown) < 300:
        shown += process.stdout.read(1)
    process.kill()
    process.communicate()
    told = shown.split("> ", 1)[1]
    (chat,) = json.loads(fireside(home, "history", "--json"))
    question, answer = json.loads(fireside(home, "history", "show", str(chat["id"]), "--json"))["messages"]
    assert question["text"] == "Write a very long story about a fox."
    assert answer["status"] == "interrupted"
    # What the last 33 ms brought may have been shown while it was on its way to the disk.
    assert answer["text"].startswith(told[:-60])


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_an_interrupted_question_ends_with_130_and_what_it_had(home: Path) -> None:
    process = start(home, "ask", "Write a very long story about a fox.")
    assert process.stdout is not None
    begun = process.stdout.read(20)
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    rest, _err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(begun + rest) > 20
    assert time.monotonic() - asked < 10
