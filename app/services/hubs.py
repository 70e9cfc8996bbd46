"""The hub that a person has chosen: which one, through which proxy, and with which token."""

import logging
import re
import threading
from dataclasses import asdict, dataclass, replace
from typing import Any, Self
from urllib.parse import urlsplit

from app.domain.errors import UserError
from app.domain.hub_problems import explain
from app.domain.language import _
from app.storage.preferences import PreferenceStore
from models_registry.hub.client import Hub
from models_registry.hub.contacts import ContactLog
from models_registry.hub.errors import HubError

_KEY = "hub"
_SERVICE, _ACCOUNT = "Fireside", "hub"  # of the token, in the system's keyring
_TOKEN = re.compile(r"[!-~]{1,500}")
_PROXIES = ("http", "https", "socks5", "socks5h")
_SHOWN = 4  # letters of a token, to know it by

_log = logging.getLogger("fireside.hub")


@dataclass(frozen=True, slots=True)
class HubSettings:
    """How the hub is reached.

    Attributes:
        endpoint: Address of a mirror; empty for the usual hub.
        proxy: "http://…" or "socks5://…"; empty for what the system says.
        token_for_mirror: Whether the access token may go to a mirror.
    """

    endpoint: str = ""
    proxy: str = ""
    token_for_mirror: bool = False

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what was kept; what makes no sense is as if it had never been set."""
        known = value if isinstance(value, dict) else {}
        endpoint, proxy = (str(known.get(name) or "") for name in ("endpoint", "proxy"))
        return cls(endpoint, proxy, known.get("token_for_mirror") is True)


@dataclass(frozen=True, slots=True)
class TokenState:
    """An access token that is kept.

    Attributes:
        ending: Its last letters, to know it by; empty when it is so short that they would tell too much.
        lasting: Whether it outlives this start: it lies in the system's keyring.
    """

    ending: str
    lasting: bool


class Hubs:
    """Opens the hub as it is set. Waits for the disk and the keyring: never call it on the GUI thread."""

    def __init__(self, store: PreferenceStore, contacts: ContactLog | None = None) -> None:
        """Wire the service; nothing is read yet. What is asked of a hub is noted among `contacts`."""
        self._store, self._contacts = store, contacts
        self._lock = threading.Lock()
        self._opened: dict[tuple[HubSettings, str], Hub] = {}
        self._session_token = ""
        self._lasting = False

    def settings(self) -> HubSettings:
        """Return how the hub is reached."""
        return HubSettings.from_json(self._store.get(_KEY, {}).result())

    def set_settings(self, settings: HubSettings) -> None:
        """Reach the hub in this way from now on.

        Raises:
            UserError: When an address is none; nothing has changed then.
        """
        try:
            Hub(settings.endpoint or None).close()
        except HubError as error:
            raise explain(error) from error
        sound = replace(settings, proxy=_proxy(settings.proxy))
        self._store.set(_KEY, asdict(sound)).result()

    def change(self, **values: Any) -> HubSettings:
        """Change some of how the hub is reached, and return all of it.

        Another mirror gets no token before a person has said so of that one.

        Raises:
            UserError: When an address is none; nothing has changed then.
        """
        now = self.settings()
        changed = replace(now, **values)
        if changed.endpoint != now.endpoint and "token_for_mirror" not in values:
            changed = replace(changed, token_for_mirror=False)
        if changed != now:
            self.set_settings(changed)
        return self.settings()

    def hub(self) -> Hub:
        """Return the hub that is set.

        Raises:
            HubError: When its address makes no sense.
        """
        settings = self.settings()
        token = self.token()
        with self._lock:
            known = self._opened.get((settings, token))
            if known is None:
                known = self._opened[settings, token] = self._new(settings, token)
        return known

    def fresh(self) -> Hub:
        """Return the hub that is set over a connection of its own, which the caller closes.

        Raises:
            HubError: When its address makes no sense.
        """
        return self._new(self.settings(), self.token())

    def token(self) -> str:
        """Return the access token, empty when there is none."""
        if self._session_token:
            return self._session_token
        try:
            import keyring

            return keyring.get_password(_SERVICE, _ACCOUNT) or ""
        except Exception as error:  # a keyring that is locked or absent has many faces
            _log.info("No keyring: %s", type(error).__name__)
            return ""

    def token_state(self) -> TokenState | None:
        """Return what may be shown of the access token; None when there is none."""
        token = self.token()
        if not token:
            return None
        ending = token[-_SHOWN:] if len(token) > 4 * _SHOWN else ""
        return TokenState(ending, lasting=token != self._session_token or self._lasting)

    def set_token(self, token: str) -> bool:
        """Keep an access token in the system's keyring, or forget it when empty.

        Returns:
            Whether it outlives this start: without a keyring it is kept in memory alone.

        Raises:
            UserError: When it can be none; nothing has changed then.
        """
        if token and not _TOKEN.fullmatch(token):
            raise UserError(
                _("This is not an access token: it holds spaces or letters that none has."),
                _("Copy it once more from the hub’s page of settings."),
            )
        self._session_token, self._lasting = token, False
        try:
            import keyring

            if token:
                keyring.set_password(_SERVICE, _ACCOUNT, token)
            elif keyring.get_password(_SERVICE, _ACCOUNT) is not None:
                keyring.delete_password(_SERVICE, _ACCOUNT)
        except Exception as error:  # see `token`
            _log.info("No keyring: %s", type(error).__name__)
            return not token
        self._lasting = bool(token)
        return True

    def close(self) -> None:
        """End every connection."""
        with self._lock:
            for hub in self._opened.values():
                hub.close()
            self._opened.clear()

    def _new(self, settings: HubSettings, token: str) -> Hub:
        return Hub(
            settings.endpoint or None,
            token or None,
            settings.proxy or None,
            settings.token_for_mirror,
            contacts=self._contacts,
        )


def _proxy(text: str) -> str:
    """Return the address of a proxy; one without its kind is taken for HTTP's.

    Raises:
        UserError: When it is none.
    """
    stated = text.strip()
    if not stated:
        return ""
    if "://" not in stated:
        stated = f"http://{stated}"
    try:
        parts = urlsplit(stated)
        sound = parts.scheme in _PROXIES and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.path not in ("", "/") or parts.query or parts.fragment or re.search(r"\s", stated):
        raise UserError(
            _("“{text}” is not the address of a proxy.").format(text=text),
            _("It looks like http://host:8080 or socks5://host:1080."),
        )
    return stated.rstrip("/")
