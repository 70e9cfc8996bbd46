"""Counts, ages and sizes of what a hub has, in words."""

import re
from datetime import UTC, datetime

from PySide6.QtCore import QDate, QLocale

from app.domain.language import _, current, plural
from app.services.discovery import Publisher, PublisherRecord

_DAY = 86_400
_BY_TEN_THOUSANDS = {"zh", "ja", "ko"}  # languages that have a word for them and none for a million
_FENCE = re.compile(r"^ {0,3}(```|~~~)", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_UNSHOWN = re.compile(r"<(style|script|svg)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"<h([1-6])\b[^>]*>\s*", re.IGNORECASE)
_BREAK = re.compile(r"<(br|/p|/div|/h[1-6]|/li|/tr)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_PICTURE = re.compile(r"!\[[^\]]*\](\([^()]*(\([^()]*\)[^()]*)*\)|\[[^\]]*\])?")
_EMPTY_LINK = re.compile(r"\[\s*\](\([^()]*\)|\[[^\]]*\])")
_EMPTY_LINES = re.compile(r"(\s*\n){3,}")
_LONGEST = 100_000


def count_words(count: int) -> str:
    """Return a count in short: 1234567 is "1.2M", in Chinese "123万"."""
    units: tuple[tuple[int, str], ...]
    if current().partition("_")[0] in _BY_TEN_THOUSANDS:
        units = ((10**8, _("{number} hundred million")), (10**4, _("{number} ten thousand")))
    else:
        units = ((10**9, "{number}B"), (10**6, "{number}M"), (1000, "{number}k"))
    for size, words in units:
        if count >= size:
            number = count / size
            digits = 1 if number < 10 and round(number, 1) % 1 else 0
            return words.format(number=QLocale().toString(number, "f", digits))
    return QLocale().toString(count)


def popularity_words(downloads: int, likes: int) -> list[str]:
    """Return how often something was downloaded and liked; nothing for never."""
    words = [
        (downloads, plural("{count} download", "{count} downloads", downloads)),
        (likes, plural("{count} like", "{count} likes", likes)),
    ]
    return [text.format(count=count_words(count)) for count, text in words if count]


def parameters_words(parameters: int) -> str:
    """Return the size of a model as the field writes it: "8B", "1.5B", "135M"; nothing when unknown."""
    if parameters <= 0:
        return ""
    size, unit = (1e9, "B") if parameters >= 950_000_000 else (1e6, "M")
    number = parameters / size
    return f"{QLocale().toString(number, 'f', 1 if number < 10 else 0).removesuffix('.0')}{unit}"


def age_words(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something was, nothing when unknown."""
    if moment is None:
        return ""
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    days = int(((now or datetime.now(UTC)) - known).total_seconds() // _DAY)
    if days < 1:
        return _("today")
    if days < 14:
        return plural("{count} day ago", "{count} days ago", days).format(count=days)
    if days < 60:
        return plural("{count} week ago", "{count} weeks ago", days // 7).format(count=days // 7)
    if days < 730:
        return plural("{count} month ago", "{count} months ago", days // 30).format(count=days // 30)
    return plural("{count} year ago", "{count} years ago", days // 365).format(count=days // 365)


def publisher_words(publisher: Publisher, record: PublisherRecord | None) -> list[str]:
    """Return who has published a model, and what makes one trust it or not."""
    name = publisher.full_name or publisher.name
    if publisher.is_verified:
        who = _("{name} is an organization that the hub has verified").format(name=name)
    elif publisher.is_organization:
        who = _("{name} is an organization").format(name=name)
    else:
        who = name
    words = [who, *([_since_words(record)] if record else [])]
    if publisher.models:
        models = plural("{count} model", "{count} models", publisher.models)
        words.append(models.format(count=count_words(publisher.models)))
    if record and record.downloads:
        words.append(_downloads_words(record))
    if publisher.followers:
        followers = plural("{count} follower", "{count} followers", publisher.followers)
        words.append(followers.format(count=count_words(publisher.followers)))
    return [text for text in words if text]


def _since_words(record: PublisherRecord) -> str:
    if record.since is None:
        return ""
    day = QDate(record.since.year, record.since.month, 1)
    month = QLocale(current()).toString(day, _("MMMM yyyy"))
    if record.earlier:
        return _("has published since {month} or longer").format(month=month)
    return _("has published since {month}").format(month=month)


def _downloads_words(record: PublisherRecord) -> str:
    count = count_words(record.downloads)
    if not record.complete:
        return _("more than {count} downloads last month").format(count=count)
    words = plural("{count} download last month", "{count} downloads last month", record.downloads)
    return words.format(count=count)


def readable(card: str) -> str:
    """Return the description of a model without pictures and HTML, neither of which is shown.

    What stands in code is left as it is.
    """
    parts = []
    rest = card[:_LONGEST]
    while opening := _FENCE.search(rest):
        closing = re.compile(rf"^ {{0,3}}{re.escape(opening[1])}[^\n]*$", re.MULTILINE).search(
            rest, opening.end() + 1
        )
        end = closing.end() if closing else len(rest)
        parts += [_without_html(rest[: opening.start()]), rest[opening.start() : end]]
        rest = rest[end:]
    return "".join([*parts, _without_html(rest)]).strip()


def _without_html(text: str) -> str:
    for unshown in (_COMMENT, _UNSHOWN):
        text = unshown.sub("", text)
    text = _HEADING.sub(lambda found: f"\n\n{'#' * int(found[1])} ", text)
    text = _BREAK.sub("\n\n", text)
    text = _TAG.sub("", text)
    text = _EMPTY_LINK.sub("", _PICTURE.sub("", text))
    lines = [line.strip() if line.strip() in ("", "|") else line for line in text.split("\n")]
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines))
