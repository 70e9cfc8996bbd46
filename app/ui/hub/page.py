"""The page of one model at the hub: what it is, what to be wary of, its files, its description."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.domain.language import _
from app.services.discovery import Repository, Scan, Withheld
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.downloads.desk import DownloadDesk
from app.ui.hub.card import CardText
from app.ui.hub.desk import HubDesk, Page
from app.ui.hub.results import short_name
from app.ui.hub.variants import Variants
from app.ui.hub.words import age_words, parameters_words, popularity_words, publisher_words
from app.ui.inspector.fields import small
from app.ui.links import ask_to_open
from app.ui.quantities import context_text
from app.ui.transcript.highlight import Highlighter


class Caution(QFrame):
    """A card with something to know before a download.

    Attributes:
        column: Where more goes.
    """

    def __init__(self, words: str, hint: str = "", tone: str = "warn") -> None:
        super().__init__()
        self.setObjectName("notice")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(14, 10, 14, 10)
        self.column.setSpacing(4)
        self.column.addWidget(small(words, tone))
        if hint:
            self.column.addWidget(small(hint))


class ModelPage(QScrollArea):
    """One model; it fills up as the hub answers.

    Attributes:
        variants: The files.
        card: The description.
        token: Where an access token is entered, on the page of a gated model.
        send: Sends it to a mirror, too.
    """

    def __init__(
        self,
        appearance: Appearance,
        desk: HubDesk,
        downloads: DownloadDesk,
        highlighter: Highlighter,
        page: Page,
    ) -> None:
        super().__init__()
        self._appearance, self._desk, self._page = appearance, desk, page
        self.setObjectName("alternatives")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(2, 0, 10, 8)
        column.setSpacing(6)
        self._title = label(short_name(page.name), measure="heading")
        self._title.setWordWrap(True)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts = small(page.name)
        self._publisher = small("")
        self._state, self._hint = small(_("Asking the hub…")), small("")
        self.again = QPushButton(_("Try again"))
        self.again.clicked.connect(desk.try_again)
        self._warnings = QVBoxLayout()
        self._warnings.setSpacing(6)
        self.token: QLineEdit | None = None
        self.send: QPushButton | None = None
        self._told: object = None
        self._heading = label(_("Files"), measure="group")
        self._meaning = small(
            _("The same model, stored more or less exactly: smaller files need less memory.")
        )
        self.variants = Variants(appearance, desk, downloads, page)
        self.card = CardText(appearance, highlighter)
        self.card.link_activated.connect(lambda address: ask_to_open(address, self.window()))
        self._line = QFrame()
        self._line.setObjectName("popoverFoot")
        self._line.setFixedHeight(1)
        for widget in (
            self._title,
            self._facts,
            self._publisher,
            self._state,
            self._hint,
        ):
            column.addWidget(widget)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(2)
        column.addLayout(self._warnings)
        column.addSpacing(6)
        column.addWidget(self._heading)
        column.addWidget(self._meaning)
        column.addWidget(self.variants)
        column.addSpacing(6)
        column.addWidget(self._line)
        column.addSpacing(6)
        column.addWidget(self.card)
        column.addStretch(1)
        self.setWidget(content)
        self._files: Repository | None = None
        self._text: str | None = None
        desk.looked.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what has come since."""
        page = self._page
        if self._desk.page is not page:
            return
        repository, error = page.repository, page.error
        self._publisher.setVisible(False)
        self._state.setText(error.message if error else _("Asking the hub…"))
        self._state.setVisible(repository is None)
        self._hint.setText(error.hint if error else "")
        self._hint.setVisible(bool(error and error.hint))
        self.again.setVisible(error is not None)
        for widget in (self._heading, self._meaning, self.variants, self._line, self.card):
            widget.setVisible(repository is not None)
        if repository is None:
            return
        if self._files is not repository:
            self._files = repository
            self.variants.show_repository(repository)
        self._facts.setText(" · ".join(_facts(repository, page)))
        self._warn(repository, page)
        words = " · ".join(publisher_words(page.publisher, page.record)) if page.publisher else ""
        self._publisher.setText(words)
        self._publisher.setVisible(bool(words))
        self.variants.refresh()
        if page.card is not None and page.card != self._text:
            self._text = page.card
            QTimer.singleShot(0, self.card, lambda: self.card.show_card(page.card or ""))

    def _warn(self, repository: Repository, page: Page) -> None:
        """Write the warnings, unless the same ones stand there."""
        near = page.prospect.near if page.prospect else ()
        problem = page.prospect.problem if page.prospect else ""
        base = page.prospect is not None and page.prospect.is_base
        told = (near, problem, base, repository, page.withheld)
        if told == self._told:
            return
        self._told = told
        while (item := self._warnings.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self.token = self.send = None
        if near:
            self._warnings.addWidget(
                Caution(
                    _("This name looks like {names}, and is another one.").format(names=_(", ").join(near)),
                    _("Such names are used to pass off files as someone else's. Make sure which you mean."),
                    "bad",
                )
            )
        if repository.scan in (Scan.SUSPICIOUS, Scan.UNSAFE):
            self._warnings.addWidget(
                Caution(
                    _("The hub's scanner has found something in files of this model."),
                    _("Take it from another maker."),
                    "bad",
                )
            )
        if not repository.accessible:
            self._warnings.addWidget(self._gate(page))
            if page.withheld is not None:
                self._warnings.addWidget(self._withheld(page.withheld))
        elif repository.gated:
            self._warnings.addWidget(Caution(_("You have access to this gated model."), tone="good"))
        if not repository.variants:
            words = _("There is no model in the GGUF format here.")
            self._warnings.addWidget(Caution(words, _("Look for the same name with “GGUF” behind it.")))
        if problem:
            self._warnings.addWidget(Caution(problem, _("It may not run here."), "bad"))
        if base:
            self._warnings.addWidget(
                Caution(_("This is a base model: it continues text rather than following instructions."))
            )

    def _gate(self, page: Page) -> Caution:
        made = Caution(
            _("Its maker wants to know who downloads it."),
            _("Accept the terms on its page, then enter an access token of your account here."),
        )
        row = QHBoxLayout()
        row.setSpacing(8)
        field = self.token = QLineEdit()
        field.setObjectName("number")
        field.setMinimumWidth(80)
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setPlaceholderText(_("Access token"))
        field.setAccessibleName(_("Access token"))
        use = QPushButton(_("Use this token"))
        field.setMinimumHeight(use.sizeHint().height())
        visit = QPushButton(_("Open its page"))
        visit.clicked.connect(lambda: self._visit(page))

        def enter() -> None:
            if field.text().strip():
                self._desk.use_token(field.text().strip())

        use.clicked.connect(enter)
        field.returnPressed.connect(enter)
        row.addWidget(field, 1)
        row.addWidget(use)
        made.column.addWidget(visit, 0, Qt.AlignmentFlag.AlignLeft)
        made.column.addLayout(row)
        return made

    def _withheld(self, withheld: Withheld) -> Caution:
        words = _("Your access token has not been sent to the mirror “{mirror}”.")
        hint = (
            _("Whoever runs it could use the token as you can.")
            if withheld.may_have_it
            else _("Its address begins with “http://”: others on the way could read the token.")
        )
        made = Caution(words.format(mirror=withheld.mirror), hint)
        if withheld.may_have_it:
            self.send = QPushButton(_("Send it to this mirror"))
            self.send.clicked.connect(self._desk.send_token_to_mirror)
            made.column.addWidget(self.send, 0, Qt.AlignmentFlag.AlignLeft)
        return made

    def _visit(self, page: Page) -> None:
        if page.prospect is not None:
            ask_to_open(page.prospect.page, self.window())


def _facts(repository: Repository, page: Page) -> list[str]:
    context = page.prospect.context if page.prospect else repository.context
    facts = [
        repository.maker,
        parameters_words(repository.parameters),
        _("{size} context").format(size=context_text(context)) if context else "",
        repository.license or _("no licence stated"),
        *popularity_words(repository.downloads, repository.likes),
        age_words(repository.modified),
    ]
    return [fact for fact in facts if fact]
