"""Who publishes models at a hub, as the hub tells of them and as their models show."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from models_registry.hub import search
from models_registry.hub.errors import HubError, HubProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import Organization, User

_MOST_PAGES, _PAGE = 2, 1000
# The hub gives this date to all that is older (https://huggingface.co/docs/hub/api).
_FIRST_DATE = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes models.

    Attributes:
        is_verified: Whether the hub checked that an organization is who it says; False for persons.
        models: How many it has published; 0 when the hub says nothing, likewise the next one.
    """

    name: str
    full_name: str
    is_organization: bool
    is_verified: bool
    models: int
    followers: int


@dataclass(frozen=True, slots=True)
class PublisherRecord:
    """What the models of a publisher say of it: a hub does not state the age of an account.

    Attributes:
        since: When the oldest model that was listed appeared; None when the hub does not say.
        earlier: There may be older ones: not all were listed, or the hub did not note dates at that time.
        downloads: Of the models that were listed, the most wanted ones, in the last 30 days.
        complete: They are all there are.
    """

    since: datetime | None
    earlier: bool
    downloads: int
    complete: bool


def read(api: "HfApi", name: str) -> Publisher:
    """Ask for an organization, or for a person where there is no such organization.

    Raises:
        OSError: What the client raises.
    """
    try:
        firm = api.get_organization_overview(name)
        verified = firm.is_verified is True
        return _publisher(name, firm, is_organization=True, is_verified=verified)
    except OSError as error:
        if getattr(getattr(error, "response", None), "status_code", 0) != 404:
            raise
        person = api.get_user_overview(name)
        return _publisher(name, person, is_organization=False, is_verified=False)


def read_record(api: "HfApi", name: str) -> PublisherRecord:
    """Ask for the models of a publisher, the most downloaded first, with two requests at most.

    Raises:
        HubError: ANSWER; and what the client raises.
    """
    from huggingface_hub.utils._datetime import parse_datetime
    from huggingface_hub.utils._pagination import _paginate_pages

    asked = {"author": name, "sort": "downloads", "limit": _PAGE, "expand": ["createdAt", "downloads"]}
    pages: Iterable[tuple[Any, bool]] = _paginate_pages(
        f"{api.endpoint}/api/models", asked, api._build_hf_headers()
    )
    dates: list[datetime] = []
    downloads, complete = 0, False
    for entries, complete in islice(pages, _MOST_PAGES):  # noqa: B007
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise HubError(HubProblem.ANSWER, "the models of a publisher are no list")
        downloads += sum(search.count(entry.get("downloads")) for entry in entries)
        dates += [parse_datetime(text) for entry in entries if (text := search.word(entry.get("createdAt")))]
    since = min(dates, default=None)
    return PublisherRecord(since, not complete or (since or _FIRST_DATE) <= _FIRST_DATE, downloads, complete)


def _publisher(
    name: str, facts: "Organization | User", *, is_organization: bool, is_verified: bool
) -> Publisher:
    models, followers = search.count(facts.num_models), search.count(facts.num_followers)
    return Publisher(name, search.word(facts.fullname), is_organization, is_verified, models, followers)
