"""Open pages follow what a worker does, without being loaded again; and many events are chosen by hand."""

import re
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from integrations import bulk, pipeline, tasks
from integrations.bulk_deeds import DEEDS
from integrations.models import Connection
from ledger.journal import orders
from ledger.models import Book, Posting
from ledger.terms import SyncState
from tests.admin.conftest import connection as connection
from tests.admin.test_admin_many import typed_there
from tests.admin.test_admin_posting import ordered
from tests.browser.choosers import chooser
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.screens import inspecting
from tests.trade import new_id, sale, unreadable

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2010, 12, 14)


def opened(context: BrowserContext, address: str) -> Page:
    """The page, with a mark that is lost when it is loaded again."""
    page = context.new_page()
    page.goto(address)
    page.evaluate("window.neverLoadedAgain = true")
    return page


def was_never_loaded_again(page: Page) -> bool:
    return bool(page.evaluate("window.neverLoadedAgain === true"))


def events_of(connection: Connection) -> str:
    return f"/admin/integrations/connections/{connection.pk}/events/"


def test_a_run_shows_its_progress_and_ends_with_its_count(
    context: BrowserContext, office: Office, running: Connection, said: list[str]
) -> None:
    office.record(*(sale(external_id=new_id()) for _ in range(7)))
    page = opened(context, "/admin/integrations/quickbooks/")
    expect(page.locator("[data-progress]")).to_have_count(0)
    orders.order_past(office.book, DAY, DAY, actor=None)
    run = page.locator("[data-progress^=run-]")
    expect(run.locator("progress")).to_have_attribute("max", "7")
    expect(run).to_contain_text("0 of 7 events are Synced, 7 waiting. Waiting for its turn")
    tasks.work(running.pk)
    expect(page.get_by_text("Done: 7 of 7 events are Synced.")).to_be_visible()
    expect(page.locator("[data-progress]")).to_have_count(0)
    expect(page.locator("[data-count=not_synced]")).to_have_text("0")
    assert was_never_loaded_again(page)
    assert said == []


def test_the_words_of_the_states_follow_a_worker(
    context: BrowserContext, office: Office, running: Connection, said: list[str]
) -> None:
    office.record(facts := sale(external_id=new_id()))
    page = opened(context, events_of(running))
    row = page.get_by_role("row", name=re.compile(facts.header.number))
    expect(row.locator("[data-state]")).to_have_text("Never Synced")
    orders.order_past(office.book, DAY, DAY, actor=None)
    expect(row.locator("[data-state]")).to_have_text("Not Synced")
    tasks.work(running.pk)
    expect(row.locator("[data-state]")).to_have_text("Synced")
    expect(row.get_by_role("link", name=office.entry(facts).reference)).to_be_visible()
    assert was_never_loaded_again(page)
    assert said == []


def test_chosen_boxes_and_the_focus_stay_with_their_events(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1"), sale(external_id="2"))
    page = opened(context, events_of(connection))
    page.get_by_label("Choose T1").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-picked]")).to_have_text("1 chosen.")
    office.record(sale(external_id="3", day=date(2010, 12, 20)))
    expect(page.get_by_label("Choose T3")).to_be_visible()
    expect(page.get_by_label("Choose T1")).to_be_checked()
    expect(page.get_by_label("Choose T1")).to_be_focused()
    expect(page.get_by_label("Choose T3")).not_to_be_checked()
    assert was_never_loaded_again(page)


def test_dates_that_are_being_typed_are_not_lost_when_the_page_changes(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1"))
    page = opened(context, "/admin/integrations/quickbooks/")
    page.get_by_label("Start date").fill("2010-12-01")
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    expect(page.locator("[data-progress=backlog]")).to_contain_text("1 event waiting.")
    expect(page.get_by_label("Start date")).to_have_value("2010-12-01")
    assert was_never_loaded_again(page)


def test_a_page_that_cannot_reach_its_server_says_since_when_and_recovers(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1"))
    page = opened(context, events_of(connection))
    context.route("**/events/**", lambda route: route.abort())
    expect(page.get_by_text(re.compile(r"Not up to date since \d\d:\d\d"))).to_be_visible()
    context.unroute("**/events/**")
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    expect(page.get_by_text("Not up to date since")).to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("T1"))).to_contain_text("Not Synced")


def test_a_hidden_page_asks_nothing_and_catches_up_when_it_is_seen(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1"))
    page = opened(context, events_of(connection))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide(page, hidden=True)
    page.wait_for_timeout(7_000)
    assert len(asked) <= 1
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    hide(page, hidden=False)
    expect(page.get_by_role("row", name=re.compile("T1"))).to_contain_text("Not Synced", timeout=2_500)


def hide(page: Page, *, hidden: bool) -> None:
    """What a browser says when another tab is in front."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


# --- Many at once ---------------------------------------------------------------------------------


def test_many_events_are_retried_by_keyboard_alone(
    context: BrowserContext, office: Office, connection: Connection, said: list[str]
) -> None:
    office.record(unreadable("1", readable=True), unreadable("2", readable=True), sale(external_id="3"))
    page = opened(context, events_of(connection))
    page.get_by_label("All on this page").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-picked]")).to_have_text("3 chosen.")
    page.get_by_role("button", name="Retry ...").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Retry: 2 events")).to_be_visible()
    expect(page.get_by_text("Never Synced: nobody has asked for them")).to_be_visible()
    page.get_by_role("button", name="Retry 2 events").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Queued again: 2 events.")).to_be_visible()
    assert said == []


def test_all_that_match_the_filter_are_set_aside_with_a_reason(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(*(sale("20.00", external_id=str(n)) for n in range(60)), sale("90.00", external_id="90"))
    page = opened(context, f"{events_of(connection)}?most=50")
    page.get_by_label("All 60 that match this filter").check()
    page.get_by_role("button", name="Set aside ...").click()
    expect(page.get_by_role("heading", name="Set aside: 60 events, 1,200.00 USD")).to_be_visible()
    page.get_by_label("Reason").fill("Training till")
    page.get_by_role("button", name="Set aside 60 events").click()
    expect(page.get_by_text("Set aside: 60 events.")).to_be_visible()
    assert Posting.objects.filter(set_aside_reason="Training till").count() == 60


def test_a_deed_of_a_worker_is_followed_to_its_end(
    context: BrowserContext, office: Office, connection: Connection, woken: list[tuple[Any, ...]], monkeypatch: Any
) -> None:
    monkeypatch.setattr("integrations.bulk.AT_ONCE", 1)
    office.record(unreadable("1", readable=True), unreadable("2", readable=True))
    page = opened(context, events_of(connection))
    page.get_by_role("button", name="Retry Failed (2 in this book)").click()
    page.get_by_role("button", name="Retry 2 events").click()
    expect(page.locator("[data-progress^=deed-]")).to_contain_text("0 of 2 events done")
    page.evaluate("window.neverLoadedAgain = true")
    tasks.deed(next(ids[0] for name, *ids in woken if name == "integrations.tasks.deed"))
    expect(page.get_by_text("2 events queued again.")).to_be_visible()
    assert was_never_loaded_again(page)


def test_a_store_manager_is_offered_boxes_only_for_what_the_store_can_mend(
    context: BrowserContext, office: Office, connection: Connection, stores: dict[str, Any]
) -> None:
    office.record(unreadable("1", readable=True), unreadable("2", readable=True))
    Posting.objects.filter(number="T2").update(error_code="unmapped", cause="unmapped:tender:9")
    stores["Main Street"].managers.add(maria := User.objects.get(username="maria"))
    User.objects.filter(pk=maria.pk).update(is_superuser=False)
    maria.user_permissions.set(Permission.objects.filter(codename__in=["view_posting", "retry_posting"]))
    page = opened(context, events_of(connection))
    expect(page.get_by_label("Choose T1")).to_be_visible()
    expect(page.get_by_label("Choose T2")).to_have_count(0)
    page.get_by_label("All on this page").check()
    expect(page.locator("[data-picked]")).to_have_text("1 chosen.")
    page.get_by_role("button", name="Retry Failed (1 of your stores)").click()
    expect(page.get_by_role("heading", name="Retry: 1 event")).to_be_visible()
    expect(page.get_by_text("Your accountant has to act first")).to_be_visible()


def test_the_states_of_a_range_that_was_ordered_lead_to_their_events(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1"), sale(external_id="2"))
    orders.order_past(office.book, DAY, DAY, actor=None)
    Posting.objects.filter(number="T2").update(state=SyncState.ERROR, error="No.", cause="no")
    page = opened(context, "/admin/integrations/quickbooks/")
    page.get_by_label("Start date").fill("2010-12-01")
    page.get_by_label("End date").fill("2010-12-31")
    said = page.locator("[data-figures]")
    expect(said).to_have_text(
        "Nothing to send. The 2 events of Dec 1, 2010 to Dec 31, 2010 are: 1 Not Synced, 1 in Error."
    )
    said.get_by_role("link", name="1 in Error").click()
    expect(page.get_by_label("Choose T2")).to_be_visible()
    expect(page.get_by_label("Choose T1")).to_have_count(0)


def test_without_a_script_many_events_are_chosen_and_retried_as_well(
    browser: Browser, context: BrowserContext, live_server: LiveServer, office: Office, connection: Connection
) -> None:
    office.record(unreadable("1", readable=True), unreadable("2", readable=True))
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(events_of(connection))
    page.get_by_label("Choose T1").check()
    page.get_by_role("button", name="Retry ...").click()
    page.get_by_role("button", name="Retry 1 event").click()
    expect(page.get_by_text("Queued again: 1 event.")).to_be_visible()
    assert list(Posting.objects.filter(state=SyncState.ERROR).values_list("number", flat=True)) == ["T2"]


def test_on_a_phone_the_list_is_cards_that_can_be_chosen_and_filtered(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(unreadable("1", readable=True, what="a long sentence " * 10), sale(external_id="2"))
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(events_of(connection))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_label("Number")).to_be_hidden()
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Number").fill("T1")
    page.get_by_role("button", name="Show").click()
    page.get_by_label("Choose T1").check()
    box = page.get_by_label("Choose T1").bounding_box()
    assert box and box["width"] >= 20 and box["x"] >= 0
    page.get_by_role("button", name="Retry ...").click()
    page.get_by_role("button", name="Retry 1 event").click()
    expect(page.get_by_text("Queued again: 1 event.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_store_is_found_among_two_hundred_by_typing(
    context: BrowserContext, office: Office, connection: Connection, stores: dict[str, Any]
) -> None:
    main = stores["Main Street"]
    type(main).objects.bulk_create(
        type(main)(source=office.source, external_id=f"x{n}", name=f"Shop {n}") for n in range(200)
    )
    office.record(sale(external_id="1"), sale(external_id="2", store="100002"))
    page = opened(context, events_of(connection))
    chooser(page, "Store").fill("los")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Choose T2")).to_be_visible()
    expect(page.get_by_label("Choose T1")).to_have_count(0)
    expect(page.get_by_text("Store: Los Angeles")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_of_many_events_are_free_of_findings(
    context: BrowserContext, office: Office, connection: Connection, width: int
) -> None:
    office.record(unreadable("1", readable=True), unreadable("2", readable=True), sale(external_id="3"))
    rows = Posting.objects.filter(state=SyncState.ERROR)
    ended, waiting = (bulk.order(office.book, DEEDS["retry"], rows, actor=None, narrowed={}) for _ in range(2))
    Posting.objects.filter(number="T2").update(state=SyncState.NEVER_SYNCED, error="", cause="")
    tasks.deed(ended.pk)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    many = f"/admin/integrations/connections/{connection.pk}/many/"
    deeds = [f"/admin/integrations/deeds/{row.pk}/" for row in (ended, waiting)]
    previews = [f"{many}?deed={deed}&all=1" for deed in DEEDS]
    lists = [f"{events_of(connection)}?state=open&least=1", "/admin/integrations/quickbooks/"]
    for address in (*deeds, *previews, *lists):
        page.goto(address)
        assert inspecting.findings(page) == [], address
        assert not inspecting.too_wide(page), address


@pytest.mark.parametrize("width", [390, 1440])
def test_an_entry_of_the_books_is_read_beside_ours_at_every_width(
    context: BrowserContext, office: Office, running: Connection, sandbox: Sandbox, width: int
) -> None:
    facts = sale("30.00", external_id=new_id())
    ordered(office, facts)
    office.enter()
    typed_there(office, sandbox, facts, twice=True)
    pipeline.post(running)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/admin/integrations/events/{office.posting(facts).pk}/adopt/")
    table = page.get_by_role("table")
    box, account = table.bounding_box(), table.locator("tbody tr").last.get_by_role("rowheader").bounding_box()
    assert box and account and box["height"] < 1_200 and account["width"] > 150
    expect(table).to_contain_text("60.00 USD")
    assert inspecting.findings(page) == [] and not inspecting.too_wide(page)


def test_sync_and_the_closed_period_follow_the_dates(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(sale(day=date(2010, 11, 10)))
    Book.objects.update(closed_through=date(2010, 11, 30))
    page = opened(context, "/admin/integrations/quickbooks/")
    sync, closed = page.locator("[data-sync]"), page.get_by_text("Your books were closed through Nov 30, 2010")
    expect(closed).to_have_count(0)
    page.get_by_label("Start date").fill("2010-11-01")
    page.get_by_label("End date").fill("2010-12-31")
    expect(closed).to_be_visible()
    expect(sync).to_have_class("db-button db-button-main")
    page.get_by_label("Start date").fill("2010-12-01")
    expect(sync).to_have_class("db-button")
    expect(closed).to_have_count(0)
