"""How fast the transcript is: `python tests/perf/transcript_stream.py`, offscreen unless told otherwise.

Opens a chat of 2,000 messages, pages through it, resizes it, and streams an answer of 30 kB at 200
tokens a second in flushes of 7 tokens; each time includes layout and painting. Prints every figure
beside its target and ends with 1 when one is missed. What other programs took from this one shows in
the lines of noise, and in the second column, which counts the processor time of this thread alone.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil
from PySide6.QtWidgets import QApplication

from app.domain.chat import Message, ModelIdentity, Role, Status
from app.domain.generation import Stats, StopReason
from app.ui.appearance import Appearance
from app.ui.fonts import code_families, load_fonts
from app.ui.theme import LIGHT
from app.ui.transcript.message import Row
from app.ui.transcript.view import TranscriptView

MESSAGES = 2000
STREAM_BYTES = 30_000
TOKENS_PER_FLUSH = 7
FRAME_SECONDS = 0.035
MODEL = ModelIdentity("Llama 3.1 8B")
STATS = Stats(StopReason.END, 664, 612, 241, 0.2, 7.7, 0.3, 1, 16384)

PROSE = """Imagine looking up a word in a paper dictionary. You open it in the middle, see whether your word
comes before or after, and throw away the half where it **cannot** be. Every look *halves* what is left, so
`log2(n)` looks are enough. See [the article](https://example.org/binary-search) for the history.

"""
LIST = """1. Sort the items once.
2. Look in the middle:
   - smaller: go **left**
   - larger: go *right*, and `low = middle + 1`
3. Repeat until nothing is left.

"""
TABLE = """| Items | Looks, one by one | Looks, by halves |
|-------|------------------:|:----------------:|
| 100 | up to 100 | 7 |
| 1,000,000 | up to 1,000,000 | 20 |
| 1,000,000,000 | up to 1,000,000,000 | 30 |

"""
CODE = (
    "```python\ndef find(items: list[int], wanted: int) -> int | None:\n"
    '    """Return the place of `wanted`, or None."""\n    low, high = 0, len(items) - 1\n'
    "    while low <= high:\n        middle = (low + high) // 2\n        if items[middle] == wanted:\n"
    "            return middle  # found it\n"
    "        if items[middle] < wanted:\n            low = middle + 1\n"
    "        else:\n            high = middle - 1\n    return None\n```\n\n"
)
CHINESE = """## 三个素菜

**番茄炒蛋**：先炒蛋，再炒番茄，最后一起翻炒两分钟。`焯水` 的时候加一点油，颜色更绿。
凉拌黄瓜要拍碎，加醋、酱油和一点糖。

> 小提示：西兰花要切小朵，不要煮太久。

"""
PIECES = (PROSE, LIST, TABLE, CODE, CHINESE)


def answer(seed: int, size: int) -> str:
    """Return mixed Markdown of about `size` characters."""
    source = random.Random(seed)
    text = f"# Answer {seed}\n\n"
    while len(text) < size:
        text += source.choice(PIECES)
    return text


def rows() -> list[Row]:
    """Return the chat: question and answer in turn."""
    made = []
    for number in range(1, MESSAGES + 1):
        if number % 2:
            message = Message(
                number, 1, number - 1, Role.USER, f"Question {number}: " + "why is that so? " * (number % 9)
            )
        else:
            text = answer(number, 1200 + number % 7 * 500)
            message = Message(number, 1, number - 1, Role.ASSISTANT, text, model=MODEL, stats=STATS)
        made.append(Row(message, 1, (number,)))
    return made


@dataclass
class Times:
    """Milliseconds that pieces of work took: on the clock, and of this thread's processor time."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, work: Callable[[], object]) -> None:
        """Do `work` and note how long it took."""
        cpu, wall = time.thread_time(), time.perf_counter()
        work()
        self.wall.append((time.perf_counter() - wall) * 1000)
        self.cpu.append((time.thread_time() - cpu) * 1000)


class Timed(TranscriptView):
    """A transcript that notes how long each step of bringing a row in takes."""

    page_ins: Times

    def _improve(self, id_: int) -> None:
        self.page_ins.run(lambda: super(Timed, self)._improve(id_))


def settle(application: QApplication, seconds: float = 0.5) -> None:
    """Let the event loop run."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        application.processEvents()
        time.sleep(0.001)


def p95(values: list[float]) -> float:
    """Return the value that 95 % do not exceed."""
    return sorted(values)[int(len(values) * 0.95)]


def spin() -> int:
    """Do a piece of work that takes about a millisecond."""
    return sum(range(40_000))


def stream(application: QApplication, view: TranscriptView, chat: list[Row]) -> tuple[Times, Times]:
    """Stream one more answer; return the times of its flushes, and of all other turns meanwhile."""
    id_ = MESSAGES + 2
    question = Message(id_ - 1, 1, id_ - 2, Role.USER, "Now everything, at length.")
    writing = Message(id_, 1, id_ - 1, Role.ASSISTANT, "", Status.WRITING, model=MODEL)
    view.set_rows([*chat, Row(question, 1, (id_ - 1,)), Row(writing, 1, (id_,))])
    settle(application, 0.3)
    text = answer(1, STREAM_BYTES)
    size = TOKENS_PER_FLUSH * 4
    flushes, turns = Times(), Times()

    def flush(piece: str) -> None:
        view.append_stream(id_, piece)
        view.viewport().repaint()

    def finish() -> None:
        whole = Message(id_, 1, id_ - 1, Role.ASSISTANT, text, model=MODEL, stats=STATS)
        view.finish_stream(Row(whole, 1, (id_,)))
        view.viewport().repaint()

    for start in range(0, len(text), size):
        frame = time.perf_counter()
        flushes.run(partial(flush, text[start : start + size]))
        while time.perf_counter() - frame < FRAME_SECONDS:
            turns.run(application.processEvents)
            time.sleep(0.0005)
    turns.run(finish)
    return flushes, turns


def page(application: QApplication, view: Timed) -> Times:
    """Scroll from the end towards the beginning; return the times of each step of bringing a row in."""
    view.page_ins = Times()
    bar = view.verticalScrollBar()
    for _step in range(250):
        bar.setValue(bar.value() - 300)
        view.viewport().repaint()
        application.processEvents()
        application.processEvents()
    found, view.page_ins = view.page_ins, Times()
    return found


def resize(application: QApplication, view: TranscriptView) -> Times:
    """Make the window narrower and wider, a few pixels at a time; return the times of the events."""
    found = Times()

    def change(width: int) -> None:
        view.resize(width, 700)
        view.viewport().repaint()

    for step in range(80):
        found.run(partial(change, 720 - abs(40 - step) * 5))
        application.processEvents()
    return found


def measure(application: QApplication) -> list[tuple[str, float, float | None, float | None]]:
    """Return what was measured: name, on the clock, of the processor, target."""
    chat = rows()
    view = Timed(LIGHT, mono=code_families()[0])
    view.page_ins = Times()
    view.resize(916, 700)
    view.show()
    settle(application)
    empty, noise = Times(), Times()
    for _each in range(200):
        empty.run(application.processEvents)
        noise.run(spin)
    before = psutil.Process().memory_info().rss

    def open_chat() -> None:
        view.set_rows(chat)
        view.viewport().repaint()

    opening = Times()
    opening.run(open_chat)
    settle(application, 2)
    rows_in = page(application, view)
    view.scroll_to_end()
    settle(application, 1)
    view.resize(720, 700)
    settle(application)
    resizes = resize(application, view)
    view.resize(916, 700)
    settle(application)
    flushes, turns = stream(application, view, chat)
    memory = (psutil.Process().memory_info().rss - before) / 2**20
    view.resize(720, 700)
    settle(application)
    long = resize(application, view)

    median, quickest = statistics.median, min(noise.wall)
    stalls = max(flushes.wall + turns.wall), max(flushes.cpu + turns.cpu)
    return [
        ("noise: empty turn of the event loop, median", median(empty.wall), median(empty.cpu), None),
        ("noise: the same work, median / quickest", median(noise.wall) / quickest, None, None),
        ("noise: the same work, 95 % / quickest", p95(noise.wall) / quickest, None, None),
        ("opening to first paint", opening.wall[0], opening.cpu[0], 200),
        ("page-in of a row, median", median(rows_in.wall), median(rows_in.cpu), None),
        ("page-in of a row, 95 %", p95(rows_in.wall), p95(rows_in.cpu), 16),
        ("resize event, median", median(resizes.wall), median(resizes.cpu), 16),
        ("resize event, 95 %", p95(resizes.wall), p95(resizes.cpu), None),
        ("resize event over an answer of 30 kB, median", median(long.wall), median(long.cpu), None),
        ("flush, median", median(flushes.wall), median(flushes.cpu), 8),
        ("flush, 95 %", p95(flushes.wall), p95(flushes.cpu), 16),
        ("longest flush or turn while streaming", *stalls, 50),
        ("memory, MB", memory, None, 60),
        ("rows alive", len(view.live_rows()), None, None),
    ]


def main() -> int:
    """Measure, print, and say whether every target was met."""
    application = QApplication.instance() or QApplication(sys.argv)
    assert isinstance(application, QApplication)
    load_fonts()
    Appearance(application, application).use(LIGHT)
    missed = 0
    print(f"{'ms unless said otherwise':46} {'clock':>8} {'cpu':>8}   target")
    for name, wall, cpu, target in measure(application):
        bad = target is not None and wall > target
        missed += bad
        processor = "" if cpu is None else f"{cpu:.1f}"
        wanted = "" if target is None else f"<= {target:.0f}{'  MISSED' if bad else ''}"
        print(f"{name:46} {wall:8.1f} {processor:>8}   {wanted}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
