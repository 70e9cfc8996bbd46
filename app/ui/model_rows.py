"""The rows of the picker: models that are here, that other apps have, and that are worth having."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QLocale, QModelIndex, QPersistentModelIndex, Qt

from app.domain.download import Download, Progress, State
from app.domain.language import _
from app.domain.model import EngineStatus, Model, Origin
from app.services.adoption import Foreign, SourceInfo
from app.services.model_facts import NOTHING, Facts
from app.services.recommendations import Suggestion
from app.ui.downloads.words import facts, left_text
from app.ui.quantities import context_text, fit_part, fit_words, size_text, speed_here

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_SHOWN = 4  # suggestions, unless one is searched for

Subject = Model | SourceInfo | Foreign | Suggestion
Part = tuple[str, str]
"""A text and the token of its colour."""


class ModelRole(IntEnum):
    """What a row answers beside its text."""

    ROW = Qt.ItemDataRole.UserRole  # the Row, or None for a heading
    SUBJECT = Qt.ItemDataRole.UserRole + 1  # what it is about, or None for a heading
    ACTION = Qt.ItemDataRole.UserRole + 2  # what pressing a heading does, or None


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can be picked.

    Attributes:
        subject: What is picked.
        title: Its name.
        tags: Short words in frames behind the name.
        about: What to say of it, as long as it takes.
        facts: The last line, cut where there is no room.
        end: How well it fits, at the right.
        action: What picking it does, where that is not plain.
        chosen: The chat answers with it.
        muted: It cannot be picked as it is.
        part: How far its download is, from 0 to 1; None without one.
    """

    subject: Subject
    title: str
    tags: tuple[Part, ...] = ()
    about: tuple[Part, ...] = ()
    facts: tuple[Part, ...] = ()
    end: Part = ("", "soft")
    action: str = ""
    chosen: bool = False
    muted: bool = False
    part: float | None = None

    @property
    def spoken(self) -> str:
        """Return the row as words."""
        tags = " ".join(text for text, _tint in self.tags)
        lines = [text for text, _tint in self.about] + ["".join(text for text, _tint in self.facts)]
        return ". ".join(
            part for part in (f"{self.title} {tags}".strip(), self.end[0], *lines, self.action) if part
        )

    @property
    def shape(self) -> tuple[object, ...]:
        """Return what its height and its place follow from."""
        return self.title, self.tags, self.about, bool(self.facts), self.part is None, type(self.subject)


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is beside the models that are here.

    Attributes:
        sources: Other apps that are on this computer.
        foreign: Their models.
        suggestions: What suits this computer, the best first.
        downloads: By the id of a suggestion: its download, and how far that is.
        asked: Ids of suggestions whose download is being prepared.
        problems: By the id of a suggestion or the path of another app's model: why it could not be had.
    """

    sources: Sequence[SourceInfo] = ()
    foreign: Sequence[Foreign] = ()
    suggestions: Sequence[Suggestion] = ()
    downloads: Mapping[str, tuple[Download, Progress]] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    problems: Mapping[str, str] = field(default_factory=dict)


class ModelRows(QAbstractListModel):
    """Headings and rows."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[str | Row] = []

    def show_rows(self, rows: list[str | Row]) -> bool:
        """Show `rows`; return whether others stand where these do now, or with another height."""
        same = [row if isinstance(row, str) else row.shape for row in rows] == [
            row if isinstance(row, str) else row.shape for row in self._rows
        ]
        if same:
            if rows != self._rows:
                self._rows = rows
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return False
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()
        return True

    def row_of(self, key: object) -> QModelIndex:
        """Return where the subject with this key stands, else the first one, else an invalid index."""
        found = [(number, row) for number, row in enumerate(self._rows) if isinstance(row, Row)]
        for number, row in found:
            if key_of(row.subject) == key:
                return self.index(number)
        return self.index(found[0][0]) if found else QModelIndex()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many rows are shown, headings included."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        row = self._rows[index.row()]
        if isinstance(row, str):
            if role == ModelRole.ACTION and row == self._kept():
                return _("All of them…")
            return row if role == Qt.ItemDataRole.DisplayRole else None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.spoken
            case ModelRole.ROW:
                return row
            case ModelRole.SUBJECT:
                return row.subject
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Say that headings are only to be read, but for the one that leads to all models that are here."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        row = self._rows[index.row()]
        if isinstance(row, str):
            return Qt.ItemFlag.ItemIsEnabled if row == self._kept() else Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def _kept(self) -> str | None:
        """Return the heading over the models that are here; that of the loaded ones when all are."""
        here = _("On this computer")
        return here if here in self._rows else _("Loaded") if _("Loaded") in self._rows else None


def key_of(subject: Subject) -> object:
    """Return what stays the same of a subject."""
    match subject:
        case Model() | Foreign():
            return subject.path
        case SourceInfo():
            return "source", subject.key
        case Suggestion():
            return "suggestion", subject.id


def rows_of(
    models: Sequence[Model],
    status: EngineStatus,
    chosen: Path | None,
    offers: Offers,
    wanted: str,
    facts: Mapping[Path, Facts],
) -> list[str | Row]:
    """Return headings and rows: those that have all words of `wanted` in them."""
    words = wanted.casefold().split()

    def fits(*texts: str) -> bool:
        whole = " ".join(texts).casefold()
        return all(word in whole for word in words)

    found = [model for model in models if fits(model.name, model.quantization, model.path.name)]
    loaded = [model for path in status.in_memory for model in found if model.path == path]
    others = [model for model in found if model not in loaded]
    here = {model.path for model in models}
    foreign = [
        each
        for each in offers.foreign
        if each.path not in here and fits(each.name, each.quantization, each.app)
    ]
    closed = [each for each in offers.sources if not each.allowed and not words]
    # One that was downloaded says so where it was asked for, until it is used.
    suggested = [
        each
        for each in offers.suggestions
        if fits(each.name, each.quantization, each.repository)
        and (each.id in offers.downloads or not _is_here(each, models))
    ]
    shown = suggested if words else _worth_showing(suggested, offers)
    rows: list[str | Row] = []
    for heading, group in (
        (_("Loaded"), [_own(model, chosen, facts) for model in loaded]),
        (_("On this computer"), [_own(model, chosen, facts) for model in others]),
        (
            _("Found in other apps"),
            [*(_foreign(each, offers) for each in foreign), *(_closed(each) for each in closed)],
        ),
        (_("Recommended for this computer"), [_suggested(each, offers) for each in shown]),
    ):
        if group:
            rows += [heading, *group]
    return rows


def lies_at(model: Model, repository: str, path: str) -> bool:
    """Return whether `model` is a file of a hub's repository, where downloads of it are put."""
    tail = (*repository.split("/"), *path.split("/"))
    return model.path.parts[-len(tail) :] == tail


def describe(model: Model, facts: Facts = NOTHING) -> str:
    """Return the second line of a row: what is wrong, or size, context, speed and origin."""
    if model.problem:
        return model.problem
    parts = [size_text(model.size)]
    if model.context:
        parts.append(_("{size} context").format(size=context_text(model.context)))
    parts += [each for each in [speed_here(facts.use)] if each]
    if model.origin is Origin.STARTER:
        parts.append(_("came with Fireside"))
    elif facts.app:
        parts.append(_("in {app}, used in place").format(app=facts.app))
    elif model.origin is Origin.LINKED:
        parts.append(_("in {folder}, used in place").format(folder=model.path.parent.name))
    return " · ".join(parts)


def _tag(text: str) -> tuple[Part, ...]:
    return ((text, "soft"),) if text else ()


def _own(model: Model, chosen: Path | None, known: Mapping[Path, Facts]) -> Row:
    facts = known.get(model.path, NOTHING)
    return Row(
        model,
        model.name,
        _tag(model.quantization),
        about=((model.problem, "bad"),) if model.problem else (),
        facts=() if model.problem else ((describe(model, facts), "soft"),),
        end=fit_part(facts),
        chosen=model.path == chosen,
        muted=bool(model.problem),
    )


def _closed(source: SourceInfo) -> Row:
    # Translators: the name of an app, such as Ollama.
    title = _("Look for models of {app}").format(app=source.name)
    return Row(source, title, action=_("Look"))


def _foreign(model: Foreign, offers: Offers) -> Row:
    problem = offers.problems.get(str(model.path), model.problem)
    parts = [size_text(model.size)]
    if model.context:
        parts.append(_("{size} context").format(size=context_text(model.context)))
    parts.append(_("in {app}, used in place").format(app=_(", ").join((model.app, *model.also_in))))
    about = (problem, "bad") if problem else (" · ".join(parts), "soft")
    action = "" if model.problem else _("Use")
    return Row(
        model, model.name, _tag(model.quantization), about=(about,), action=action, muted=bool(model.problem)
    )


def _is_here(one: Suggestion, models: Sequence[Model]) -> bool:
    folder = tuple(one.repository.split("/"))
    return any(model.path.parts[-3:-1] == folder for model in models)


def _worth_showing(suggested: Sequence[Suggestion], offers: Offers) -> list[Suggestion]:
    begun = [each for each in suggested if each.id in offers.downloads or each.id in offers.asked]
    rest = [each for each in suggested if each not in begun and each.fit != "too_large"]
    kept = {each.id for each in (*begun, *rest[: max(0, _SHOWN - len(begun))])}
    return [each for each in suggested if each.id in kept]


def _suggested(one: Suggestion, offers: Offers) -> Row:
    download, progress = offers.downloads.get(one.id, (None, None))
    problem = offers.problems.get(one.id, download.problem if download else "")
    action = _("Download")
    line: tuple[Part, ...] = _promise(one)
    part = None
    if one.id in offers.asked:
        action = _("Asking the hub…")
    elif download and progress:
        action = _action(download)
        line, part = _way(download, progress)
    elif problem:
        action = _("Try again")
    about = [(one.good_at, "soft")]
    if one.first and one.why:
        about.append((one.why, "soft"))
    if problem:
        about.append((problem, "bad"))
    tags = (*_tag(one.quantization), *(((_("First choice"), "accent_ink"),) if one.first else ()))
    return Row(one, one.name, tags, tuple(about), line, action=action, part=part)


def _promise(one: Suggestion) -> tuple[Part, ...]:
    words, tint = fit_words(one.fit)
    rest = [size_text(one.size)]
    if one.speed >= 1:
        speed = QLocale().toString(round(one.speed))
        rest.append(_("about {count} tokens/s").format(count=speed))
    rest.append(_("{size} context").format(size=context_text(one.context)))
    if one.license:
        rest.append(one.license)
    return (words, tint), ("".join(f" · {each}" for each in rest), "soft")


def _action(download: Download) -> str:
    match download.state:
        case State.DONE:
            return _("Use it")
        case State.FAILED:
            return _("Try again")
        case State.PAUSED:
            return _("Go on")
    return _("Pause")


def _way(download: Download, progress: Progress) -> tuple[tuple[Part, ...], float | None]:
    """Return what to say of a download, and how far it is."""
    if download.state is State.DONE:
        return ((_("Ready"), "good"),), None
    said = list(facts(download, progress))
    if progress.running and progress.seconds_left is not None and progress.next_try is None:
        said.append(left_text(progress.seconds_left))
    return ((" · ".join(said), "soft"),), progress.done / max(download.size, 1)
