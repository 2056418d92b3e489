"""The whole vendor folder over real HTTP against the sandbox: connecting, walking, and its bad days."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from integrations.heartland_retail.adapter import HeartlandRetailAdapter
from integrations.heartland_retail.client import Client, FixedToken
from integrations.heartland_retail.oauth import Method, account_api, authorize_url, exchange
from integrations.http import Http
from ledger.errors import AuthExpired, RateLimited, Unreadable
from ledger.values import Cursor, Document, EventFacts
from tests.integrations.heartland_retail.samples import ticket
from tests.sandbox_fixture import Sandbox

LAST_AFTERNOON = Cursor(datetime(2010, 12, 23, 22, 0, tzinfo=UTC))
"""About a dozen tickets are younger than this."""


def till(sandbox: Sandbox, *, token: str = "sandbox-heartland-token") -> HeartlandRetailAdapter:
    http = Http(f"{sandbox.heartland_retail}/api", timeout=10)
    return HeartlandRetailAdapter(Client(http, tokens=FixedToken(token), sleep=lambda seconds: None))


def walked(sandbox: Sandbox, *, start: Cursor = LAST_AFTERNOON) -> list[Document]:
    adapter, found, more = till(sandbox), list[Document](), True
    while more:
        page = adapter.walk(start)
        found.extend(page.documents)
        start, more = page.cursor, page.more
    return found


def facts_of(sandbox: Sandbox, documents: list[Document]) -> list[EventFacts]:
    read = [till(sandbox).read(document) for document in documents]
    return [facts for facts in read if facts is not None]


def nameless(facts: EventFacts) -> EventFacts:
    return replace(facts, items=tuple(replace(item, name="") for item in facts.items))


def accepted(address: str) -> dict[str, str]:
    """Press Accept on the consent page; gives what the callback address receives."""
    page = requests.get(address, timeout=10).text
    (form,) = (form for form in page.split("<form")[1:] if 'value="accept"' in form)
    fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form)}
    answer = requests.post(address, data=fields, timeout=10, allow_redirects=False)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def granted(sandbox: Sandbox, *, method: Method = "GET", client_secret: str = "sandbox-heartland-secret") -> str:
    base_url, redirect_uri = f"{sandbox.heartland_retail}/api", "http://127.0.0.1:9/back"
    client_id = "sandbox-heartland-client"
    consent = authorize_url(base_url=base_url, client_id=client_id, redirect_uri=redirect_uri, state="s1", scope="read")
    back = accepted(consent)
    assert back["state"] == "s1"
    return exchange(
        Http(base_url, timeout=10),
        client_id=client_id,
        client_secret=client_secret,
        code=back["code"],
        redirect_uri=redirect_uri,
        method=method,
    )


@pytest.fixture(scope="module")
def calm(_sandbox: Sandbox) -> list[EventFacts]:
    """The facts as read on a good day, before any test has changed something."""
    return facts_of(_sandbox, walked(_sandbox))


def test_the_stores_come_with_their_time_zones(sandbox: Sandbox) -> None:
    stores = {store.external_id: (store.name, store.time_zone) for store in till(sandbox).stores()}
    assert stores["100002"] == ("Los Angeles", "America/Los_Angeles")
    assert len(stores) == 3


def test_every_ticket_is_read_once_and_in_order(sandbox: Sandbox) -> None:
    documents = walked(sandbox)
    keys = [(document.updated_at, int(document.external_id)) for document in documents]
    assert len(documents) > 5
    assert keys == sorted(set(keys))


def test_the_facts_add_up(sandbox: Sandbox) -> None:
    for facts in facts_of(sandbox, walked(sandbox)):
        values = [*(item.value for item in facts.items), *(tax.value for tax in facts.taxes)]
        assert sum([*values, *facts.shipping, *facts.gift_cards]) == facts.total
        assert sum(tender.amount for tender in facts.tenders) == facts.total


def test_a_walk_that_is_broken_off_goes_on_where_it_was(sandbox: Sandbox) -> None:
    documents = walked(sandbox)
    middle = documents[len(documents) // 2]
    rest = walked(sandbox, start=Cursor(middle.updated_at, int(middle.external_id)))
    assert rest == documents[len(documents) // 2 + 1 :]


@pytest.mark.parametrize(
    "fault",
    [
        "heartland.duplicate_rows",
        "heartland.shuffled",
        "heartland.amounts_as_text",
        "heartland.capital_status",
        "heartland.no_embedding",
        "heartland.short_embedding",
        "heartland.empty_pages_zero",
        "heartland.drop_answer",
        "heartland.error_500",
        "heartland.html_502",
    ],
)
def test_a_bad_day_changes_no_fact(sandbox: Sandbox, calm: list[EventFacts], fault: str) -> None:
    with sandbox.fault(fault, every=3):
        assert facts_of(sandbox, walked(sandbox)) == calm


def test_nulls_in_optional_fields_cost_names_at_most(sandbox: Sandbox, calm: list[EventFacts]) -> None:
    with sandbox.fault("heartland.nulls", always=True):
        assert [nameless(facts) for facts in facts_of(sandbox, walked(sandbox))] == [nameless(one) for one in calm]


@pytest.mark.parametrize("retry_after", [30, None])
def test_throttling_is_handed_on(sandbox: Sandbox, retry_after: int | None) -> None:
    wait = {} if retry_after is None else {"retry_after": retry_after}
    with sandbox.fault("heartland.throttle", always=True, **wait), pytest.raises(RateLimited) as busy:
        till(sandbox).stores()
    assert busy.value.retry_after == retry_after


def test_without_class_names_there_are_still_tenders(sandbox: Sandbox) -> None:
    with sandbox.fault("heartland.no_class_names", always=True):
        names = {(name.dimension.value, name.code) for name in till(sandbox).dimension_names()}
    assert ("tender", "1") in names
    assert {code for dimension, code in names if dimension == "item_class"} == {"default"}


def test_a_wrong_token_needs_a_person(sandbox: Sandbox) -> None:
    with pytest.raises(AuthExpired):
        till(sandbox, token="sandbox-nobody").stores()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_consent_gives_a_token_that_works(sandbox: Sandbox, method: Method) -> None:
    token = granted(sandbox, method=method)
    base_url = f"{sandbox.heartland_retail}/api"
    assert account_api(Http(base_url, timeout=10), token=token, base_url=base_url) == base_url
    assert len(till(sandbox, token=token).stores()) == 3


def test_the_host_look_up_names_a_host_of_heartlands(sandbox: Sandbox) -> None:
    http = Http(f"{sandbox.heartland_retail}/api", timeout=10)
    assert account_api(http, token=granted(sandbox)).endswith(".retail.heartland.us/api")


def test_a_wrong_secret_is_refused_with_a_sentence(sandbox: Sandbox) -> None:
    with pytest.raises(AuthExpired, match="check client ID and client secret"):
        granted(sandbox, client_secret="sandbox-wrong")


def test_a_broken_document_does_not_stop_the_walk(sandbox: Sandbox) -> None:
    # Before LAST_AFTERNOON, so that the other tests never meet it.
    when = "2010-12-23T21:30:00+00:00"
    odd = ticket(id=990001, public_id="X990001", updated_at=when, completed_at=when, local_completed_at=when)
    odd["lines"][1]["type"] = "LoyaltyLine"
    sandbox.control("heartland/tickets", odd)
    broken, *rest = walked(sandbox, start=Cursor(datetime(2010, 12, 23, 21, 30, tzinfo=UTC)))
    with pytest.raises(Unreadable, match="LoyaltyLine") as refused:
        till(sandbox).read(broken)
    assert refused.value.header is not None
    assert refused.value.header.business_date == date(2010, 12, 23)
    assert till(sandbox).document("990001") == broken
    assert len(facts_of(sandbox, rest)) > 5
