"""The models of one repository, as they are stored in several ways: which suits, and how to get it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.domain.download import Download, State
from app.domain.language import _, plural
from app.services.discovery import Repository, Scan, Variant
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.downloads.bar import Bar, Line
from app.ui.downloads.desk import DownloadDesk
from app.ui.downloads.words import facts, left_text
from app.ui.hub.desk import HubDesk, Page
from app.ui.inspector.fields import small
from app.ui.quantities import fit_words, size_text

_USUAL = ("Q4_K_M", "MXFP4", "Q4_K_S", "Q4_0", "IQ4_XS", "Q5_K_M", "Q8_0", "Q3_K_M")
_PLAIN = {"Q2_K", "Q3_K_M", "Q4_K_M", "MXFP4", "Q5_K_M", "Q6_K", "Q8_0"}
_FEW = 6


def plain_quantization(variant: Variant) -> str:
    """Return how a model is stored, whoever made it: "Q4_K_M" also where the files say "UD-Q4_K_M"."""
    return variant.quantization.removeprefix("UD-")


def best(variants: Sequence[Variant], fits: "dict[str, str] | None") -> Variant | None:
    """Return the variant to begin with: the usual one that fits well; None when none does."""
    fitting = [each for each in variants if (fits or {}).get(each.path) == "fits" and _safe(each)]
    for usual in _USUAL:
        for each in fitting:
            if plain_quantization(each) == usual:
                return each
    return fitting[-1] if fitting else None


def few(variants: Sequence[Variant]) -> list[Variant]:
    """Return those that most people choose from, in their order; all where they are few anyway."""
    if len(variants) <= _FEW:
        return list(variants)
    seen: set[str] = set()
    plain = []
    for each in variants:
        kind = plain_quantization(each)
        if kind in _PLAIN and kind not in seen:
            seen.add(kind)
            plain.append(each)
    return plain or list(variants[:_FEW])


def _safe(variant: Variant) -> bool:
    return variant.scan in (Scan.SAFE, Scan.UNKNOWN)


class VariantRow(QWidget):
    """One way in which the model is stored, its size, whether it fits, and a button.

    Attributes:
        button: Downloads it, and what comes after that.
    """

    def __init__(
        self, appearance: Appearance, desk: HubDesk, downloads: DownloadDesk, page: Page, variant: Variant
    ) -> None:
        super().__init__()
        self._desk, self._downloads, self._page, self.variant = desk, downloads, page, variant
        self._name = Line(appearance, 13.5, weight=QFont.Weight.DemiBold)
        self._suits = label(_("Suits this computer"), tone="good", measure="small")
        self._size = label("", tone="soft", measure="small")
        self._fit = label("", measure="small")
        self.button = QPushButton()
        self.button.setProperty("kind", "link")
        self.button.setProperty("side", "right")
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.button.clicked.connect(self._press)
        self._bar, self._way = Bar(appearance), Line(appearance)
        self._problem = small("", "bad")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 4, 0, 4)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        for place, (widget, width) in enumerate(
            ((self._name, 0), (self._size, 64), (self._fit, 84), (self.button, 92))
        ):
            widget.setMinimumWidth(round(width * appearance.scale))
            grid.addWidget(widget, 0, place)
        for place, widget in enumerate((self._suits, self._bar, self._way, self._problem), 1):
            grid.addWidget(widget, place, 0, 1, 4)
        self.refresh()

    @property
    def download(self) -> Download | None:
        """Return its download, None where there is none."""
        return next(
            (
                each
                for each in self._downloads.known
                if each.repository == self._page.name and each.parts[0].path == self.variant.path
            ),
            None,
        )

    def refresh(self) -> None:
        """Show the newest."""
        variant, page = self.variant, self._page
        fits = dict(page.prospect.fits) if page.prospect else {}
        suits = page.repository is not None and best(page.repository.variants, fits) is variant
        self._name.show_facts((variant.quantization or variant.name,), tint="ink")
        self._suits.setVisible(suits)
        self._name.setToolTip(variant.name)
        self._size.setText(size_text(variant.size + (variant.projector.size if variant.projector else 0)))
        words, tone = fit_words(fits[variant.path]) if variant.path in fits else ("", "soft")
        if not _safe(variant):
            words, tone = _("Flagged"), "bad"
            self._fit.setToolTip(_("The hub's scanner has found something in this file."))
        self._fit.setText(words)
        if self._fit.property("tone") != tone:
            self._fit.setProperty("tone", tone)
            self._fit.style().polish(self._fit)
        self.refresh_progress()

    def refresh_progress(self) -> None:
        """Show how far its download is."""
        download = self.download
        on_the_way = download is not None and download.state in (State.WAITING, State.PAUSED)
        self._bar.setVisible(on_the_way)
        self._way.setVisible(on_the_way)
        problem = self._page.problems.get(self.variant.path, "")
        if download is not None:
            progress = self._downloads.progress(download)
            self._bar.show_part(
                progress.done / max(download.size, 1), "accent" if progress.running else "soft"
            )
            left = progress.seconds_left if progress.running and progress.next_try is None else None
            known = facts(download, progress) + ((progress.reason,) if progress.reason else ())
            self._way.show_facts(known, left_text(left) if left is not None else "")
            if download.state is State.FAILED:
                problem = f"{download.problem} {download.hint}".strip()
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        words = (
            _("Use it")
            if download is None and self._desk.here(self.variant)
            else self._words(download, problem)
        )
        if self.button.text() != words:
            self.button.setText(words)
            self.button.setAccessibleName(f"{words}: {self.variant.name}")

    def _words(self, download: Download | None, problem: str) -> str:
        if self.variant.path in self._page.asked:
            return _("Asking…")
        if download is None or download.state is State.FAILED:
            return _("Try again") if problem else _("Download")
        match download.state:
            case State.DONE:
                return _("Use it")
            case State.PAUSED:
                return _("Go on")
        return _("Pause")

    def _press(self) -> None:
        download, here = self.download, self._desk.here(self.variant)
        if download is None and here is not None:
            self._desk.chosen.emit(here)
        elif download is None:
            self._desk.fetch(self.variant)
        elif download.state is State.DONE:
            self._downloads.use(download)
        else:
            self._downloads.pause_or_resume(download)


class Variants(QWidget):
    """The rows: those that most people choose from, and all of them when they are wanted.

    Attributes:
        rows: Those that are there, from small to large.
    """

    def __init__(self, appearance: Appearance, desk: HubDesk, downloads: DownloadDesk, page: Page) -> None:
        super().__init__()
        self._appearance, self._desk, self._downloads, self._page = appearance, desk, downloads, page
        self.rows: list[VariantRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.all = QPushButton()
        self.all.setProperty("kind", "link")
        self.all.setProperty("flush", "true")
        self.all.setCursor(Qt.CursorShape.PointingHandCursor)
        self.all.clicked.connect(self._show_all)
        self._column.addWidget(self.all, 0, Qt.AlignmentFlag.AlignLeft)
        downloads.changed.connect(self.refresh)
        downloads.ticked.connect(self._tick)

    def show_repository(self, repository: Repository) -> None:
        """Show the models of a repository."""
        variants = repository.variants
        shown = few(variants)
        self._write(shown)
        count = len(variants)
        words = plural("Show the {count} file", "Show all {count} files", count).format(count=count)
        self.all.setText(words)
        self.all.setVisible(len(shown) < count)

    def refresh(self) -> None:
        """Show the newest of all rows."""
        for row in self.rows:
            row.refresh()

    def _tick(self) -> None:
        for row in self.rows:
            row.refresh_progress()

    def _show_all(self) -> None:
        self.all.hide()
        if self._page.repository is not None:
            self._write(self._page.repository.variants)

    def _write(self, variants: Sequence[Variant]) -> None:
        known = {row.variant.path: row for row in self.rows}
        self.rows = []
        for place, variant in enumerate(variants):
            row = known.get(variant.path) or VariantRow(
                self._appearance, self._desk, self._downloads, self._page, variant
            )
            self.rows.append(row)
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
