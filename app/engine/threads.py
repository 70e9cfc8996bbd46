"""How many CPU threads a model runs with: measured once for each model on each computer.

More threads than the memory can feed make decoding slower, and slow cores hold fast ones back; where that
begins no table knows. It never imports llama.cpp.
"""

import contextlib
import ctypes
import logging
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil

from app.engine import records

_log = logging.getLogger("fireside.threads")

_SECONDS = 0.7  # for each of the two measurements
_ROUNDS = 9  # more than these make no median better
_LEAST_ROUNDS = 3
_PREFILL_TOKENS = 64
_LEAST_PREFILL_TOKENS = 16
_AS_GOOD = 1.03  # as fast, in the light of the noise: fewer threads leave more to others
_CLEARLY_BETTER = 0.9
_FAST_CORE = 0.85  # of the fastest one's speed
_BUSY = 0.25  # of the processor taken by other programs
_LOAD_SECONDS = 0.5  # shorter spans say nothing about the load

Compute = Callable[[int, int], float]
"""Given threads and tokens: decode that many tokens in one batch on an empty context; return the seconds."""


@dataclass(frozen=True, slots=True)
class ThreadCounts:
    """Threads for writing one token at a time, and for reading many (`n_threads`, `n_threads_batch`)."""

    decode: int
    prefill: int


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores that this process may use.

    Attributes:
        physical: All cores.
        fast: Those that are not there to save power; as many as `physical` where all are alike.
        logical: What the system calls processors: two a core with simultaneous multithreading.
    """

    physical: int
    fast: int
    logical: int

    @classmethod
    def here(cls) -> "Cores":
        """Return the cores of this computer."""
        usable = _usable()
        logical = len(usable) if usable else psutil.cpu_count() or 1
        physical = min(psutil.cpu_count(logical=False) or logical, logical)
        return cls(physical, min(_fast_cores(usable) or physical, physical), logical)

    def candidates(self) -> list[int]:
        """Return the numbers of threads that are worth a measurement, the most promising first."""
        numbers = [self.physical, self.fast]
        if self.physical >= 4:
            numbers.append(self.physical // 2)
        if self.physical > 1:
            numbers.append(self.physical - 1)  # one is left to the window and the system
        numbers.append(self.logical)
        return list(dict.fromkeys(numbers))


class Threads:
    """The numbers of threads that were measured, kept in a file; all calls come from one thread."""

    def __init__(self, folder: Path, cores: Cores | None = None) -> None:
        """Name the folder of the file; it is made when there is something to keep.

        Args:
            folder: Fireside's data folder.
            cores: Those to use; this computer's when None.
        """
        self._file = folder / "threads.json"
        self._cores = cores or Cores.here()
        self._busy = False
        self._seen = _load()

    @staticmethod
    def usual_here() -> ThreadCounts:
        """Return what fits most models on this computer: the number of fast cores."""
        fast = Cores.here().fast
        return ThreadCounts(fast, fast)

    def known(self, path: Path, engine: str) -> ThreadCounts | None:
        """Return what was measured for the model in the state it has, on this engine and these cores.

        Args:
            path: The model.
            engine: What computes; another one may do better with other numbers.
        """
        kept = records.read(self._file).get(str(path))
        if not isinstance(kept, dict) or any(kept.get(k) != v for k, v in self._key(path, engine).items()):
            return None
        counts = [kept.get("decode"), kept.get("prefill")]
        if not all(type(count) is int and 1 <= count <= self._cores.logical for count in counts):
            return None
        return ThreadCounts(kept["decode"], kept["prefill"])

    def measure(self, path: Path, engine: str, compute: Compute) -> ThreadCounts:
        """Measure, keep and return the best numbers; takes about 1.5 s, for slow models a few tokens more.

        Args:
            path: The model, for `known`.
            engine: What computes.
            compute: Decodes; what it raises ends the measurement, and nothing is kept.
        """
        compute(self._cores.fast, 1)  # reads the pages of the file and wakes the threads
        counts = self._compare(compute)
        self._keep(path, engine, counts)
        return counts

    def lowered(self, counts: ThreadCounts, *, gentle: bool) -> ThreadCounts:
        """Return half of `counts` while the battery runs or other programs work hard, if `gentle`.

        What this process itself computes does not count. The load is that since the last call.
        """
        self._look_at_load()
        if not gentle or not (self._busy or _on_battery()):
            return counts
        return ThreadCounts(max(counts.decode // 2, 1), max(counts.prefill // 2, 1))

    def _compare(self, compute: Compute) -> ThreadCounts:
        usual = self._cores.fast
        one = compute(usual, 1)
        decode = self._best(one, lambda threads: compute(threads, 1))
        few = _LEAST_PREFILL_TOKENS
        if one * few > _SECONDS:  # a batch takes at most what its tokens take one by one
            return ThreadCounts(decode, usual)
        several = compute(usual, few)
        rounds = several * len(self._cores.candidates()) * _LEAST_ROUNDS
        tokens = max(few, min(int(few * _SECONDS / rounds), _PREFILL_TOKENS))
        prefill = self._best(several * tokens / few, lambda threads: compute(threads, tokens))
        return ThreadCounts(decode, prefill)

    def _best(self, once: float, run: Callable[[int], float]) -> int:
        """Return the best number of threads, among as many as there is time to compare.

        Args:
            once: Seconds of one run with the usual number.
            run: Takes threads, returns seconds.
        """
        candidates = self._cores.candidates()[: int(_SECONDS / (once * _LEAST_ROUNDS))]
        return best(_interleaved(candidates, run), self._cores) if candidates[1:] else self._cores.fast

    def _key(self, path: Path, engine: str) -> dict[str, object]:
        return {"file": records.state_of(path), "engine": engine, "cores": asdict(self._cores)}

    def _keep(self, path: Path, engine: str, counts: ThreadCounts) -> None:
        entry = self._key(path, engine) | asdict(counts)
        try:
            records.write(self._file, records.read(self._file) | {str(path): entry})
        except OSError as error:
            _log.warning("The number of threads for %s cannot be kept: %s", path.name, error)

    def _look_at_load(self) -> None:
        now, before = _load(), self._seen
        if now.time - before.time < _LOAD_SECONDS:
            return
        self._seen = now
        taken = (now.busy - before.busy) - (now.own - before.own)
        self._busy = taken / (now.time - before.time) / (psutil.cpu_count() or 1) > _BUSY


def best(seconds: Mapping[int, Sequence[float]], cores: Cores) -> int:
    """Return the number of threads to use, given what each took.

    By the median: the fewest that are within 3 % of the best, at most one a core, unless more are at least
    a tenth faster. With less than three measurements of each, the number of fast cores: one disturbance
    would decide.
    """
    if min(map(len, seconds.values())) < _LEAST_ROUNDS:
        return cores.fast
    medians = {threads: median(times) for threads, times in seconds.items()}
    within = {threads: time for threads, time in medians.items() if threads <= cores.physical}
    chosen = min(t for t, time in within.items() if time <= min(within.values()) * _AS_GOOD)
    more = {t: time for t, time in medians.items() if t > cores.physical}
    faster = [t for t, time in more.items() if time < medians[chosen] * _CLEARLY_BETTER]
    return min(faster, key=medians.__getitem__, default=chosen)


def _interleaved(candidates: Sequence[int], run: Callable[[int], float]) -> dict[int, list[float]]:
    """Measure all candidates in turn, so that what disturbs one disturbs them all, while the time lasts."""
    seconds: dict[int, list[float]] = defaultdict(list)
    spent = 0.0
    for number in range(_ROUNDS):
        turn = 0.0
        for threads in candidates if number % 2 == 0 else reversed(candidates):
            taken = run(threads)
            seconds[threads].append(taken)
            turn += taken
        spent += turn
        if spent + turn > _SECONDS:
            break
    return seconds


@dataclass(frozen=True, slots=True)
class _Load:
    """Seconds of work done so far: by all programs, and by this one."""

    time: float
    busy: float
    own: float


def _load() -> _Load:
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted as user time too
    return _Load(time.monotonic(), sum(times) - idle - guests, own.user + own.system)


def _on_battery() -> bool:
    with contextlib.suppress(OSError, AttributeError, RuntimeError):  # systems without such a sensor
        battery = psutil.sensors_battery()
        return battery is not None and battery.power_plugged is False
    return False


def _usable() -> set[int]:
    """Return the logical processors that the system lets this process use; empty where it does not say."""
    return os.sched_getaffinity(0) if sys.platform == "linux" else set()


def _fast_cores(usable: Iterable[int]) -> int:
    """Return how many cores are made for speed; 0 where the system does not say."""
    if sys.platform == "darwin":
        return _sysctl("hw.perflevel0.physicalcpu")
    speeds: dict[str, int] = {}
    for number in usable:
        folder = Path(f"/sys/devices/system/cpu/cpu{number}")
        core = _text(folder / "topology" / "thread_siblings_list")
        # Only where cores are told apart is one of these there.
        speed = _text(folder / "cpu_capacity") or _text(folder / "cpufreq" / "cpuinfo_max_freq")
        if not core or not speed.isdecimal():
            return 0
        speeds[core] = max(int(speed), speeds.get(core, 0))
    return sum(speed >= _FAST_CORE * max(speeds.values()) for speed in speeds.values())


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _sysctl(name: str) -> int:
    """Return a number that macOS keeps; 0 when it has none by that name."""
    value = ctypes.c_int(0)
    size = ctypes.c_size_t(ctypes.sizeof(value))
    found = ctypes.CDLL(None).sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, 0)
    return value.value if found == 0 else 0
