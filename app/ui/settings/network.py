"""Settings: where models come from, over which way, and how fast."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from urllib.parse import urlsplit

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QPushButton

from app.domain.errors import UserError
from app.domain.language import _, joined
from app.services.network import Attempt, Connection, Reach
from app.ui.controls import announce
from app.ui.inspector.numbers import number_text, read_number
from app.ui.inspector.switch import SwitchField
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.page import LineField, SettingsPage, group, note, show_note, stacked

_MB = 1_000_000
_SLOWEST = 10_000  # bytes a second; less would be no download


class NetworkPage(SettingsPage):
    """The section.

    Attributes:
        mirror: Another address than the usual hub's.
        proxy: What connections go through.
        token: Where an access token is entered; none is ever shown in it.
        forget: Forgets the token.
        consent: Whether the token may go to the mirror.
        limit: The most that downloads may take.
        test: Asks the hub, or gives that up.
        log: Opens the list of connections.

    Signals:
        log_requested: The list of connections.
    """

    log_requested = Signal()

    def __init__(self, desk: SettingsDesk, title: str) -> None:
        self._desk = desk
        self._reach: Reach | None = None
        self._attempt: Attempt | None = None
        self._asking, self._round = False, 0
        super().__init__(title)

    def _fill(self) -> Iterator[None]:
        self._add_hub()
        yield
        self._add_token()
        yield
        self._add_rest()

    def _add_hub(self) -> None:
        self.mirror = LineField(
            _("Mirror"),
            lambda text: self._change(self.mirror, endpoint=text),
            hint="https://",
            meaning=_("Another address with the same models. Leave it empty for the usual hub."),
        )
        self.proxy = LineField(
            _("Proxy"),
            lambda text: self._change(self.proxy, proxy=text),
            hint="socks5://127.0.0.1:1080",
            meaning=_(
                "Such as http://host:8080 or socks5://host:1080. Left empty, the system’s one is used."
            ),
        )
        self._password = note(_("The password in it is kept as it is, readable on this computer."), "warn")
        self._password.hide()
        self.test = QPushButton(_("Test connection"))
        self.test.clicked.connect(self._press_test)
        self._answer, self._hint = note(""), note("")
        self.column.addWidget(group(_("The hub of models")))
        self.column.addWidget(self.mirror)
        self.column.addLayout(stacked(self.proxy, self._password))
        self.column.addLayout(stacked(self.test, self._answer, self._hint))

    def _add_token(self) -> None:
        self.token = LineField(
            _("Access token"),
            self._set_token,
            hint=_("Paste it here"),
            meaning=_("Some makers want to know who downloads. A token of your account at the hub says so."),
            secret=True,
        )
        self._kept = note("")
        self.forget = QPushButton(_("Forget the token"))
        self.forget.clicked.connect(self._forget)
        self.consent = SwitchField(
            self._desk.appearance,
            _("Send the token to the mirror, too"),
            lambda wanted: self._change(self.consent, token_for_mirror=wanted),
            _("Whoever runs the mirror could use it then. Allow it only if you trust them."),
        )
        self._unsafe = note(
            _(
                "The mirror’s address begins with “http://”: others could read the token on the way, "
                "so it is not sent."
            ),
            "warn",
        )
        self.column.addWidget(group(_("Who you are")))
        for hidden in (self.forget, self.consent, self._unsafe):
            hidden.hide()
        self.column.addLayout(stacked(self.token, self._kept, self.forget))
        self.column.addLayout(stacked(self.consent, self._unsafe))

    def _add_rest(self) -> None:
        self.limit = LineField(
            _("All downloads together take at most"),
            self._set_limit,
            unit=_("MB/s"),
            hint=_("no limit"),
            meaning=_("Leave it empty for no limit. It holds at once."),
        )
        self.log = QPushButton(_("What Fireside has asked over the network"))
        self.log.setProperty("kind", "link")
        self.log.setProperty("flush", "true")
        self.log.setCursor(Qt.CursorShape.PointingHandCursor)
        self.log.clicked.connect(self.log_requested)
        self.column.addWidget(group(_("Speed")))
        self.column.addWidget(self.limit)
        self.column.addLayout(stacked(self.log))

    def refresh(self) -> None:
        """Show what is set now."""
        self._show(self._desk.network.read(), self._desk.poster.report, again=False)

    def leave(self) -> None:
        """Set what is being written, and wait for no answer."""
        self._finish_edits()
        self._give_up()

    def _show(
        self,
        future: "Future[Reach]",
        refuse: Callable[[UserError], None],
        then: Callable[[], None] = lambda: None,
        *,
        again: bool = True,
    ) -> None:
        """Show what is set once `future` is done; after a refusal say it, and look `again`."""
        newest = self._newest()

        def took(reach: Reach) -> None:
            then()
            if newest():
                self._take(reach)

        def refused(error: UserError) -> None:
            refuse(error)
            if again and newest():
                self.refresh()

        self._desk.when(self, future, took, refused)

    def _take(self, reach: Reach) -> None:
        self._reach = reach
        settings, token = reach.settings, reach.token
        self.mirror.show_value(settings.endpoint)
        self.proxy.show_value(settings.proxy)
        self._password.setVisible("@" in settings.proxy)
        self.limit.show_value(number_text(reach.limit / _MB) if reach.limit else "")
        self.forget.setVisible(token is not None)
        kept = lasting = ""
        if token is not None:
            kept = _("There is a token.")
            if token.ending:
                kept = _("There is a token; it ends with “{letters}”.").format(letters=token.ending)
            lasting = (
                _("It is kept in this computer’s keyring.")
                if token.lasting
                else _(
                    "This computer has no keyring that could keep it, so it is forgotten when Fireside "
                    "is closed."
                )
            )
        show_note(self._kept, joined(kept, lasting))
        self.consent.setVisible(bool(settings.endpoint))
        self.consent.show_value(settings.token_for_mirror)
        refused = settings.token_for_mirror and token is not None and not reach.sends_token
        self._unsafe.setVisible(refused and urlsplit(settings.endpoint).scheme == "http")

    def _change(self, field: LineField | SwitchField, **values: object) -> None:
        self._tell("", "")
        self._show(self._desk.network.change(**values), field.complain)

    def _set_token(self, text: str) -> None:
        def kept() -> None:
            self.token.line.setText("")
            self.token.show_value("")

        if not text:  # no wish to forget it: that has a button
            return
        self._tell("", "")
        self._show(self._desk.network.set_token(text), self.token.complain, kept)

    def _forget(self) -> None:
        self.token.line.setFocus()  # the button goes
        self._tell("", "")
        self._show(self._desk.network.set_token(""), self.token.complain)

    def _set_limit(self, text: str) -> None:
        limit = round(read_number(text, whole=False) * _MB) if text else 0
        if text and limit < _SLOWEST:
            raise UserError(_("That is too slow for a download."), _("Leave the field empty for no limit."))
        self._show(self._desk.network.set_limit(limit), self.limit.complain)

    def _press_test(self) -> None:
        if self._asking:
            self._give_up()
            return
        self._finish_edits()
        self._asking, self._round = True, self._round + 1
        self.test.setText(_("Cancel"))
        self._tell(_("Asking the hub…"), "")
        # What was being written is set by then, or refused.
        begin, fail = partial(self._ask, self._round), partial(self._fail, self._round)
        self._desk.when(self, self._desk.network.read(), begin, fail)

    def _ask(self, number: int, _reach: Reach) -> None:
        if number != self._round:
            return
        refused = next((each for each in (self.mirror, self.proxy) if each.problem), None)
        if refused is not None:
            self._end("", "")
            refused.line.setFocus()
            return
        self._attempt = self._desk.network.test()
        answered, fail = partial(self._answered, number), partial(self._fail, number)
        self._desk.when(self, self._attempt.answer, answered, fail)

    def _answered(self, number: int, connection: Connection) -> None:
        if number == self._round:
            self._end(self._words(connection), "", "good")

    def _fail(self, number: int, error: UserError) -> None:
        if number == self._round:
            self._end(error.message, error.hint, "bad")

    def _end(self, answer: str, hint: str, tone: str = "soft") -> None:
        self._attempt, self._asking = None, False
        self.test.setText(_("Test connection"))
        self._tell(answer, hint, tone)
        if answer:
            announce(self, joined(answer, hint))

    def _tell(self, answer: str, hint: str, tone: str = "soft") -> None:
        show_note(self._answer, answer, tone)
        show_note(self._hint, hint)

    def _give_up(self) -> None:
        self._round += 1
        if self._attempt is not None:
            self._attempt.cancel()
        if self._asking:
            self._end("", "")

    def _words(self, connection: Connection) -> str:
        seconds = QLocale().toString(max(0.1, connection.seconds), "f", 1)
        text = _("The hub answers, in {seconds} s.")
        if connection.is_mirror:
            text = _("The mirror answers, in {seconds} s.")
        text = text.format(seconds=seconds)
        if connection.user:
            return joined(text, _("It knows you as {name}.").format(name=connection.user))
        if self._reach is not None and self._reach.token is not None:
            return joined(text, _("Your access token is not sent to it."))
        return text
