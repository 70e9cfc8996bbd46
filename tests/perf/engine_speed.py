"""How fast the engine is, beside llama.cpp's own tool and beside what it would cost to do things twice.

`python tests/perf/engine_speed.py SHOW [--rounds N] …` prints one JSON object: what was measured, the ratio,
the target, and whether it was met; `all` runs every show, each in a process of its own. It ends with 1 when
a target was missed. Everything is a ratio inside one run, taken in turn with what it is compared with, since
a computer that does other things too gives no seconds that mean anything.

- peer: llama-bench, built by llama_bench.py from the same source: prefill of 512 tokens, decode of 64.
- class: the `Llama` class of llama-cpp-python, streaming one answer of 2,000 tokens.
- warm: the 20th turn of a chat, against reading its new tokens with bare calls of llama.cpp.
- restored: going on with a chat of 4,096 tokens after a restart, against reading it for the first time.
- regenerate: how much is read again for another answer to the same question.
- lookup: prompt lookup on and off, where the answer repeats the question and where it does not.
- together: four answers at once, against one after the other.
- stop: from the wish to the end, anywhere in the reading of 8,000 tokens.

The engine is the app's own, wired by app.main and reached as the app reaches it. Its decode is
measured as the tokens a second of whole answers, sampling included, which llama-bench leaves out.

The interpreter's lock is held by the engine's thread whenever it runs Python: ctypes gives it up for each
call of C. So the time it holds the lock for a token is at most the processor time of that thread between
the end of one call of C that takes long and the beginning of the next; `Gauge` adds that up. What it
adds itself, and the short calls of C, count as Python there: the true figure is below the printed one.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import llama_bench
import psutil

from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Piece, Reading, Request, Stats, Turn
from app.domain.loading import LoadOptions
from app.domain.settings import Settings
from app.main import Build
from app.storage.folders import Folders
from models_registry.starter import find_starter

GEMMA = Path.home() / ".cache" / "fireside-tests" / "gemma-3-270m-q4_k_m.gguf"  # joined by tests/conftest.py
PROMPT, ANSWER = 512, 64
LONG_ANSWER = 2000
STORY = """
The ferry left the harbour at six, while the lamps along the quay were still burning and the gulls had not yet
begun to quarrel over the nets. Marta stood at the rail with a basket of apples for her brother, who kept the
lighthouse on the outer island and had eaten nothing but fish since the first storm of autumn. She counted the
buoys as they passed: one red, two green, a broken yellow one that nobody had come to mend. Behind her the
captain was telling a schoolteacher how the channel moves each winter, and why no map of it is ever right.
By noon they could see the tower, white against a dark bank of cloud, and on its gallery a small man, waving.
"""
PROSE = (
    "Write a long story about a clockmaker who finds a letter.",
    "Describe a walk through a forest in autumn, in great detail.",
    "Explain how bread is made, from the field to the table, at length.",
    "Write a long letter to a friend about a journey by train.",
    "Tell the history of a small town by the sea, year by year.",
    "Explain to a child, at length, how the moon makes the tides.",
)


COUNTING = (
    "Write every number from 1 to 2000: 1, 2, 3, 4, 5, 6, 7, 8,"  # neither side ends it before its limit
)


@dataclass(frozen=True)
class Choices:
    """What is measured, and how often."""

    model: Path
    rounds: int
    threads: int
    flash: bool
    home: Path
    depths: tuple[int, ...] = (0, 4096)

    def to_json(self) -> str:
        """Return the values for a child process."""
        return json.dumps({**self.__dict__, "model": str(self.model), "home": str(self.home)})

    @classmethod
    def from_json(cls, text: str) -> "Choices":
        """Read what `to_json` wrote."""
        values = json.loads(text)
        paths = {name: Path(values[name]) for name in ("model", "home")}
        return cls(**{**values, **paths, "depths": tuple(values["depths"])})


@dataclass(frozen=True)
class Answered:
    """One answer: its text, what it took, and the seconds from asking to its end."""

    text: str
    stats: Stats
    seconds: float


class Fireside:
    """The engine as the app wires it."""

    def __init__(self, choices: Choices, context: int = 8192) -> None:
        self._choices = choices
        self._context = context
        folders = Folders.at(choices.home)
        folders.create()
        self._build = Build(folders, lambda call: call(), _refuse)
        self.engine = self._build.engine

    def __enter__(self) -> "Fireside":
        self.ask([Turn("user", "Hello.")], 4)  # loads the model
        return self

    def __exit__(self, *_error: object) -> None:
        self._build.close()

    def submit(self, turns: list[Turn], tokens: int, chat: int | None = None, **settings: Any) -> Job:
        """Ask for an answer of at most `tokens`: the likeliest, plainly, unless `settings` differ."""
        values = {"temperature": 0, "speculation": False, **settings}
        values |= {"max_tokens": tokens, "context": self._context}
        options = LoadOptions(flash_attention=self._choices.flash, threads=self._choices.threads)
        asked = Settings.from_json(values).checked()
        return self.engine.submit(
            Request(self._choices.model, tuple(turns), asked, options=options, chat=chat)
        )

    def ask(self, turns: list[Turn], tokens: int, chat: int | None = None, **settings: Any) -> Answered:
        """Ask, and wait for the whole answer."""
        began = time.perf_counter()
        return self.wait(self.submit(turns, tokens, chat, **settings), began)

    def wait(self, job: Job, began: float) -> Answered:
        """Wait for the end of `job`, which was submitted at `began`."""
        text = ""
        while True:
            for event in job.wait(1):
                if isinstance(event, Piece):
                    text += event.text
                elif isinstance(event, Failed):
                    raise event.error
                elif isinstance(event, Finished) and event.stats:
                    return Answered(text, event.stats, time.perf_counter() - began)

    def fit(self, tokens: int, name: str, before: list[Turn]) -> Turn:
        """Return a question with which at most `tokens`, and hardly fewer, follow those of `before`.

        It has been read when this returns, so asking it again finds it in the cache.
        """
        start = self.ask(before, 1).stats.prompt_tokens if before else 0
        count = int(tokens / 1.3)
        while True:
            turn = Turn("user", " ".join(words(count, name)))
            read = self.ask([*before, turn], 1).stats.prompt_tokens - start
            if 0.97 * tokens <= read <= tokens:
                return turn
            count = int(count * 0.985 * tokens / read)


class Gauge:
    """Times llama.cpp's long calls from the inside: put in place before the engine is imported."""

    LONG = (
        "llama_decode",
        "llama_process",
        "llama_sampler_sample",
        "llama_sampler_apply",
        "llama_get_logits_ith",
    )

    def __init__(self) -> None:
        from app.engine.native import api  # which settles how threads wait before the library is loaded

        self.reset()
        for name in self.LONG:
            setattr(api, name, self._timed(name, getattr(api, name)))

    def reset(self) -> None:
        """Begin anew."""
        self.seconds: dict[str, float] = dict.fromkeys(self.LONG, 0.0)
        self.outside: list[float] = []  # processor time of the thread between two calls of llama_decode
        self._between = 0.0
        self._left: float | None = None

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            entered = time.thread_time()
            if self._left is not None:
                self._between += entered - self._left
                if name == "llama_decode":
                    self.outside.append(self._between)
                    self._between = 0.0
            began = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds[name] += time.perf_counter() - began
                self._left = time.thread_time()

        return call

    @property
    def lock_seconds(self) -> float:
        """Return the mean time that Python ran for one token, after the first."""
        return statistics.mean(self.outside) if self.outside else 0.0


class Bare:
    """A context of llama.cpp with nothing around it."""

    def __init__(self, choices: Choices, size: int) -> None:
        from app.engine.native import api  # as in Gauge

        self._api = api
        self._model = api.llama_model_load_from_file(
            str(choices.model).encode(), api.llama_model_default_params()
        )
        parameters = api.llama_context_default_params()
        parameters.n_ctx = size
        parameters.n_batch = parameters.n_ubatch = PROMPT
        parameters.n_threads = parameters.n_threads_batch = choices.threads
        parameters.flash_attn_type = int(choices.flash)
        self._context = api.llama_init_from_model(self._model, parameters)
        self._memory = api.llama_get_memory(self._context)
        self._batch = api.llama_batch_init(PROMPT, 0, 1)

    def read(self, start: int, count: int) -> float:
        """Forget what lies behind `start`, read `count` tokens there; return the seconds."""
        self._api.llama_memory_seq_rm(self._memory, 0, start, -1)
        began = time.perf_counter()
        for first in range(start, start + count, PROMPT):
            size = min(PROMPT, start + count - first)
            batch = self._batch
            batch.n_tokens = size
            for i in range(size):
                batch.token[i], batch.pos[i], batch.logits[i] = 1000 + first + i, first + i, i == size - 1
                batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            if self._api.llama_decode(self._context, batch):
                raise RuntimeError("llama_decode failed")
        self._api.llama_synchronize(self._context)
        return time.perf_counter() - began

    def close(self) -> None:
        """Give the memory back."""
        self._api.llama_batch_free(self._batch)
        self._api.llama_free(self._context)
        self._api.llama_model_free(self._model)


def words(count: int, name: str) -> Iterator[str]:
    """Give `count` words of a text that shares nothing with those of other names."""
    return islice(cycle([*f"Chapter {name}.".split(), *STORY.split()]), count)


def speed_of_writing(
    fireside: Fireside, before: list[Turn], tokens: int, **settings: Any
) -> tuple[int, float, int]:
    """Have about `tokens` written; return how many came after a first one, in how many seconds, and at what
    depth they began.

    A model may end an answer early, so the next question is put until enough have been written.
    """
    written, seconds = 0, 0.0
    for question in PROSE:
        stats = fireside.ask([*before, Turn("user", question)], tokens + 1 - written, **settings).stats
        written += max(0, stats.generated_tokens - 1)
        seconds += stats.decode_seconds
        if written >= tokens * 0.75:
            break
    return written, seconds, stats.prompt_tokens


# --- the sides of a comparison, each in a child process -------------------------------------------------


def _speeds(choices: Choices) -> dict[str, Any]:
    """Return our prefill and decode at each depth, in tokens a second.

    The context holds no more than the depth and one prompt, as the peer's does: the cells of other chats
    would have to be passed over. So each prompt pushes the one before out.
    """
    found: dict[str, Any] = {}
    for depth in choices.depths:
        with Fireside(choices, depth + PROMPT + 256) as fireside:
            before = [fireside.fit(depth, "deep", [])] if depth else []
            if depth:
                before.append(Turn("assistant", fireside.ask(before, 1).text or "Well."))
            written, seconds, begun = speed_of_writing(fireside, before, ANSWER)
            tried = fireside.fit(PROMPT, "tried", before)
            timed = Turn("user", tried.text.replace("tried", "first", 1))
            stats = fireside.ask([*before, timed], 1).stats
        read = stats.prompt_tokens - stats.reused_tokens
        found[str(depth)] = {
            "prefill": read / stats.prefill_seconds,
            "decode": written / seconds,
            "read": read,
            "read_depth": stats.reused_tokens,
            "written": written,
            "written_depth": begun,
        }
    return found


def _long_answer(choices: Choices) -> dict[str, Any]:
    """Return how long our answer of LONG_ANSWER tokens takes."""
    gauge = Gauge()
    with Fireside(choices, 4096) as fireside:
        gauge.reset()
        found = fireside.ask([Turn("user", COUNTING)], LONG_ANSWER)
    return {
        "seconds": found.seconds,
        "tokens": found.stats.generated_tokens,
        "lock_milliseconds": 1000 * gauge.lock_seconds,
        "text": found.text,
    }


def _long_answer_of_the_class(choices: Choices) -> dict[str, Any]:
    """Return how long the same takes with the `Llama` class, as it comes."""
    from llama_cpp import Llama

    llama = Llama(
        str(choices.model), n_ctx=4096, n_threads=choices.threads, n_threads_batch=choices.threads,
        flash_attn=choices.flash,
    )  # fmt: skip

    def stream(question: str, tokens: int) -> list[str]:
        messages = [{"role": "user", "content": question}]
        chunks = llama.create_chat_completion(messages, max_tokens=tokens, temperature=0, stream=True)
        return [
            chunk["choices"][0]["delta"]["content"]
            for chunk in chunks
            if "content" in chunk["choices"][0]["delta"]
        ]

    stream(" ".join(words(400, "warm-up")), 4)
    began = time.perf_counter()
    pieces = stream(COUNTING, LONG_ANSWER)
    return {"seconds": time.perf_counter() - began, "tokens": len(pieces), "text": "".join(pieces)}


SIDES = {"speeds": _speeds, "long-answer": _long_answer, "class": _long_answer_of_the_class}


def side(name: str, choices: Choices) -> dict[str, Any]:
    """Run one of SIDES in a process of its own."""
    command = [sys.executable, __file__, "--side", name, choices.to_json()]
    return _json_of(command)


def _peer(choices: Choices, ours: dict[str, Any]) -> dict[str, Any]:
    """Run llama-bench for as many tokens as `ours` and at the same depths; return what `_speeds` returns."""
    tool = str(llama_bench.build())
    common = ["-m", str(choices.model), "-t", str(choices.threads), "-fa", str(int(choices.flash))]
    found: dict[str, Any] = {}
    for depth, side_ in ours.items():
        prefill = ["-p", str(side_["read"]), "-n", "0", "-d", str(side_["read_depth"])]
        decode = ["-p", "0", "-n", str(side_["written"]), "-d", str(side_["written_depth"])]
        prefilled, decoded = (
            _json_of([tool, *common, *test, "-r", "1", "-o", "json"])[0]["avg_ts"]
            for test in (prefill, decode)
        )
        found[depth] = {"prefill": prefilled, "decode": decoded}
    return found


def _json_of(command: list[str]) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:4]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


# --- the shows ------------------------------------------------------------------------------------------


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
            rounds.append((ours, _peer(choices, ours)))
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
    """Compare a long answer with the `Llama` class, in turn; a token counts, should one end early."""
    pairs = [(side("long-answer", choices), side("class", choices)) for _round in range(choices.rounds)]
    ratios = [ours["seconds"] / ours["tokens"] / (peer["seconds"] / peer["tokens"]) for ours, peer in pairs]
    lock = statistics.median(ours["lock_milliseconds"] for ours, _peer in pairs)
    result = at_most(
        ratios, 0.9,
        ours_seconds=statistics.median(ours["seconds"] for ours, _peer in pairs),
        class_seconds=statistics.median(peer["seconds"] for _ours, peer in pairs),
        ours_tokens=pairs[0][0]["tokens"], class_tokens=pairs[0][1]["tokens"],
        same_text=all(ours["text"] == peer["text"] for ours, peer in pairs),
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
    if sys.argv[1:2] == ["--side"]:
        print(json.dumps(SIDES[sys.argv[2]](Choices.from_json(sys.argv[3]))))
        return 0
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


def _refuse(error: UserError) -> None:
    raise error


if __name__ == "__main__":
    sys.exit(main())
