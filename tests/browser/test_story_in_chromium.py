"""The page of one event, the audit and the search by number, in a real browser: nothing is wrong, the keyboard does."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import BrowserContext, expect

from integrations.models import Connection
from ledger.clock import database_now
from ledger.errors import Rejected
from ledger.journal import orders
from ledger.models import AuditRecord, Posting
from tests.office import Office
from tests.screens import inspecting
from tests.trade import changed, item, paid, ticket

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = {1440: 900, 390: 844}
LONG = "A lamp of brass with a very long name that nobody has ever thought of shortening at the till"


@pytest.fixture
def posting(office: Office, book: object) -> Posting:
    """A sale that was refused, retried, posted, and changed afterwards."""
    Connection.objects.create(vendor="quickbooks", book=office.book, connected_at=database_now())
    maria = User.objects.filter(username="maria").first()
    facts = ticket(item("20.00", name=LONG), paid("20.00", by="2"), external_id="4711001", store="100002")
    office.record(facts)
    day = facts.header.business_date
    assert day is not None
    orders.order_past(office.book, day, day, actor=maria)
    office.enter()
    office.answer(office.sent(), error=Rejected("Refused. Correct it, then Retry.", vendor_message="x" * 300))
    orders.retry(Posting.objects.all(), actor=maria)
    office.post()
    office.record(changed(facts, item("25.00", name=LONG), paid("25.00", by="2")))
    return office.posting(facts)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wrong_with_the_page_of_an_event_an_entry_and_a_deed(
    context: BrowserContext, posting: Posting, said: list[str], width: int
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    deed = AuditRecord.objects.get(deed="retried failed events")
    for address in (
        reverse("admin:ledger_posting_change", args=[posting.pk]),
        reverse("admin:ledger_journalentry_change", args=[posting.entry_id]),
        reverse("admin:ledger_auditrecord_change", args=[deed.pk]),
    ):
        page.goto(address)
        assert [str(one) for one in inspecting.findings(page)] == []
        assert inspecting.too_wide(page) == ""
    assert said == []


def test_an_event_is_found_by_its_number_with_the_keyboard_alone(context: BrowserContext, posting: Posting) -> None:
    page = context.new_page()
    page.goto(reverse("admin:ledger_auditrecord_changelist"))
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("T4711001", delay=20)
    expect(page.locator("#command-results-list")).to_contain_text("T4711001")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:ledger_posting_change', args=[posting.pk])}")


def test_enter_opens_the_first_result_and_nothing_is_complained_of(
    context: BrowserContext, posting: Posting, said: list[str]
) -> None:
    page = context.new_page()
    page.goto(reverse("admin:ledger_auditrecord_changelist"))
    page.keyboard.press("Control+k")
    box, results = page.locator("#search-input-command"), page.locator("#command-results-list")
    expect(box).to_be_focused()
    page.keyboard.press("Enter")
    box.press_sequentially("T4711")
    expect(results).to_contain_text("T4711001")
    assert [str(one) for one in inspecting.findings(page)] == []
    box.press_sequentially("999")
    expect(page.locator("#command-results-note")).to_have_text("Nothing found.")
    page.keyboard.press("Enter")
    box.fill("")
    box.press_sequentially("mapping")
    expect(results).to_contain_text("Account mapping")
    page.keyboard.press("Enter")
    page.wait_for_url("**/configuration/**")
    assert said == []


def test_the_button_of_the_search_is_reached_by_the_keyboard(context: BrowserContext, posting: Posting) -> None:
    page = context.new_page()
    page.goto(reverse("admin:ledger_auditrecord_changelist"))
    page.get_by_role("button", name="Search", exact=True).first.press("Enter")
    expect(page.locator("#search-input-command")).to_be_visible()


def test_the_id_is_copied_by_its_button(context: BrowserContext, posting: Posting) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(reverse("admin:ledger_posting_change", args=[posting.pk]))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "HR-T4711001"
