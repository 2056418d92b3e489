"""The REST API: who may read and order what, through tokens and sessions, in pages, with refusals of one shape."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from integrations import alerts
from integrations.api.throttles import counted_in
from integrations.models import Alert, ApiToken, ApiUse, Connection, Heartbeat
from ledger.admin.scoping import ACCOUNTANT, AUDITOR, STORE_MANAGER
from ledger.clock import database_now
from ledger.errors import Flaw, Unreadable
from ledger.models import AuditRecord, Posting, Store, SyncOrder
from ledger.terms import SyncState
from tests.admin.conftest import connection, login
from tests.integrations.api_people import API, Caller, caller, token_of
from tests.office import Office
from tests.trade import item, paid, sale, ticket

__all__ = ["connection", "login"]  # fixtures

ZELLE = "unmapped:tender:99"


@pytest.fixture
def trade(office: Office, connection: Connection) -> Office:
    """Three sales of two stores that were posted, two without an account for their tender, one never synced."""
    stuck = [
        ticket(item("40.00"), paid("40.00", by="99"), external_id=number, store=store)
        for number, store in (("4", "100001"), ("5", "100002"))
    ]
    office.record(sale("10.00", external_id="1"), sale("20.00", external_id="2"), *stuck)
    office.record(sale("30.00", external_id="3", store="100002"))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    office.record(sale("60.00", external_id="6"))
    Posting.objects.filter(number="T4").update(cause=ZELLE)
    Posting.objects.filter(number="T5").update(cause=ZELLE)
    alerts.refresh(connection)
    return office


@pytest.fixture
def maria(db: None) -> Caller:
    return caller("maria", role=ACCOUNTANT)


@pytest.fixture
def lee(db: None) -> Caller:
    return caller("lee", role=AUDITOR)


@pytest.fixture
def sam(stores: dict[str, Store]) -> Caller:
    return caller("sam", role=STORE_MANAGER, stores=(stores["Main Street"],))


def numbers(answer: Any) -> list[str]:
    return [row["number"] for row in answer.json()["results"]]


def posting(number: str) -> Posting:
    return Posting.objects.get(number=number)


# --- Reading --------------------------------------------------------------------------------------


def test_an_accountant_reads_the_events_of_a_book_with_their_entries(maria: Caller, trade: Office) -> None:
    answer = maria.get(f"/books/{trade.book.pk}/events/", number="T1")
    [row] = answer.json()["results"]
    entry = posting("T1").entry
    assert entry is not None
    assert row["amount"] == "10.00" and row["state"] == "synced" and row["trace"] == "HR-T1"
    assert row["entry"]["remote_id"] == entry.remote_id and row["entry"]["reference"] == "HR-T1"
    assert row["page"].endswith(f"/admin/ledger/posting/{row['id']}/change/")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "error"}, ["T5", "T4"]),
        ({"state": "open"}, ["T6", "T5", "T4"]),
        ({"state": "changed"}, []),
        ({"kind": "ticket", "least": "20.00", "most": "30.00"}, ["T3", "T2"]),
        ({"cause": ZELLE}, ["T5", "T4"]),
        ({"number": "hr-t2"}, ["T2"]),
        ({"first": "2010-12-15"}, []),
        ({"first": "2010-12-14", "last": "2010-12-14", "limit": 2}, ["T6", "T3"]),
        ({"least": "0", "limit": 3}, ["T6", "T5", "T4"]),
    ],
)
def test_filters_narrow_the_events(maria: Caller, trade: Office, query: dict[str, str], expected: list[str]) -> None:
    assert numbers(maria.get(f"/books/{trade.book.pk}/events/", **query)) == expected


def test_events_are_filtered_by_store(maria: Caller, trade: Office, stores: dict[str, Store]) -> None:
    answer = maria.get(f"/books/{trade.book.pk}/events/", store=stores["Los Angeles"].pk)
    assert numbers(answer) == ["T3", "T5"]


def test_pages_show_each_event_once_though_others_arrive_and_change_meanwhile(maria: Caller, trade: Office) -> None:
    address = f"/books/{trade.book.pk}/events/"
    first = maria.get(address, limit=3).json()
    trade.record(sale(external_id="7"), sale(external_id="8"))
    Posting.objects.filter(number="T1").update(business_date="2030-01-01", changed_since=True)
    second = maria.get(first["next"].split(API)[1])
    seen = [row["number"] for row in first["results"]] + numbers(second)
    assert seen == ["T6", "T3", "T5", "T4", "T2", "T1"]
    assert second.json()["next"] is None


@pytest.mark.parametrize(
    "query", [{}, {"first": "2010-12-01"}, {"least": "-5.00"}, {"last": "2030-01-01", "most": "99"}]
)
def test_a_list_in_any_order_is_walked_to_its_end(maria: Caller, trade: Office, query: dict[str, str]) -> None:
    for number in ("T2", "T3"):
        Posting.objects.filter(number=number).update(business_date="2010-12-20", amount="20.00")
    address = f"/books/{trade.book.pk}/events/"
    whole, seen = numbers(maria.get(address, **query)), []
    following: Any = maria.get(address, **query, limit=2)
    for _ in range(3):
        seen += numbers(following)
        if address_after := following.json()["next"]:
            following = maria.get(address_after.split(API)[1])
    assert seen == whole and len(seen) == 6 and following.json()["next"] is None


def test_one_event_tells_its_story(maria: Caller, trade: Office) -> None:
    row = maria.get(f"/events/{posting('T1').pk}/").json()
    one = posting("T1")
    assert row["story"]["document"] == "1" and row["story"]["entries"] == [one.entry_id]
    assert row["story"]["event"] == one.event_id
    assert [attempt["result"] for attempt in row["attempts"]] == ["posted"]


def test_entries_come_with_lines_that_balance(maria: Caller, trade: Office) -> None:
    [entry] = maria.get(f"/books/{trade.book.pk}/entries/", reference="HR-T1").json()["results"]
    debits = [line["debit"] for line in entry["lines"] if line["debit"]]
    credits = [line["credit"] for line in entry["lines"] if line["credit"]]
    assert sorted(debits) == sorted(credits) == ["10.00", "8.00"]
    assert all(line["why"] and line["account"] for line in entry["lines"])
    assert maria.get(f"/entries/{entry['id']}/").json() == entry


def test_a_list_asks_the_database_as_often_for_many_rows_as_for_one(
    maria: Caller, trade: Office, django_assert_max_num_queries: Any
) -> None:
    for address in ("events", "entries"):
        with django_assert_max_num_queries(16):
            assert len(maria.get(f"/books/{trade.book.pk}/{address}/").json()["results"]) > 2


def test_a_book_says_how_it_stands(lee: Caller, trade: Office) -> None:
    row = lee.get(f"/books/{trade.book.pk}/").json()
    assert row["health"]["colour"] == "red" and row["health"]["problems"]
    assert row["counts"] == {"never_synced": 1, "not_synced": 0, "processing": 0, "error": 2}
    assert row["accounting_system"] == "QuickBooks Online"


def test_health_tells_whether_the_worker_lives(lee: Caller, trade: Office) -> None:
    assert lee.get("/health/").json()["worker"] == {"alive": False, "heartbeat_at": None, "seconds_ago": None}
    Heartbeat.objects.create(name="worker", at=database_now() - timedelta(seconds=5))
    told = lee.get("/health/").json()
    assert told["worker"]["alive"] and told["worker"]["seconds_ago"] >= 5
    assert told["books"][0]["name"] == "Main Street Trading"


def test_alerts_are_open_ones_unless_said_otherwise(lee: Caller, trade: Office) -> None:
    [row] = [row for row in lee.get("/alerts/").json()["results"] if row["cause"] == ZELLE]
    assert row["events"] == 2 and row["amount"] == "80.00"
    assert lee.get(f"/alerts/{row['id']}/").json() == row
    Alert.objects.filter(pk=row["id"]).update(closed_at=database_now())
    assert row["id"] not in [one["id"] for one in lee.get("/alerts/").json()["results"]]
    assert row["id"] in [one["id"] for one in lee.get("/alerts/", state="closed").json()["results"]]


# --- Roles and stores -----------------------------------------------------------------------------


def test_a_store_manager_reads_the_own_stores_events_alone(sam: Caller, trade: Office) -> None:
    assert numbers(sam.get(f"/books/{trade.book.pk}/events/")) == ["T6", "T4", "T2", "T1"]
    assert sam.get(f"/events/{posting('T4').pk}/").status_code == 200
    other = sam.get(f"/events/{posting('T5').pk}/")
    assert other.status_code == 404 and other.json()["code"] == "not_found"


def test_a_store_manager_reads_no_money_of_the_company(sam: Caller, trade: Office) -> None:
    [row] = [row for row in sam.get("/alerts/").json()["results"] if "say where it is booked" in row["sentence"]]
    assert (row["events"], row["amount"]) == (1, "40.00")
    for address in ("/health/", f"/books/{trade.book.pk}/orders/"):
        assert sam.get(address).status_code == 403
    assert sam.get(f"/books/{trade.book.pk}/").json()["counts"]["error"] == 1


def test_an_auditor_reads_and_orders_nothing(lee: Caller, trade: Office, woken: list[Any]) -> None:
    woken.clear()
    assert lee.get(f"/books/{trade.book.pk}/events/").status_code == 200
    dates = {"first": "2010-12-14", "last": "2010-12-14"}
    assert lee.post(f"/books/{trade.book.pk}/past-sync/", dates).status_code == 403
    answer = lee.post(f"/books/{trade.book.pk}/retry/", {"all": True})
    assert answer.status_code == 403 and answer.json()["code"] == "permission_denied"
    assert woken == [] and posting("T4").state == SyncState.ERROR


def test_a_store_manager_retries_what_the_own_stores_mend_and_orders_no_past(sam: Caller, trade: Office) -> None:
    book = f"/books/{trade.book.pk}"
    assert sam.post(f"{book}/past-sync/", {"first": "2010-12-14", "last": "2010-12-14"}).status_code == 403
    assert sam.post(f"{book}/retry/", {"ids": [posting("T4").pk, posting("T5").pk]}).status_code == 404
    for every in ({"cause": ZELLE}, {"all": True}):
        assert sam.post(f"{book}/retry/", every).json()["events"] == 0, "the accountant has to act first"
    refused = sam.post(f"{book}/retry/", {"ids": [posting("T4").pk]})
    assert refused.status_code == 409 and "Your accountant has to act first" in refused.json()["problem"]
    Posting.objects.filter(number__in=["T4", "T5"]).update(error_code=Unreadable.code, cause=Flaw.TOTAL.cause)
    assert sam.post(f"{book}/retry/", {"all": True}).json()["events"] == 1
    assert [posting(number).state for number in ("T4", "T5")] == [SyncState.NOT_SYNCED, SyncState.ERROR]


def test_a_store_manager_reads_no_word_of_accounting(sam: Caller, maria: Caller, trade: Office) -> None:
    stuck = f"/events/{posting('T4').pk}/"
    assert "payment account" in maria.get(stuck).json()["error"]
    said = sam.get(stuck).json()
    assert "your accountant has to say where it is booked" in said["error"]
    posted = f"/events/{posting('T1').pk}/"
    assert len(maria.get(posted).json()["attempts"]) == 1 and sam.get(posted).json()["attempts"] == []
    for address in (stuck, posted):
        read = sam.get(address).json()
        assert read["story"]["entries"] == [] and read["story"]["booked_revision"] is None
        assert (read["outcome"], read["entry"], read["cause"]) == ("", None, ""), address
        told = [*read.values(), *read["story"].values()]
        assert not [
            part for part in told for word in ("unmapped", "posted", "journal", "account is") if word in str(part)
        ]
    assert maria.get(posted).json()["outcome"] == "posted" and maria.get(stuck).json()["cause"] == ZELLE
    listed = sam.get(f"/books/{trade.book.pk}/events/").json()["results"]
    assert {(row["outcome"], row["entry"], row["cause"]) for row in listed} == {("", None, "")}
    Posting.objects.filter(number="T4").update(error_code=Unreadable.code, cause=Flaw.TOTAL.cause)
    assert sam.get(stuck).json()["cause"] == Flaw.TOTAL.cause
    Posting.objects.filter(number="T4").update(error_code="unmapped", cause=ZELLE)
    [row] = [one for one in sam.get("/alerts/").json()["results"] if "say where it is booked" in one["sentence"]]
    assert row["cause"] == ""
    assert "your accountant has to say where it is booked" in row["sentence"]
    assert sam.get(f"/alerts/{row['id']}/").json()["sentence"] == row["sentence"]
    assert sam.get(f"/books/{trade.book.pk}/entries/").status_code == 403


def test_a_store_manager_reads_the_own_stores(sam: Caller, maria: Caller, trade: Office) -> None:
    assert [row["name"] for row in sam.get("/stores/").json()["results"]] == ["Main Street"]
    assert len(maria.get("/stores/").json()["results"]) > 1


def test_who_may_not_open_the_screens_may_not_call(trade: Office) -> None:
    ines = caller("ines")
    User.objects.filter(pk=ines.person.pk).update(is_staff=False)
    assert ines.get(f"/books/{trade.book.pk}/events/").status_code == 403


# --- Orders ---------------------------------------------------------------------------------------


def test_past_events_are_ordered_by_the_person_and_their_progress_is_read(
    maria: Caller, trade: Office, woken: list[Any], connection: Connection, django_capture_on_commit_callbacks: Any
) -> None:
    address, dates = f"/books/{trade.book.pk}/past-sync/", {"first": "2010-12-14", "last": "2010-12-14"}
    woken.clear()
    with django_capture_on_commit_callbacks(execute=True):
        answer = maria.post(address, dates)
    assert answer.status_code == 202 and ("integrations.tasks.work", connection.pk) in woken
    order = answer.json()
    assert (order["events"], order["amount"], order["waiting"], order["done"]) == (1, "60.00", 1, False)
    trade.post()
    now = maria.get(f"/orders/{order['id']}/").json()
    assert (now["synced"], now["waiting"], now["done"], now["ordered_by"]) == (1, 0, True, "maria")
    assert AuditRecord.objects.get(deed="ordered past events").actor == maria.person


def test_to_order_twice_orders_once_and_says_why(maria: Caller, trade: Office) -> None:
    address, dates = f"/books/{trade.book.pk}/past-sync/", {"first": "2010-12-01", "last": "2010-12-31"}
    first = maria.post(address, dates).json()
    again = maria.post(address, dates)
    assert again.status_code == 409 and "Nothing to send" in again.json()["problem"]
    listed = maria.get(f"/books/{trade.book.pk}/orders/").json()["results"]
    assert [row["id"] for row in listed if row["kind"] == "past"] == [first["id"]]


def test_a_book_that_was_never_started_takes_no_order(maria: Caller, trade: Office) -> None:
    trade.book.__class__.objects.update(syncing=False, sync_started_at=None)
    answer = maria.post(f"/books/{trade.book.pk}/past-sync/", {"first": "2010-12-01", "last": "2010-12-31"})
    assert answer.status_code == 409 and "Start Sync first" in answer.json()["problem"]


def test_failed_events_are_retried_by_id_by_cause_or_all(maria: Caller, trade: Office) -> None:
    address = f"/books/{trade.book.pk}/retry/"
    assert maria.post(address, {"ids": [posting("T4").pk, posting("T1").pk]}).json()["events"] == 1
    assert maria.post(address, {"cause": ZELLE}).json() == {"events": 1, "sentence": "Queued again: 1 event."}
    assert maria.post(address, {"all": True}).json()["events"] == 0
    assert posting("T1").state == SyncState.SYNCED
    deeds = AuditRecord.objects.filter(deed="retried failed events")
    assert [record.actor for record in deeds] == [maria.person] * 2
    assert SyncOrder.objects.filter(kind=SyncOrder.Kind.RETRY).count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"causes": "x"},
        {"all": False},
        {"all": "true"},
        {"ids": []},
        {"ids": ["1"]},
        {"ids": [2**63]},
        {"ids": [True]},
        {"cause": 7},
        {"cause": "a\x00b"},
        {"cause": "x", "all": True},
        [],
        '"all"',
        None,
    ],
)
def test_a_retry_that_does_not_say_which_is_refused(maria: Caller, trade: Office, body: Any) -> None:
    """An order without its filter would be an order for everything."""
    sent = "null" if body is None else body
    answer = maria.post(f"/books/{trade.book.pk}/retry/", sent)
    assert answer.status_code == 400 and answer.json()["code"] == "invalid", answer.content
    assert posting("T4").state == SyncState.ERROR


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "sate=error",
        "state=",
        "state=error&state=open",
        "state=a%00b",
        "number=%00",
        "cause=%ed%a0%80%00",
        "first=2010-02-30",
        "first=20101214",
        "last=yesterday",
        "store=0",
        f"store={2**63}",
        f"store={'9' * 5000}",
        "store=1e3",
        "store=%D9%A1",
        "cursor=abc",
        f"cursor={2**70}",
        "cursor=2010-12-14~5",
        "first=2010-12-01&cursor=5",
        "first=2010-12-01&cursor=2010-02-31~5",
        "least=1&cursor=1.2.3~5",
        "cursor=-1",
        "limit=0",
        "limit=201",
        "least=1_0",
        "least=NaN",
        "most=1.999",
        f"most={'9' * 40}",
    ],
)
def test_a_filter_that_cannot_be_used_is_named(maria: Caller, trade: Office, query: str) -> None:
    answer = maria.get(f"/books/{trade.book.pk}/events/?{query}")
    assert answer.status_code == 400, query
    told = answer.json()
    assert told["code"] == "invalid" and list(told["fields"]) == [query.split("&")[-1].split("=")[0]]
    assert all(sentence for sentences in told["fields"].values() for sentence in sentences)


@pytest.mark.parametrize(
    ("method", "address", "how", "status", "code"),
    [
        ("get", "/nowhere/", {}, 404, "not_found"),
        ("get", "/books", {}, 404, "not_found"),
        ("get", f"/events/{10**30}/", {}, 404, "not_found"),
        ("get", f"/events/{'9' * 5000}/", {}, 404, "not_found"),
        ("get", "/events/%00/", {}, 404, "not_found"),
        ("put", "/books/", {}, 405, "method_not_allowed"),
        ("options", "/books/", {}, 405, "method_not_allowed"),
        ("get", "/books/", {"headers": {"Accept": "application/xml"}}, 406, "not_acceptable"),
        ("get", "/books/?format=xml", {}, 400, "invalid"),
        ("post", "/books/1/retry/", {"data": "a=1", "content_type": "text/plain"}, 415, "unsupported_media_type"),
        ("post", "/books/1/retry/", {"data": "{", "content_type": "application/json"}, 400, "parse_error"),
        ("post", "/books/1/retry/", {"data": b"\xff", "content_type": "application/json"}, 400, "parse_error"),
        ("post", "/books/1/retry/", {"data": "[" * 99999, "content_type": "application/json"}, 400, "parse_error"),
        ("post", "/books/1/retry/", {"data": "9" * 9999, "content_type": "application/json"}, 400, "parse_error"),
        ("post", "/books/1/retry/", {"data": " " * 300_000, "content_type": "application/json"}, 400, "parse_error"),
        ("post", "/books/1/retry/", {"data": '{"all": NaN}', "content_type": "application/json"}, 400, "parse_error"),
    ],
)
def test_every_refusal_has_one_shape(
    trade: Office, method: str, address: str, how: dict[str, Any], status: int, code: str
) -> None:
    ines = caller("ines")
    address = address.replace("/books/1/", f"/books/{trade.book.pk}/")
    given = dict(how)
    headers = {**ines.headers, **given.pop("headers", {})}
    answer = getattr(Client(), method)(f"{API}{address}", headers=headers, **given)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    told = answer.json()
    assert told["code"] == code and told["problem"].endswith(".")


# --- Tokens and sessions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer",
        "Bearer a b",
        "Bearer x",
        f"Bearer daybook_{'0' * 64}",
        "Token abc",
        "Basic eDp5",
        "Bearer \xff\xfe",
    ],
)
def test_without_a_valid_token_nothing_is_told(trade: Office, header: str | None) -> None:
    headers = {"Authorization": header} if header is not None else {}
    answer = Client().get(f"{API}/books/", headers=headers)
    assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"
    assert set(answer.json()) == {"problem", "code"}


def test_a_token_ends_with_its_day_its_owner_and_its_revocation(trade: Office) -> None:
    ines = caller("ines")
    mine = ApiToken.objects.filter(user=ines.person)
    assert ines.get("/books/").status_code == 200
    mine.update(expiry=timezone.now() - timedelta(seconds=1))
    assert ines.get("/books/").status_code == 401
    assert mine.exists()  # it stays on its owner's page as expired
    mine.update(expiry=timezone.now() + timedelta(days=1))
    User.objects.filter(pk=ines.person.pk).update(is_active=False)
    assert ines.get("/books/").status_code == 401
    User.objects.filter(pk=ines.person.pk).update(is_active=True)
    mine.delete()
    assert ines.get("/books/").status_code == 401


def test_the_last_use_of_a_token_is_known_to_ten_minutes(maria: Caller, trade: Office) -> None:
    mine = ApiToken.objects.filter(user=maria.person)
    maria.get("/books/")
    used = mine.get().last_used_at
    assert used is not None
    maria.get("/books/")
    assert mine.get().last_used_at == used
    mine.update(last_used_at=used - timedelta(minutes=11))
    maria.get("/books/")
    assert (mine.get().last_used_at or used) > used - timedelta(minutes=1)


def test_whoever_is_logged_in_may_read_and_needs_the_csrf_token_to_order(trade: Office) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ines"))
    assert client.get(f"{API}/books/").status_code == 200
    body: dict[str, Any] = {"data": {"all": True}, "content_type": "application/json"}
    refused = client.post(f"{API}/books/{trade.book.pk}/retry/", **body)
    assert refused.status_code == 403 and "CSRF" in refused.json()["problem"]
    client.get(reverse("integrations:tokens"))
    csrf = client.cookies["csrftoken"].value
    answer = client.post(f"{API}/books/{trade.book.pk}/retry/", headers={"X-CSRFToken": csrf}, **body)
    assert answer.status_code == 202


# --- The rate -------------------------------------------------------------------------------------


def test_a_person_may_call_so_often_in_a_minute_over_all_tokens(
    maria: Caller, trade: Office, settings: Settings
) -> None:
    settings.API_CALLS_PER_MINUTE = 3
    second = Caller(maria.person, token_of(maria.person)[1])
    later = database_now().replace(second=0, microsecond=0) + timedelta(minutes=5)
    ApiUse.objects.create(user=maria.person, minute=later, calls=1)  # a minute that does not end during the test
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("integrations.api.throttles.database_now", lambda: later + timedelta(seconds=20))
        assert [who.get("/books/").status_code for who in (maria, second, maria)] == [200, 200, 429]
        refused = second.get("/books/")
        assert refused.json()["code"] == "throttled" and refused["Retry-After"] == "40"
        assert caller("ines").get("/books/").status_code == 200
        patch.setattr("integrations.api.throttles.database_now", lambda: later + timedelta(seconds=60))
        assert maria.get("/books/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_many_calls_at_once_take_no_place_twice(settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 7
    person = User.objects.create_user("maria")
    minute = database_now().replace(second=0, microsecond=0)

    def call(_: int) -> bool:
        try:
            return counted_in(person, minute=minute)
        finally:
            database.close()

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(call, range(24))) == 7
    assert ApiUse.objects.get().calls == 7
