"""Sizes and counts as people read them, in the locale's digits."""

from datetime import datetime

from PySide6.QtCore import QDate, QLocale, QTime

from app.domain.language import _
from app.domain.model import Use
from app.services.model_facts import Facts

_WEEK = 7


def size_text(size: int) -> str:
    """Return bytes as "98 MB" or "4.6 GB", in powers of ten as disks are sold."""
    digits = 1 if size >= 1_000_000_000 else 0
    return QLocale().formattedDataSize(size, digits, QLocale.DataSizeFormat.DataSizeSIFormat)


def context_text(tokens: int) -> str:
    """Return the size of a context as the field writes it: 131072 is "128k"."""
    if tokens < 1024:
        return QLocale().toString(tokens)
    return f"{QLocale().toString(round(tokens / 1024))}k"


def count_text(tokens: int) -> str:
    """Return a number of tokens in short: 4100 is "4.1k" beside contexts, whose k is 1024."""
    thousands = tokens / 1024
    if thousands < 1:
        return QLocale().toString(tokens)
    return f"{QLocale().toString(thousands, 'f', 1 if thousands < 10 else 0)}k"


def time_text(moment: datetime) -> str:
    """Return a local time of day, with the date where that is another one than today's."""
    short = QLocale.FormatType.ShortFormat
    text = QLocale().toString(QTime(moment.hour, moment.minute), short)
    if moment.date() == datetime.now().astimezone().date():
        return text
    return f"{QLocale().toString(QDate(moment.year, moment.month, moment.day), short)} {text}"


def date_text(seconds: float) -> str:
    """Return the local date of a moment in seconds since the epoch."""
    moment = datetime.fromtimestamp(seconds)
    return QLocale().toString(QDate(moment.year, moment.month, moment.day), QLocale.FormatType.ShortFormat)


def fit_words(fit: str) -> tuple[str, str]:
    """Return how well a model fits this computer, and the token of the colour to say it in.

    Args:
        fit: "fits", "tight" or "too_large".
    """
    return {
        "fits": (_("Fits well"), "good"),
        "tight": (_("Tight"), "warn"),
        "too_large": (_("Too large"), "bad"),
    }[fit]


def fit_part(facts: Facts) -> tuple[str, str]:
    """Return how well a model fits and the token of the colour to say it in; nothing when unknown."""
    if not facts.fit:
        return "", "soft"
    words, tint = fit_words(facts.fit)
    if facts.context:
        words = _("Tight: {size} context").format(size=context_text(facts.context))
    return words, tint


def speed_text(speed: float) -> str:
    """Return tokens a second; nothing when unknown."""
    count = QLocale().toString(speed, "f", 0 if speed >= 10 else 1)
    return _("{count} tokens/s").format(count=count) if speed > 0 else ""


def speed_here(use: Use | None) -> str:
    """Return how fast a model has written on this computer; nothing when unknown."""
    words = speed_text(use.writing) if use else ""
    return _("{speed} here").format(speed=words) if words else ""


def moment_text(seconds: float) -> str:
    """Return when something was, in seconds since the epoch: "Tuesday, 14:02", or with a date if long ago."""
    moment = datetime.fromtimestamp(seconds).astimezone()
    locale = QLocale()
    clock = locale.toString(QTime(moment.hour, moment.minute), QLocale.FormatType.ShortFormat)
    days = (datetime.now().astimezone().date() - moment.date()).days
    if 0 <= days < _WEEK:
        day = locale.standaloneDayName(moment.isoweekday())
    else:
        day = locale.toString(QDate(moment.year, moment.month, moment.day), QLocale.FormatType.ShortFormat)
    # Translators: a day of the week or a date, and the time of day.
    return _("{day}, {time}").format(day=day, time=clock)
