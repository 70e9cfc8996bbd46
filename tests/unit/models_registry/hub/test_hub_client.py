"""What a hub says of models, asked by the real client of a hub on this computer."""

import gc
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loopback_hub import GOOD_TOKEN, STRANGER_TOKEN, Fault, LoopbackHub, Seeded
from loopback_proxy import LoopbackProxy

from models_registry.hub.client import Hub
from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.publisher import PublisherRecord
from models_registry.hub.repository import Scan
from models_registry.hub.search import Query, Sort

ROOT = Path(__file__).parents[4]


def model(name, *, parameters=10**9, architecture="llama", license="mit", **facts):  # noqa: A002
    gguf = {"total": parameters, "architecture": architecture, "context_length": 4096}
    tags = ["gguf", f"license:{license}", "base_model:first/Model", "base_model:quantized:first/Model"]
    return name, {"x-Q4_K_M.gguf": b"GGUF"}, {"gguf": gguf, "tags": tags, **facts}


def add(hub, *args, **options):
    name, files, facts = model(*args, **options)
    return hub.add(name, files, **facts)


def names(pages):
    return [found.repository for page in pages for found in page]


def begin(source):
    return source.total


def problem(caught):
    return caught.value.problem


# Search


def test_a_search_asks_for_each_page_when_it_is_wanted(hub, client):
    for number in range(7):
        add(hub, f"maker/Model-{number}", downloads=number)
    add(hub, "other/Thing")
    pages = client.search(Query("model", Sort.DOWNLOADS), page_size=3)
    assert not hub.requests
    assert [found.repository for found in next(pages)] == [f"maker/Model-{number}" for number in (6, 5, 4)]
    assert len(hub.requests) == 1
    assert names(pages) == [f"maker/Model-{number}" for number in (3, 2, 1, 0)]
    assert len(hub.requests) == 3


def test_what_is_found_has_its_facts(hub, client):
    add(
        hub, "maker/Model", parameters=135 * 10**6, license="apache-2.0", downloads=7, likes=3, author="maker"
    )
    ((found,),) = client.search(Query())
    assert (found.repository, found.author, found.downloads, found.likes) == ("maker/Model", "maker", 7, 3)
    assert (found.parameters, found.architecture, found.context) == (135 * 10**6, "llama", 4096)
    assert (found.license, found.gated, found.modified.year) == ("apache-2.0", False, 2026)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(min_parameters=2 * 10**9), {"big"}),
        (Query(max_parameters=2 * 10**9), {"small", "plain"}),
        (Query(min_parameters=10**8, max_parameters=135 * 10**6), {"plain"}),
        (Query(architecture="gemma3"), {"big"}),
        (Query(license="apache-2.0"), {"small"}),
        (Query(gated=True), {"big"}),
        (Query(gated=False), {"small", "plain"}),
        (Query(author="b"), {"plain"}),
        (Query("sma"), {"small"}),
    ],
)
def test_a_search_is_narrowed(hub, client, query, expected):
    add(hub, "a/big", parameters=8 * 10**9, architecture="gemma3", gated="manual")
    add(hub, "a/small", license="apache-2.0")
    add(hub, "b/plain", parameters=135 * 10**6)
    hub.add("a/other", {"x.safetensors": b"x"}, tags=[])
    assert {name.partition("/")[2] for name in names(client.search(query))} == expected


@pytest.mark.parametrize(
    ("sort", "fact"), [(Sort.LIKES, "likes"), (Sort.RECENT, "lastModified"), (Sort.TRENDING, "trendingScore")]
)
def test_a_search_is_sorted(hub, client, sort, fact):
    values = ("2026-01-01T00:00:00.000Z", "2026-02-02T00:00:00.000Z") if sort is Sort.RECENT else (1, 2)
    for value, name in zip(values, ("a/one", "a/two"), strict=True):
        add(hub, name, **{fact: value})
    assert names(client.search(Query(sort=sort))) == ["a/two", "a/one"]


def test_a_filter_that_leaves_little_asks_for_a_few_pages_at_once_only(hub, client):
    for number in range(30):
        add(hub, f"a/m{number}", architecture="gemma3" if number == 29 else "llama", likes=30 - number)
    pages = client.search(Query(architecture="gemma3", sort=Sort.LIKES), page_size=2)
    assert next(pages) == ()
    assert len(hub.requests) == 5
    assert names(pages) == ["a/m29"]


def test_strange_facts_of_others_do_not_spoil_a_search(hub, client):
    add(hub, "a/good")
    add(
        hub,
        "a/odd",
        gguf={"total": "many", "architecture": 7, "context_length": -1},
        downloads=None,
        tags=None,
    )
    hub.repositories["a/odd"].facts["tags"] = ["gguf"]
    hub.add("legacy", {"x.gguf": b"x"}, author="legacy")
    found = {each.repository: each for page in client.search(Query()) for each in page}
    assert set(found) == {"a/good", "a/odd"}
    assert (found["a/odd"].parameters, found["a/odd"].architecture, found["a/odd"].context) == (0, "", 0)


# A repository


def test_a_repository_says_what_is_in_it_at_one_commit(hub, client):
    files = {
        "model-Q8_0-00001-of-00002.gguf": b"GGUF-1",
        "model-Q8_0-00002-of-00002.gguf": b"GGUF-22",
        "sub/model-Q4_K_M.gguf": b"GGUF",
        "mmproj-F16.gguf": b"GGUF-mm",
        "README.md": b"---\nlicense: mit\ntags:\n- x\n---\n# A model\n---\nof sorts",
        "config.json": b"{}",
    }
    _, _, facts = model("maker/Model", downloads=9)
    hub.add("maker/Model", files, scans={"sub/model-Q4_K_M.gguf": "suspicious"}, **facts)
    found = client.repository("maker/Model")
    assert found.commit == hub.repositories["maker/Model"].head
    assert (found.license, found.base_models, found.maker) == ("mit", ("first/Model",), "maker")
    assert (found.downloads, found.parameters, found.context) == (9, 10**9, 4096)
    assert found.created < found.modified
    assert (found.gated, found.accessible, found.scan) == (False, True, Scan.SUSPICIOUS)
    small, large = found.variants
    assert (small.quantization, small.size, small.scan) == ("Q4_K_M", 4, Scan.SUSPICIOUS)
    assert (large.quantization, large.size, large.scan) == ("Q8_0", 13, Scan.SAFE)
    assert large.projector.path == "mmproj-F16.gguf"
    assert large.files[1].sha256 == hub.sha256("maker/Model", "model-Q8_0-00002-of-00002.gguf")
    assert client.card(found) == "# A model\n---\nof sorts"


def test_an_older_commit_and_a_branch_can_be_asked_for(hub, client):
    add(hub, "maker/Model")
    old = hub.repositories["maker/Model"].head
    hub.push("maker/Model", {"y-Q8_0.gguf": b"GGUF"})
    assert client.repository("maker/Model").choose().path == "y-Q8_0.gguf"
    assert client.repository("maker/Model", old).choose().path == "x-Q4_K_M.gguf"
    assert client.repository("maker/Model", "main").commit != old
    with pytest.raises(HubError) as caught:
        client.repository("maker/Model", "v7")
    assert problem(caught) is HubProblem.NO_SUCH_REVISION


def test_a_repository_of_many_files_is_listed_whole(hub, client):
    hub.add("maker/Model", {f"m-Q8_0-{number:05d}-of-00120.gguf": b"G" for number in range(1, 121)})
    assert len(client.repository("maker/Model").choose().files) == 120
    assert len(hub.of(path="/tree/")) == 3


def test_a_card_is_cut_and_may_be_missing(hub, client):
    hub.add("maker/Big", {"README.md": "é".encode() * (1 << 20), "x.gguf": b"GGUF"})
    add(hub, "maker/None")
    assert len(client.card(client.repository("maker/Big"))) == 1 << 19
    assert client.card(client.repository("maker/None")) == ""


def test_a_publisher_is_an_organization_or_a_person(hub, client):
    hub.publishers["firm"] = {"isVerified": True, "numModels": 12, "numFollowers": 5, "fullname": "The Firm"}
    hub.publishers["ada"] = {"kind": "users", "numModels": 3}
    firm, ada = client.publisher("firm"), client.publisher("ada")
    assert (firm.full_name, firm.is_organization, firm.is_verified) == ("The Firm", True, True)
    assert (firm.models, firm.followers) == (12, 5)
    assert (ada.is_organization, ada.is_verified, ada.models) == (False, False, 3)
    with pytest.raises(HubError) as caught:
        client.publisher("nobody")
    assert (problem(caught), caught.value.subject) == (HubProblem.NOT_FOUND, "nobody")


def test_the_models_of_a_publisher_tell_its_age_and_its_downloads(hub, client):
    for number in range(7):
        add(
            hub,
            f"firm/Model-{number}",
            downloads=10**number,
            createdAt=f"2024-0{number + 1}-02T03:04:05.000Z",
        )
    add(hub, "other/Old", downloads=5, createdAt="2022-03-02T23:29:04.000Z")
    record = client.publisher_record("firm")
    assert (record.since.year, record.since.month, record.earlier) == (2024, 1, False)
    assert (record.downloads, record.complete, len(hub.requests)) == (1111111, True, 1)
    assert client.publisher_record("other").earlier  # the hub notes no dates from before
    assert client.publisher_record("nobody") == PublisherRecord(None, True, 0, True)


def test_of_a_publisher_with_very_many_models_the_first_are_listed(hub, client):
    for number in range(7):
        add(
            hub,
            f"firm/Model-{number}",
            downloads=10**number,
            createdAt=f"2024-0{number + 1}-02T03:04:05.000Z",
        )
    hub.page = 2
    record = client.publisher_record("firm")
    assert len(hub.requests) == 2
    assert (record.since.month, record.earlier) == (4, True)
    assert (record.downloads, record.complete) == (1111000, False)


@pytest.mark.parametrize("path", ["../x-Q4_0.gguf", "C:/x-Q4_0.gguf", "/x.gguf", "con.gguf", "a\\..\\x.gguf"])
def test_a_repository_with_a_name_that_climbs_is_refused(hub, client, path):
    hub.add("maker/Model", {"fine-Q4_0.gguf": b"GGUF", path: b"GGUF"})
    with pytest.raises(HubError) as caught:
        client.repository("maker/Model")
    assert (problem(caught), caught.value.subject) == (HubProblem.UNSAFE_NAME, path)


# Who may see it


@pytest.mark.parametrize(
    ("token", "accessible"), [(None, False), (STRANGER_TOKEN, False), (GOOD_TOKEN, True)]
)
def test_a_gated_repository_is_shown_and_its_files_are_not(hub, token, accessible):
    add(hub, "maker/Model", gated="manual")
    with Hub(hub.endpoint, token, token_for_mirror=True) as client:
        found = client.repository("maker/Model")
        assert (found.gated, found.accessible) == (True, accessible)
        if accessible:
            with client.open(found.name, found.commit, found.choose().path) as source:
                assert b"".join(source.chunks()) == b"GGUF"
            return
        with pytest.raises(HubError) as caught:
            begin(client.open(found.name, found.commit, found.choose().path))
        assert (problem(caught), caught.value.subject) == (HubProblem.GATED, "maker/Model")


def test_a_wrong_token_is_called_wrong_wherever_it_is_used(hub):
    add(hub, "maker/Model")
    commit = hub.repositories["maker/Model"].head
    with Hub(hub.endpoint, "hf_wrong", token_for_mirror=True) as client:
        for act in (
            client.test_connection,
            lambda: next(client.search(Query())),
            lambda: client.repository("maker/Model"),
            lambda: client.open("maker/Model", commit, "x-Q4_K_M.gguf").total,
        ):
            with pytest.raises(HubError) as caught:
                act()
            assert problem(caught) is HubProblem.BAD_TOKEN
            assert "hf_wrong" not in str(caught.value)


@pytest.mark.parametrize("token", [None, STRANGER_TOKEN])
def test_a_private_repository_is_none_for_strangers(hub, token):
    add(hub, "maker/Secret", private=True)
    with Hub(hub.endpoint, token, token_for_mirror=True) as client:
        for name in ("maker/Secret", "maker/Missing"):
            with pytest.raises(HubError) as caught:
                client.repository(name)
            assert (problem(caught), caught.value.subject) == (HubProblem.NOT_FOUND, name)


def test_a_token_does_not_go_to_a_mirror_unasked(hub):
    add(hub, "maker/Model")
    with Hub(hub.endpoint, GOOD_TOKEN) as client:
        assert client.is_mirror
        assert not client.sends_token
        assert client.test_connection().user == ""
        found = client.repository("maker/Model")
        client.card(found)
        with client.open(found.name, found.commit, found.choose().path) as source:
            list(source.chunks())
    assert hub.requests
    assert not [request for request in hub.requests if "authorization" in request.headers]
    with Hub(hub.endpoint, GOOD_TOKEN, token_for_mirror=True) as client:
        assert client.sends_token
        assert client.test_connection().user == "ada"


def test_a_token_goes_to_no_other_origin(hub):
    """Neither by a link to the next page, nor by a redirect of the API or of a file."""
    with LoopbackHub() as other, Hub(hub.endpoint, GOOD_TOKEN, token_for_mirror=True) as client:
        for each in (hub, other):
            for number in range(4):
                add(each, f"maker/Model-{number}")
        hub.pages_at = other.endpoint
        assert len(names(client.search(Query(), page_size=2))) == 4
        hub.faults.append(
            Fault(
                "status",
                status=302,
                headers={"Location": f"{other.endpoint}/api/models/maker/Model-1"},
                path="Model-0",
            )
        )
        assert client.repository("maker/Model-0").name == "maker/Model-1"
    assert len(other.requests) == 2
    assert not [request for request in other.requests if "authorization" in request.headers]
    assert all("authorization" in request.headers for request in hub.requests)


def test_a_token_is_not_sent_in_the_clear_over_a_network():
    with Hub("http://mirror.example", GOOD_TOKEN, token_for_mirror=True) as client:
        assert not client.sends_token
    with Hub("https://mirror.example", GOOD_TOKEN, token_for_mirror=True) as client:
        assert client.sends_token
    with Hub(None, GOOD_TOKEN) as client:
        assert client.sends_token
        assert not client.is_mirror


def test_pages_stay_at_a_mirror_that_hands_on_the_official_address(hub, client):
    from models_registry.hub.wire import OFFICIAL

    for number in range(5):
        add(hub, f"maker/Model-{number}")
    hub.pages_at = OFFICIAL
    assert len(names(client.search(Query(), page_size=2))) == 5
    assert len(hub.requests) == 3


# What goes wrong


def test_an_address_may_lack_its_beginning_and_must_be_one(hub):
    assert Hub("mirror.example/").endpoint == "https://mirror.example"
    for text in (
        "ftp://mirror.example",
        "not an address",
        "https://",
        "http://[",
        "https://a?b=c",
        "https://u:p@a",
        "http://a:99999",
    ):
        with pytest.raises(HubError) as caught:
            Hub(text)
        assert (problem(caught), caught.value.subject) == (HubProblem.ADDRESS, text)


def everything(client):
    return (
        client.test_connection,
        lambda: next(client.search(Query())),
        lambda: client.repository("maker/Model"),
        lambda: client.publisher("maker"),
        lambda: client.publisher_record("maker"),
        lambda: client.link("maker/Model", "c" * 40, "x.gguf"),
        lambda: client.open("maker/Model", "c" * 40, "x.gguf").total,
    )


def assert_everything_fails(client, expected, **facts):
    for act in everything(client):
        with pytest.raises(HubError) as caught:
            act()
        assert problem(caught) is expected, caught.value.detail
        assert {name: getattr(caught.value, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("fault", "expected", "facts"),
    [
        (Fault("status", status=503), HubProblem.SERVER, {"status": 503, "retry_after": None}),
        (Fault("status", status=500, headers={"Retry-After": "7"}), HubProblem.SERVER, {"retry_after": 7.0}),
        (Fault("status", status=429), HubProblem.RATE_LIMITED, {"retry_after": None}),
        (
            Fault("status", status=429, headers={"RateLimit": '"api";r=0;t=55', "Retry-After": "7"}),
            HubProblem.RATE_LIMITED,
            {"retry_after": 55.0},
        ),
        (
            Fault("status", status=429, headers={"RateLimit": '"api";r=9;t=55', "Retry-After": "7"}),
            HubProblem.RATE_LIMITED,
            {"retry_after": 7.0},
        ),
        (
            Fault("status", status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
            HubProblem.RATE_LIMITED,
            {"retry_after": 0.0},
        ),
        (
            Fault("status", status=403, headers={"X-Error-Message": "Access to this resource is disabled."}),
            HubProblem.DISABLED,
            {},
        ),
        (Fault("status", status=407), HubProblem.PROXY, {}),
        (Fault("status", status=418), HubProblem.SERVER, {"status": 418}),
        (Fault("nonsense"), HubProblem.ANSWER, {}),
        (Fault("refuse"), HubProblem.OFFLINE, {}),
        (Fault("status", status=302, headers={"Location": "/again"}), HubProblem.ANSWER, {}),
    ],
)
def test_each_refusal_is_known_at_once_and_nothing_is_tried_twice(hub, client, fault, expected, facts):
    hub.faults.append(fault)
    began = time.monotonic()
    assert_everything_fails(client, expected, **facts)
    assert time.monotonic() - began < 1
    if fault.status != 302:
        assert len(hub.requests) == len(everything(client))


def test_without_a_network_everything_fails_and_then_works_again(hub, client):
    add(hub, "maker/Model")
    client.repository("maker/Model")  # a connection that is kept, and is dead afterwards
    with hub.darkness():
        assert_everything_fails(client, HubProblem.OFFLINE)
    assert client.repository("maker/Model").name == "maker/Model"


def test_a_dead_mirror_and_a_false_name_are_offline():
    with LoopbackHub() as gone:
        pass
    for address in (gone.endpoint, "http://no-such-host.invalid"):
        with Hub(address, patience=2) as client:
            assert_everything_fails(client, HubProblem.OFFLINE)


def test_a_hub_that_cannot_prove_itself_is_told_from_one_that_is_not_there(hub):
    with Hub(hub.endpoint.replace("http:", "https:"), patience=2) as client:
        assert_everything_fails(client, HubProblem.TLS)


def test_a_hub_that_says_nothing_is_waited_for_no_longer_than_agreed(hub):
    hub.before = lambda _: hub.closing.wait(5)
    with Hub(hub.endpoint, patience=0.1) as client:
        began = time.monotonic()
        assert_everything_fails(client, HubProblem.TIMEOUT)
        assert time.monotonic() - began < 3


def test_a_switch_in_the_environment_keeps_everything_off_the_network(hub, client, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert_everything_fails(client, HubProblem.OFFLINE)
    assert not hub.requests


def test_whatever_the_api_answers_is_taken_or_refused(hub, client):
    """Strange values may come from a mirror or a newer hub."""
    add(hub, "maker/Model", gated="auto")
    hub.publishers["maker"] = {"numModels": 3, "isVerified": True}
    hub.repositories["maker/Model"].readers.add("")
    refused = []
    for seed in range(120):
        hub.faults[:] = [Fault("spoil", at=seed)]
        for act in everything(client)[:5]:
            try:
                act()
            except HubError as error:
                refused.append(error.problem)
    assert HubProblem.ANSWER in refused
    assert set(refused) <= {HubProblem.ANSWER, HubProblem.UNSAFE_NAME, HubProblem.NOT_FOUND}
    assert len(refused) < 240


def test_an_answer_without_end_is_not_taken_in(hub, client):
    hub.faults.append(Fault("flood"))
    with pytest.raises(HubError) as caught:
        client.repository("maker/Model")
    assert problem(caught) is HubProblem.ANSWER
    assert hub.requests[0].sent < 100 << 20


def test_an_answer_that_never_ends_has_its_time(hub, client, monkeypatch):
    monkeypatch.setattr("models_registry.hub.wire._ANSWER_SECONDS", 0.0)
    add(hub, "maker/Model")
    with pytest.raises(HubError) as caught:
        client.repository("maker/Model")
    assert problem(caught) is HubProblem.TIMEOUT


@pytest.mark.parametrize("name", ["llama 3", "../../etc", "a/b/c"])
def test_a_name_that_is_none_is_not_even_asked_for(hub, client, name):
    with pytest.raises(HubError):
        client.repository(name)
    for path in ("../x", "a\\x"):
        with pytest.raises(HubError) as caught:
            client.open("maker/Model", "c" * 40, path)
        assert problem(caught) is HubProblem.UNSAFE_NAME
    assert not hub.requests


# Proxies


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # httpcore2, when SOCKS is refused
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http"])
def test_everything_goes_through_the_proxy(hub, scheme):
    hub.add("maker/Model", {"x-Q4_0.gguf": Seeded(3 << 20), "README.md": b"Hello"})
    with LoopbackProxy() as proxy, Hub(hub.endpoint, proxy=f"{scheme}://{proxy.address}") as client:
        found = client.repository("maker/Model")
        assert client.card(found) == "Hello"
        with client.open(found.name, found.commit, found.choose().path) as source:
            assert sum(map(len, source.chunks())) == 3 << 20
        assert {f"http://{where}" for where in proxy.passed} == {hub.endpoint, hub.cdn}
        count = len(hub.requests)
        proxy.refuses = True
    with LoopbackProxy() as proxy, Hub(hub.endpoint, proxy=f"{scheme}://{proxy.address}") as client:
        proxy.refuses = True
        assert_everything_fails(client, HubProblem.PROXY)
    assert len(hub.requests) == count
    gc.collect()


def test_a_proxy_that_is_not_there_is_told_from_a_network_that_is_not(hub, monkeypatch):
    with LoopbackProxy() as gone:
        pass
    for address in (f"socks5://{gone.address}", f"http://{gone.address}", "socks4://a:1", "nonsense"):
        with Hub(hub.endpoint, proxy=address, patience=2) as client:
            assert_everything_fails(client, HubProblem.PROXY)
    monkeypatch.setenv("http_proxy", f"http://{gone.address}")
    monkeypatch.setenv("no_proxy", "")
    with Hub(hub.endpoint, patience=2) as client:
        assert_everything_fails(client, HubProblem.PROXY)


# What it costs to have it


def test_the_client_is_imported_when_it_is_needed_and_phones_no_one():
    code = (
        "import sys; import models_registry.hub.client as c;"
        "slow = {'huggingface_hub', 'httpx2', 'ssl'} & set(sys.modules);"
        "hub = c.Hub('http://127.0.0.1:9', 'x'); slow |= {'huggingface_hub'} & set(sys.modules);"
        "hub.endpoint; from huggingface_hub import constants as k;"
        "print(slow, k.HF_HUB_DISABLE_TELEMETRY, k.HF_HUB_DISABLE_XET, k.HF_HUB_DISABLE_IMPLICIT_TOKEN)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "set() True True True"
