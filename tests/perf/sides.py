"""What engine_speed.py compares. `sides.py NAME CHOICES` runs one side in a process of its own, for JSON.

The interpreter's lock is held by the engine's thread whenever it runs Python: ctypes gives it up for each
call of C. So the time it holds the lock for a token is at most the processor time of that thread between
the end of one call of C that takes long and the beginning of the next; `Gauge` adds that up, less what it
adds itself. The short calls of C count as Python there: the true figure is below the printed one.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import llama_bench
from fireside_engine import PROSE, Choices, Fireside, words

from app.domain.generation import Turn

PROMPT, ANSWER = 512, 64
LONG_ANSWER = 2000
PUMP = 0.033  # seconds between two looks of the window at what has been written
COUNTING = (
    "Write every number from 1 to 2000: 1, 2, 3, 4, 5, 6, 7, 8,"  # neither side ends it before its limit
)


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
        self._own = self._own_seconds()
        self.reset()
        for name in self.LONG:
            setattr(api, name, self._timed(name, getattr(api, name)))

    def _own_seconds(self) -> float:
        """Return what the gauge adds between two calls."""
        nothing = self._timed("llama_decode", lambda: None)
        for _call in range(20_000):
            nothing()
        return statistics.median(self.outside)

    def reset(self) -> None:
        """Begin anew."""
        self.seconds: dict[str, float] = dict.fromkeys(self.LONG, 0.0)
        self.outside: list[float] = []  # processor time of the thread between two calls of llama_decode
        self._between = 0.0
        self._left: float | None = None
        self._calls = 0

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            entered = time.thread_time()
            self._calls += 1
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
        if not self.outside:
            return 0.0
        return statistics.mean(self.outside) - self._own * self._calls / len(self.outside)


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


def _long_answer(choices: Choices, *, speculation: bool = True) -> dict[str, Any]:
    """Return how long our answer of LONG_ANSWER tokens takes."""
    gauge = Gauge()
    with Fireside(choices, 4096) as fireside:
        gauge.reset()
        began = time.perf_counter()
        job = fireside.submit([Turn("user", COUNTING)], LONG_ANSWER, speculation=speculation)
        found = fireside.wait(job, began, PUMP)
    return {
        "seconds": found.seconds,
        "tokens": found.stats.generated_tokens,
        "lock_milliseconds": 1000 * gauge.lock_seconds,
        "text": found.text,
    }


def _plain_answer(choices: Choices) -> dict[str, Any]:
    """Return the same, token by token."""
    return _long_answer(choices, speculation=False)


def _long_answer_of_the_class(choices: Choices) -> dict[str, Any]:
    """Return how long the same takes with the `Llama` class, as it comes."""
    from llama_cpp import Llama

    llama = Llama(
        str(choices.model), n_ctx=4096, n_threads=choices.threads, n_threads_batch=choices.threads,
        flash_attn=bool(choices.flash),
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


SIDES = {
    "speeds": _speeds,
    "long-answer": _long_answer,
    "plain-answer": _plain_answer,
    "class": _long_answer_of_the_class,
}


def side(name: str, choices: Choices) -> dict[str, Any]:
    """Run one of SIDES in a process of its own."""
    command = [sys.executable, __file__, name, choices.to_json()]
    return _json_of(command)


def speeds_of_llama_bench(choices: Choices, ours: dict[str, Any]) -> dict[str, Any]:
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


if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](Choices.from_json(sys.argv[2]))))
