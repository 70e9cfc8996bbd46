"""How fast the engine is, beside llama.cpp's own tool and beside what it would cost to do things twice.

`python tests/perf/engine_speed.py SHOW [--rounds N] …` prints one JSON object: what was measured, the ratio,
the target, and whether it was met; `all` runs every show, each in a process of its own. It ends with 1 when
a target was missed. Everything is a ratio inside one run, taken in turn with what it is compared with, since
a computer that does other things too gives no seconds that mean anything.

- peer: llama-bench, built by llama_bench.py from the same source: prefill of 512 tokens, decode of 64.
- class: the `Llama` class of llama-cpp-python, streaming one answer of 2,000 tokens, each as it comes.
- warm: the 20th turn of a chat, against reading its new tokens with bare calls of llama.cpp.
- restored: going on with a chat of 4,096 tokens after a restart, against reading it for the first time.
- regenerate: how much is read again for another answer to the same question.
- lookup: prompt lookup on and off, where the answer repeats the question and where it does not.
- together: four answers at once, against one after the other.
- stop: from the wish to the end, anywhere in the reading of 8,000 tokens.

The engine is the app's own, wired by app.main and reached as the app reaches it. Its decode is
measured as the tokens a second of whole answers, sampling included, which llama-bench leaves out.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from fireside_engine import GEMMA, PROSE, STORY, Answered, Choices, Fireside, words
from sides import ANSWER, PROMPT, Bare, side, speeds_of_llama_bench

from app.domain.generation import Reading, Turn
from models_registry.starter import find_starter


def at_least(ratios: list[float], target: float, **measured: Any) -> dict[str, Any]:
    """Return a result whose median ratio should reach `target`."""
    return _result(ratios, target, statistics.median(ratios) >= target, measured)


def at_most(ratios: list[float], target: float, **measured: Any) -> dict[str, Any]:
    """Return a result whose median ratio should not pass `target`."""
    return _result(ratios, target, statistics.median(ratios) <= target, measured)


def _result(ratios: list[float], target: float, met: bool, measured: dict[str, Any]) -> dict[str, Any]:
    rounded = {
        name: round(value, 4) if isinstance(value, float) else value for name, value in measured.items()
    }
    spread = [round(min(ratios), 3), round(max(ratios), 3)]
    return {
        **rounded,
        "ratio": round(statistics.median(ratios), 3),
        "spread": spread,
        "target": target,
        "met": met,
    }


def show_peer(choices: Choices) -> dict[str, Any]:
    """Compare with llama-bench, in turn, on both models, token by token at the same depths."""
    cases = []
    for model in (choices.model, GEMMA):
        choices = replace(choices, model=model)
        rounds = []
        for _round in range(choices.rounds):
            ours = side("speeds", choices)
            rounds.append((ours, speeds_of_llama_bench(choices, ours)))
        for depth in map(str, choices.depths):
            for what in ("prefill", "decode"):
                mine = [ours[depth][what] for ours, _theirs in rounds]
                peer = [theirs[depth][what] for _ours, theirs in rounds]
                ratios = [ours / theirs for ours, theirs in zip(mine, peer, strict=True)]
                case = {"model": model.name, "depth": int(depth), "what": what}
                medians = {"ours": statistics.median(mine), "peer": statistics.median(peer)}
                cases.append({**case, **at_least(ratios, 0.98, **medians)})
    return {"cases": cases, "met": all(case["met"] for case in cases)}


def show_class(choices: Choices) -> dict[str, Any]:
    """Compare a long answer with the `Llama` class, each as it comes, in turn; and token by token."""
    choices = replace(choices, flash=None)
    rounds = [
        [side(name, choices) for name in ("long-answer", "plain-answer", "class")]
        for _round in range(choices.rounds)
    ]

    def ratios(which: int) -> list[float]:  # of the time for a token, should one end early
        return [
            each[which]["seconds"] / each[which]["tokens"] / (each[2]["seconds"] / each[2]["tokens"])
            for each in rounds
        ]

    ours, plain, peer = (statistics.median(each[n]["seconds"] for each in rounds) for n in range(3))
    lock = statistics.median(each[1]["lock_milliseconds"] for each in rounds)
    result = at_most(
        ratios(0), 0.9, ours_seconds=ours, plain_seconds=plain, class_seconds=peer,
        plain_ratio=statistics.median(ratios(1)), tokens=[each["tokens"] for each in rounds[0]],
        same_text=len({each["text"] for sides in rounds for each in sides}) == 1,
        lock_milliseconds=lock, lock_target=0.1,
    )  # fmt: skip
    return {**result, "met": result["met"] and lock <= 0.1}


def show_warm(choices: Choices) -> dict[str, Any]:
    """Compare the first token of the 20th turn with reading its new tokens alone."""
    bare = Bare(choices, 8192)
    ours, theirs, reused = [], [], []
    with Fireside(choices) as fireside:
        turns: list[Turn] = []
        for number in range(19):
            turns.append(Turn("user", " ".join(words(40, str(number)))))
            last = fireside.ask(turns, 24)
            turns.append(Turn("assistant", last.text))
        # Of an answer that its limit ended, the last token has not been read.
        known = last.stats.prompt_tokens + last.stats.generated_tokens - (last.stats.stop_reason == "length")
        bare.read(0, known)
        for number in range(choices.rounds):
            stats = fireside.ask([*turns, Turn("user", " ".join(words(40, chr(ord("a") + number))))], 1).stats
            ours.append(stats.first_token_seconds)
            theirs.append(bare.read(known, stats.prompt_tokens - known))
            reused.append(stats.reused_tokens)
    bare.close()
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return at_most(
        ratios, 1.15,
        first_token_seconds=statistics.median(ours), reading_seconds=statistics.median(theirs),
        prompt_tokens=stats.prompt_tokens, known_tokens=known, reused_tokens=min(reused),
    )  # fmt: skip


def show_restored(choices: Choices) -> dict[str, Any]:
    """Compare going on with a long chat after a restart with reading it cold."""
    ratios, cold, restored = [], [], []
    with Fireside(choices) as fireside:
        tried = fireside.fit(4096, "tried", [])
    for number in range(1, choices.rounds + 1):
        turns = [Turn("user", tried.text.replace("tried", f"no{number}", 1))]
        with Fireside(choices) as fireside:
            opened = fireside.ask(turns, 16, chat=number)
        turns += [Turn("assistant", opened.text), Turn("user", "Go on.")]
        with Fireside(choices) as fireside:
            stats = fireside.ask(turns, 1, chat=number).stats
        cold.append(opened.stats.first_token_seconds)
        restored.append(stats.first_token_seconds)
        ratios.append(restored[-1] / cold[-1])
    return at_most(
        ratios, 0.1,
        cold_seconds=statistics.median(cold), restored_seconds=statistics.median(restored),
        prompt_tokens=stats.prompt_tokens, reused_tokens=stats.reused_tokens,
    )  # fmt: skip


def show_regenerate(choices: Choices) -> dict[str, Any]:
    """Count the tokens that are read for another answer to the same question."""
    read = []
    with Fireside(choices) as fireside:
        turns = [Turn("user", " ".join(words(200, "one")))]
        first = fireside.ask(turns, 32, temperature=0.8)
        turns += [Turn("assistant", first.text), Turn("user", PROSE[0])]
        for _round in range(choices.rounds + 1):
            stats = fireside.ask(turns, 32, temperature=0.8).stats
            read.append(stats.prompt_tokens - stats.reused_tokens)
    return at_most(
        [float(count) for count in read[1:]], 1, prompt_tokens=stats.prompt_tokens, first_read=read[0]
    )


def show_lookup(choices: Choices) -> dict[str, Any]:
    """Compare prompt lookup with plain decoding: where it should help, and where it must not hurt."""
    repeat = f"Repeat this text word for word, but call the woman Clara instead of Marta.\n\n{STORY}"
    cases = []
    with Fireside(choices) as fireside:
        for name, question, tokens, target in (("repeat", repeat, 150, 1.5), ("prose", PROSE[0], 200, 0.98)):
            rates: dict[bool, list[float]] = {True: [], False: []}
            for number in range(2 * choices.rounds):
                on = number % 2 == 0
                stats = fireside.ask([Turn("user", question)], tokens, speculation=on).stats
                rates[on].append(stats.tokens_per_second)
            ratios = [quick / plain for quick, plain in zip(rates[True], rates[False], strict=True)]
            medians = {"with": statistics.median(rates[True]), "plain": statistics.median(rates[False])}
            tokens_written = stats.generated_tokens
            cases.append({"text": name, **at_least(ratios, target, tokens=tokens_written, **medians)})
    return {"cases": cases, "met": all(case["met"] for case in cases)}


def show_together(choices: Choices) -> dict[str, Any]:
    """Compare four answers at once with four in turn, in tokens a second."""
    together, turn_by_turn = [], []
    with Fireside(choices) as fireside:
        for number in range(choices.rounds):
            began = time.perf_counter()
            jobs = [
                fireside.submit([Turn("user", f"{number}a. {question}")], ANSWER) for question in PROSE[:4]
            ]
            answers = [fireside.wait(job, began) for job in jobs]
            together.append(_written(answers) / max(answer.seconds for answer in answers))
            answers = [
                fireside.ask([Turn("user", f"{number}b. {question}")], ANSWER) for question in PROSE[:4]
            ]
            turn_by_turn.append(_written(answers) / sum(answer.seconds for answer in answers))
    ratios = [at_once / one for at_once, one in zip(together, turn_by_turn, strict=True)]
    return at_least(
        ratios, 1.5, together=statistics.median(together), in_turn=statistics.median(turn_by_turn)
    )  # fmt: skip


def _written(answers: list[Answered]) -> int:
    return sum(answer.stats.generated_tokens for answer in answers)


def show_stop(choices: Choices) -> dict[str, Any]:
    """Stop the reading of 8,000 tokens again and again, at moments that have nothing to do with its steps."""
    chance = random.Random(1)
    delays, places = [], []
    with Fireside(choices) as fireside:
        count = len(fireside.fit(PROMPT, "tried", []).text.split())
        turns = [Turn("user", " ".join(words(int(count * 7900 / PROMPT), "timed")))]
        for _round in range(choices.rounds):
            job = fireside.submit(turns, 1)
            step, read = 7900 // (choices.rounds + 1), 0
            while read < step:
                read = max([event.done for event in job.wait(1) if isinstance(event, Reading)] + [read])
            time.sleep(chance.uniform(0, 0.3))
            asked = time.perf_counter()
            fireside.engine.cancel(job)
            stats = fireside.wait(job, asked).stats
            delays.append(time.perf_counter() - asked)
            places.append(stats.reused_tokens + read)
    worst = max(delays)
    return {
        "median_milliseconds": round(1000 * statistics.median(delays), 1),
        "ratio": round(1000 * worst, 1), "target": 100, "met": worst <= 0.1,
        "stopped_behind": places, "prompt_tokens": stats.prompt_tokens,
    }  # fmt: skip


SHOWS = {
    "peer": show_peer,
    "class": show_class,
    "warm": show_warm,
    "restored": show_restored,
    "regenerate": show_regenerate,
    "lookup": show_lookup,
    "together": show_together,
    "stop": show_stop,
}


def main() -> int:
    """Run what was asked for; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("show", choices=[*SHOWS, "all"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=psutil.cpu_count(logical=False) or 1)
    parser.add_argument("--flash", choices=["on", "off"], default="on", help="flash attention, on both sides")
    parser.add_argument("--depths", default="0,4096", help="of peer, in tokens")
    given = parser.parse_args()
    if given.show == "all":
        return max(subprocess.call([sys.executable, __file__, show, *sys.argv[2:]]) for show in SHOWS)
    starter = find_starter()
    if starter is None:
        raise SystemExit("The starter model is not installed.")
    with tempfile.TemporaryDirectory() as home:
        depths = tuple(map(int, given.depths.split(",")))
        choices = Choices(starter, given.rounds, given.threads, given.flash == "on", Path(home), depths)
        result = SHOWS[given.show](choices)
    print(json.dumps({"show": given.show, **result}, indent=2))
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
