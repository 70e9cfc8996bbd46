"""The hub that a person has chosen: which one, through which proxy, and with which token."""

import logging
import threading
from dataclasses import asdict, dataclass
from typing import Any, Self

from app.domain.hub_problems import explain
from app.storage.preferences import PreferenceStore
from models_registry.hub.client import Hub
from models_registry.hub.errors import HubError

_KEY = "hub"
_SERVICE, _ACCOUNT = "Fireside", "hub"  # of the token, in the system's keyring

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


class Hubs:
    """Opens the hub as it is set. Waits for the disk and the keyring: never call it on the GUI thread."""

    def __init__(self, store: PreferenceStore) -> None:
        """Wire the service; nothing is read yet."""
        self._store = store
        self._lock = threading.Lock()
        self._opened: dict[tuple[HubSettings, str], Hub] = {}
        self._session_token = ""

    def settings(self) -> HubSettings:
        """Return how the hub is reached."""
        return HubSettings.from_json(self._store.get(_KEY, {}).result())

    def set_settings(self, settings: HubSettings) -> None:
        """Reach the hub in this way from now on.

        Raises:
            UserError: When an address is none; nothing has changed then.
        """
        try:
            Hub(settings.endpoint or None, proxy=settings.proxy or None).close()
        except HubError as error:
            raise explain(error) from error
        self._store.set(_KEY, asdict(settings)).result()

    def hub(self, endpoint: str = "") -> Hub:
        """Return the hub that is set, or the one at `endpoint` with everything else as it is set.

        Raises:
            HubError: When its address makes no sense.
        """
        settings = self.settings()
        if endpoint:
            settings = HubSettings(endpoint, settings.proxy, settings.token_for_mirror)
        token = self.token()
        with self._lock:
            known = self._opened.get((settings, token))
            if known is None:
                known = self._opened[settings, token] = Hub(
                    settings.endpoint or None,
                    token or None,
                    settings.proxy or None,
                    settings.token_for_mirror,
                )
        return known

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

    def set_token(self, token: str) -> bool:
        """Keep an access token in the system's keyring, or forget it when empty.

        Returns:
            Whether it outlives this start: without a keyring it is kept in memory alone.
        """
        self._session_token = token
        try:
            import keyring

            if token:
                keyring.set_password(_SERVICE, _ACCOUNT, token)
            elif keyring.get_password(_SERVICE, _ACCOUNT) is not None:
                keyring.delete_password(_SERVICE, _ACCOUNT)
        except Exception as error:  # see `token`
            _log.info("No keyring: %s", type(error).__name__)
            return not token
        return True

    def close(self) -> None:
        """End every connection."""
        with self._lock:
            for hub in self._opened.values():
                hub.close()
            self._opened.clear()
