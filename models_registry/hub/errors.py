"""Why a hub does not give what was asked of it."""

import contextlib
from collections.abc import Iterator
from enum import StrEnum


class HubProblem(StrEnum):
    """What is wrong; two problems differ where a person would be told something different."""

    OFFLINE = "offline"
    """There is no connection, or it was lost."""
    TIMEOUT = "timeout"
    """There is a connection, but nothing comes."""
    PROXY = "proxy"
    """The proxy is not there, refuses, or its address makes no sense."""
    TLS = "tls"
    """The other side cannot prove who it is."""
    ADDRESS = "address"
    """The address of the hub is no address. Subject: the address."""
    ANSWER = "answer"
    """What came back is not the answer of a hub: the log-in page of a hotel, a wrong address."""
    SERVER = "server"
    """The hub has a trouble of its own; `HubError.status` says which."""
    RATE_LIMITED = "rate_limited"
    """Too many requests; `HubError.retry_after` says when the next one is welcome."""
    BAD_TOKEN = "bad_token"  # noqa: S105
    """The token is wrong, or does not allow this."""
    GATED = "gated"
    """Its maker wants to know who gets it. Subject: the repository."""
    NOT_FOUND = "not_found"
    """There is no such repository, or it is private. Subject: its name."""
    DISABLED = "disabled"
    """The hub has closed the repository. Subject: its name."""
    NO_SUCH_REVISION = "no_such_revision"
    """The repository has no such branch, tag or commit (any more). Subject: its name."""
    NO_SUCH_FILE = "no_such_file"
    """The repository has no such file at this commit. Subject: its path."""
    NO_GGUF = "no_gguf"
    """The repository holds no model in the GGUF format. Subject: its name."""
    NO_SUCH_VARIANT = "no_such_variant"
    """The repository holds no model of this quantization or name; `HubError.choices` says which it holds.
    Subject: what was asked for."""
    AMBIGUOUS = "ambiguous"
    """Several models go by this quantization; `HubError.choices` are their names. Subject: what it is."""
    UNSAFE_NAME = "unsafe_name"
    """A name that would lead out of the folder of models, or that no system can store. Subject: the name."""
    CHANGED = "changed"
    """The file is not the one any more that was listed. Subject: its path."""


class HubError(Exception):
    """A hub that does not give what was asked of it.

    Attributes:
        problem: The kind of trouble, to be said to the user in words.
        detail: The finding itself, technical and in English. Never a token.
        subject: What it is about, as said for each problem; empty for some.
        status: Of the HTTP answer; 0 when there was none.
        retry_after: Seconds after which to try again, where the server said so.
        choices: What there is instead.
    """

    def __init__(
        self,
        problem: HubProblem,
        detail: str,
        subject: str = "",
        *,
        status: int = 0,
        retry_after: float | None = None,
        choices: tuple[str, ...] = (),
    ) -> None:
        super().__init__(problem, detail, subject)
        self.problem = problem
        self.detail = detail
        self.subject = subject
        self.status = status
        self.retry_after = retry_after
        self.choices = choices

    def __str__(self) -> str:
        return f"{self.problem}: {self.detail}"


@contextlib.contextmanager
def about(subject: str, path: str = "") -> Iterator[None]:
    """Say what an error in the block is about, where it does not say so itself.

    Args:
        subject: A repository, mostly.
        path: Of the file in it that was asked for.
    """
    try:
        yield
    except HubError as error:
        about_file = error.problem in (HubProblem.NO_SUCH_FILE, HubProblem.CHANGED)
        error.subject = error.subject or (path if about_file and path else subject)
        raise
