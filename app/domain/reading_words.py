"""What happens before the first word of an answer, in words: mostly, how far a long prompt has been read."""

import math

from app.domain.generation import Loading, Reading, WaitsForSummary
from app.domain.language import _

_LEAST_SECONDS = 0.5  # before that nothing can be said of the speed


def duration_text(seconds: float) -> str:
    """Return a time that is about to pass: "8 s", "3 min", "2 h 5 min"."""
    whole = max(1, math.ceil(seconds))
    if whole < 100:
        return _("{seconds} s").format(seconds=whole)
    minutes = math.ceil(whole / 60)
    if minutes < 60:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def reading_text(reading: Reading) -> str:
    """Return how much of a prompt has been read, how fast, and how long the rest takes at that speed."""
    said = _("Reading… {percent} %").format(percent=math.floor(100 * reading.done / max(reading.total, 1)))
    if reading.seconds < _LEAST_SECONDS or not reading.done or reading.done >= reading.total:
        return said
    speed = reading.done / reading.seconds
    return _("{reading} · {speed} tokens/s · {time} left").format(
        reading=said,
        speed=f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}",
        time=duration_text((reading.total - reading.done) / speed),
    )


def thought_text(seconds: float, *, thinking: bool = False) -> str:
    """Return how long a model has thought, or thinks."""
    whole = int(seconds) if thinking else round(seconds)
    if thinking:
        return _("Thinking… {seconds} s").format(seconds=whole) if whole else _("Thinking…")
    if not whole:
        return _("Thought for a moment")
    if whole < 60:
        return _("Thought for {seconds} s").format(seconds=whole)
    minutes, rest = divmod(whole, 60)
    return _("Thought for {minutes} min {seconds} s").format(minutes=minutes, seconds=rest)


def activity_text(event: object) -> str:
    """Return what the engine is at, as `event` tells; empty when there is nothing to say."""
    match event:
        case Loading(fraction=fraction):
            return _("Loading the model… {percent} %").format(percent=round(fraction * 100))
        case WaitsForSummary():
            return _("Summarising older messages, to make room…")
        case Reading() if event.total:
            return reading_text(event)
    return ""
