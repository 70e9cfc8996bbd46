"""The connection to a hub, through which huggingface_hub speaks too: what may be sent where, and what fails.

Imported when a hub is first asked something: huggingface_hub takes a while to import, and reads at that
moment what the environment says.
"""

import contextlib
import os
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

from models_registry.hub.contacts import DONE, ContactLog, Purpose, Visit
from models_registry.hub.errors import HubError, HubProblem

# Nothing is sent that nobody asked for, no token is looked for on the disk, and the bytes of files come over
# HTTP, where they can be resumed and where mirrors have them.
os.environ.update(
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    HF_HUB_DISABLE_IMPLICIT_TOKEN="1",  # noqa: S106
    HF_HUB_DISABLE_XET="1",
    HF_HUB_DISABLE_UPDATE_CHECK="1",
)

import httpcore2
import httpx2
import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.utils._http import parse_ratelimit_headers

OFFICIAL = constants._HF_DEFAULT_ENDPOINT
USUAL = constants.ENDPOINT
"""The official hub, unless HF_ENDPOINT in the environment names another."""

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0  # for all of an answer of the API
_LARGEST_ANSWER = 32 << 20
# The client of huggingface_hub would wait and try again by itself, deaf to a cancel.
_RETRIED = {408, 429, 500, 502, 503, 504}

_speaking: ContextVar[tuple["Wire", Purpose]] = ContextVar("speaking")
_VISIT = "visit"  # among the extensions of a request, which go with it to where it is led


class _Relay(httpx2.Client):
    """The one client of huggingface_hub: it hands each request to the wire that is speaking."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        wire, purpose = _speaking.get()
        return wire.relay(request, purpose, **options)


huggingface_hub.set_client_factory(_Relay)


class Wire:
    """The connection to one hub. Threads may share it.

    Attributes:
        endpoint: The address of the hub, without a slash at the end.
        token: What is sent to this hub and to no one else; empty for nothing.
        seconds: How long nothing may come before it counts as TIMEOUT.
        contacts: Where each request is noted.
    """

    def __init__(self, endpoint: str, token: str, proxy: str, seconds: float, contacts: ContactLog) -> None:
        self.endpoint = endpoint
        self.token = token
        self.seconds = seconds
        self.contacts = contacts
        self._proxy = proxy
        self._origin = origin(endpoint)
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None
        self._headers = {"user-agent": f"fireside; hf_hub/{huggingface_hub.__version__}"}
        self._api = huggingface_hub.HfApi(endpoint, token=token or False, headers=dict(self._headers))
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._client:
                self._client.close()
                self._client = None

    @contextlib.contextmanager
    def api(self, purpose: Purpose) -> Iterator[huggingface_hub.HfApi]:
        """Speak through huggingface_hub's client, for some purpose.

        Raises:
            HubError: For whatever fails in the block.
        """
        before = _speaking.set((self, purpose))
        try:
            with self.explained():
                yield self._api
        finally:
            _speaking.reset(before)

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what fails in the block into a HubError."""
        try:
            yield
        except HubError:
            raise
        except (
            httpx2.HTTPError,
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
        ) as error:
            raise self._explain(error) from error
        except (OSError, httpx2.StreamError) as error:  # OfflineModeIsEnabled, a socket that was shut
            raise HubError(HubProblem.OFFLINE, _words(error)) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, httpx2.InvalidURL) as error:
            raise HubError(HubProblem.ANSWER, _words(error)) from error

    def headers(self) -> dict[str, str]:
        """Return what a request for bytes carries."""
        return {**self._headers, "accept-encoding": "identity"}

    def relay(self, request: httpx2.Request, purpose: Purpose, **options: Any) -> httpx2.Response:
        """Send a request of huggingface_hub's and receive the whole answer, within bounds."""
        if request.url.netloc and origin(str(request.url)) == origin(OFFICIAL) != self._origin:
            # Mirrors hand on the address of the next page as they got it.
            request.url = httpx2.URL(self.endpoint + request.url.raw_path.decode("ascii"))
            request.headers["host"] = request.url.netloc.decode("ascii")
        request.extensions["timeout"] = self._timeout().as_dict()
        visit = request.extensions[_VISIT] = self.contacts.visit(purpose)
        with visit, self.explained():
            response = self.client().send(request, **{**options, "stream": True})
            with contextlib.closing(response):
                body = _read(response)
        visit.receive(response.num_bytes_downloaded)
        visit.end(refusal(response).problem if response.status_code >= 400 else DONE)
        if request.method != "HEAD":
            response = _with_body(response, body)
        if response.status_code in _RETRIED:
            raise refusal(response)
        return response

    def stream(self, url: str, headers: dict[str, str], visit: Visit) -> httpx2.Response:
        """Begin to receive; the answer may be a refusal, and `visit` goes on."""
        with self.explained():
            client = self.client()
            request = client.build_request("GET", url, headers=headers, timeout=self._timeout())
            request.extensions[_VISIT] = visit
            return client.send(request, stream=True)

    def client(self) -> httpx2.Client:
        """Return the client that all goes through.

        Raises:
            HubError: PROXY, when a proxy's address makes no sense.
        """
        with self._lock:
            if self._client is None:
                try:
                    self._client = httpx2.Client(
                        verify=_trust(),
                        proxy=self._proxy or None,
                        follow_redirects=True,
                        max_redirects=10,
                        event_hooks={"request": [self._guard]},
                    )
                except (ValueError, ImportError, httpx2.InvalidURL) as error:
                    raise HubError(HubProblem.PROXY, _words(error)) from error
                self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            return self._client

    def _guard(self, request: httpx2.Request) -> None:
        """Note who is asked; let no token pass to another origin, and nothing when told to be offline."""
        if constants.is_offline_mode():
            raise HubError(HubProblem.OFFLINE, "HF_HUB_OFFLINE is set")
        request.extensions[_VISIT].reach(str(request.url))
        if origin(str(request.url)) != self._origin:
            request.headers.pop("authorization", None)

    def _timeout(self) -> httpx2.Timeout:
        return httpx2.Timeout(self.seconds, connect=min(_CONNECT_SECONDS, self.seconds), pool=None)

    def _explain(self, error: Exception) -> HubError:
        response = getattr(error, "response", None)
        if isinstance(response, httpx2.Response):
            return refusal(response)
        causes = list(_causes(error))
        problem = HubProblem.OFFLINE
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            problem = HubProblem.TLS
        elif any(isinstance(cause, httpcore2.ProxyError) for cause in causes):
            problem = HubProblem.PROXY
        elif isinstance(error, httpx2.TimeoutException | httpcore2.TimeoutException):
            problem = HubProblem.TIMEOUT
        elif isinstance(error, httpx2.ConnectError) and self._is_proxied():
            problem = HubProblem.PROXY
        elif isinstance(error, httpx2.TooManyRedirects | httpx2.DecodingError | httpx2.UnsupportedProtocol):
            problem = HubProblem.ANSWER
        return HubError(problem, _words(error))

    def _is_proxied(self) -> bool:
        """Return whether requests to the hub go to a proxy first."""
        if self._proxy:
            return True
        parts = urlsplit(self.endpoint)
        proxies = urllib.request.getproxies()
        return bool({parts.scheme, "all"} & set(proxies)) and not urllib.request.proxy_bypass(
            parts.hostname or ""
        )


def _read(response: httpx2.Response) -> bytes:
    """Return the body of an answer.

    Raises:
        HubError: ANSWER or TIMEOUT, when it is larger or slower than any that makes sense.
    """
    body = bytearray()
    deadline = time.monotonic() + _ANSWER_SECONDS
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise HubError(HubProblem.ANSWER, f"an answer of more than {_LARGEST_ANSWER} bytes")
        if time.monotonic() > deadline:
            raise HubError(HubProblem.TIMEOUT, f"an answer that takes more than {_ANSWER_SECONDS} seconds")
    return bytes(body)


def _with_body(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """Return an answer as if it had been read at once."""
    packing = {"content-encoding", "content-length", "transfer-encoding"}
    return httpx2.Response(
        response.status_code,
        headers=[(name, value) for name, value in response.headers.multi_items() if name not in packing],
        content=body,
        request=response.request,
        history=response.history,
    )


@cache
def _trust() -> ssl.SSLContext:
    """Return whom the system trusts; to read that takes longer than all the rest of a client."""
    return httpx2.create_ssl_context()


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme, 0)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or usual


def refusal(response: httpx2.Response) -> HubError:
    """Return why the answer is none; `response.status_code` is 400 or more.

    The codes are those that huggingface_hub's `hf_raise_for_status` reads. For a repository that is missing
    or private the hub answers 401 to those who bring no token.
    """
    status, headers = response.status_code, response.headers
    asked = [each.request.headers.get("authorization") for each in (*response.history, response)]
    detail = f"HTTP {status} {headers.get('x-error-code', '')} {headers.get('x-error-message', '')}"
    by_code = {
        "GatedRepo": HubProblem.GATED,
        "RepoNotFound": HubProblem.NOT_FOUND,
        "RevisionNotFound": HubProblem.NO_SUCH_REVISION,
        "EntryNotFound": HubProblem.NO_SUCH_FILE,
    }
    by_status = {
        404: HubProblem.NOT_FOUND,
        407: HubProblem.PROXY,
        410: HubProblem.NOT_FOUND,
        416: HubProblem.CHANGED,
        429: HubProblem.RATE_LIMITED,
    }
    if problem := by_code.get(headers.get("x-error-code", "")):
        pass
    elif headers.get("x-error-message") == "Access to this resource is disabled.":
        problem = HubProblem.DISABLED
    elif status == 401:
        problem = HubProblem.BAD_TOKEN if asked[-1] else HubProblem.NOT_FOUND
    elif status == 403 and asked[-1]:
        problem = HubProblem.BAD_TOKEN
    else:
        problem = by_status.get(status, HubProblem.SERVER)
    return HubError(problem, detail.strip(), status=status, retry_after=_retry_after(response))


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds after which a server that is busy wants to be asked again."""
    limit = parse_ratelimit_headers(response.headers)
    if response.status_code == 429 and limit and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    said = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", said):
        return float(said)
    with contextlib.suppress(ValueError):
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    following: BaseException | None = error
    while following:
        yield following
        following = following.__cause__ or following.__context__


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
