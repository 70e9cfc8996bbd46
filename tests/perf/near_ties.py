"""How often the arithmetic of a batch flips a near-tie: greedy answers, plainly written and otherwise.

    python tests/perf/near_ties.py [--tokens 128] [--flash on|off] [MODEL.gguf ...]

The logits of a token differ in their last bits with the number of tokens that are computed beside it, and
with the cells of the KV cache that they lie in. Where two tokens are as good as equal the other one may
win, and the texts part there. Each question is answered token by token, with its probabilities; then with
guesses that are checked several at a time, and with three other answers in the same batch. Prints JSON: how
many answers part from the plain ones, flips for each 1,000 tokens up to there, and by how much the plain
answer preferred its token where they part, as a difference of natural logarithms of probabilities.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from fireside_engine import GEMMA, PROSE, STORY, Answered, Choices, Fireside

from app.domain.generation import Chosen, Turn
from models_registry.starter import find_starter

QUESTIONS = (
    *PROSE,
    f"Repeat this text word for word, but call the woman Clara instead of Marta.\n\n{STORY}",
    f"Write this text as a list of short sentences.\n\n{STORY}",
    "Write a Python function that sorts a list, and explain each line.",
    "List the planets, with three facts about each.",
)


def main() -> None:
    """Compare on each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--flash", choices=["on", "off"], default="on")
    given = parser.parse_args()
    models = given.models or [path for path in (find_starter(), GEMMA) if path and path.exists()]
    print(json.dumps([compare(path, given.tokens, flash=given.flash == "on") for path in models], indent=2))


def compare(model: Path, tokens: int, *, flash: bool) -> dict[str, Any]:
    """Return how far answers of at most `tokens` stay the same."""
    with tempfile.TemporaryDirectory() as home:
        choices = Choices(model, 1, psutil.cpu_count(logical=False) or 1, flash, home=Path(home))
        with Fireside(choices) as fireside:
            asked = [[Turn("user", question)] for question in QUESTIONS]
            plain = [fireside.ask(turns, tokens, probabilities=2) for turns in asked]
            again = [fireside.ask(turns, tokens, probabilities=2) for turns in asked]
            guessed = [fireside.ask(turns, tokens, probabilities=2, speculation=True) for turns in asked]
            together: list[Answered] = []
            for first in range(0, len(asked), 4):
                began = time.perf_counter()
                jobs = [fireside.submit(turns, tokens, probabilities=2) for turns in asked[first : first + 4]]
                together += [fireside.wait(job, began) for job in jobs]
    gaps = [gap(choice) for answer in plain for choice in answer.chosen]
    return {
        "model": model.name,
        "tokens": len(gaps),
        "median_preference": round(statistics.median(gaps), 3),
        "preferences_below_0.01": sum(value < 0.01 for value in gaps),
        "again": parted(plain, again),
        "guessed": {**parted(plain, guessed), "drafted": sum(each.stats.drafted_tokens for each in guessed)},
        "together": parted(plain, together),
    }


def parted(plain: list[Answered], other: list[Answered]) -> dict[str, Any]:
    """Return where the tokens of answers part from those written plainly."""
    same, flips = 0, []
    for one, two in zip(plain, other, strict=True):
        pairs = zip(one.chosen, two.chosen, strict=False)
        at = next((n for n, (a, b) in enumerate(pairs) if a.choice.token != b.choice.token), None)
        if at is None:
            same += len(one.chosen)
        else:
            same += at
            flips.append(round(gap(one.chosen[at]), 4))
    rate = round(1000 * len(flips) / max(1, same), 2)
    return {"answers": len(plain), "parted": len(flips), "per_1000": rate, "preferences": sorted(flips)}


def gap(chosen: Chosen) -> float:
    """Return by how much the likeliest token was preferred to the next."""
    first, second = chosen.top[:2]
    return first.logprob - second.logprob


if __name__ == "__main__":
    main()
