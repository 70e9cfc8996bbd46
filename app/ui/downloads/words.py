"""How far a download is, in words."""

import math

from PySide6.QtCore import QLocale

from app.domain.download import Download, Progress, State
from app.domain.language import _, joined
from app.ui.quantities import size_text

_GIGABYTE = 1_000_000_000


def title(download: Download) -> str:
    """Return what is fetched: "Qwen3 4B · Q4_K_M"."""
    return " · ".join(part for part in (download.name, download.quantization) if part)


def arrived_text(done: int, size: int) -> str:
    """Return "1.2 of 4.4 GB": both in the unit of the whole."""
    in_gigabytes = size >= _GIGABYTE
    number = done / (_GIGABYTE if in_gigabytes else 1_000_000)
    shown = QLocale().toString(number, "f", 1 if in_gigabytes else 0)
    return _("{done} of {size}").format(done=shown, size=size_text(size))


def speed_text(bytes_per_second: float) -> str:
    """Return "12 MB/s"."""
    return _("{size}/s").format(size=size_text(round(bytes_per_second)))


def left_text(seconds: float) -> str:
    """Return how long it will still take, more roughly the longer it is."""
    whole = QLocale().toString
    if seconds < 60:
        return _("{count} s left").format(count=whole(max(1, math.ceil(seconds))))
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return _("{count} min left").format(count=whole(minutes))
    if minutes < 48 * 60:
        return _("{hours} h {minutes} min left").format(
            hours=whole(minutes // 60), minutes=whole(minutes % 60)
        )
    return _("{count} days left").format(count=whole(round(minutes / 60 / 24)))


def facts(download: Download, progress: Progress) -> tuple[str, ...]:
    """Return what to say of a download on its way, the most important first."""
    arrived = arrived_text(progress.done, download.size)
    if download.state is State.PAUSED:
        return (_("Paused"), arrived)
    if not progress.running:
        return (_("Waiting"), arrived if progress.done else size_text(download.size))
    if progress.next_try is not None:
        return (_("Trying again in {count} s").format(count=math.ceil(progress.next_try)),)
    if not progress.bytes_per_second:
        return (arrived,)
    return (arrived, speed_text(progress.bytes_per_second))


def summary(download: Download, progress: Progress) -> str:
    """Return all that is to be said of it, as for a screen reader."""
    match download.state:
        case State.DONE:
            state = _("ready")
        case State.FAILED:
            state = f"{download.problem} {download.hint}".strip()
        case _:
            left = progress.seconds_left if progress.running else None
            known = facts(download, progress) + ((left_text(left),) if left is not None else ())
            state = joined(progress.reason, ", ".join(known))
    return f"{title(download)}: {state}"
