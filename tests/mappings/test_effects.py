"""What a change of the mapping does, told before it is saved."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from ledger.models import Account, DimensionValue, JournalEntry, Posting, Store
from ledger.terms import SyncState
from mappings import effects, use, waiting
from mappings.effects import Effect, Line
from mappings.models import Mapping
from mappings.waiting import Held
from tests.office import Office
from tests.trade import item, paid, sale, ticket

DAY = date(2010, 12, 14)


def ordered(office: Office) -> None:
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.enter()


def effect(office: Office, row: Mapping, after: Account | None) -> Effect:
    """What it does when this row gets that account; None takes it out."""
    before = row.account if row.pk else None
    wanted = Mapping(book=row.book, role=row.role, store=row.store, tender=row.tender, account=after or row.account)
    return effects.effect(office.book, [Line("the row", wanted, before, after)])


@pytest.fixture
def visa(office: Office) -> Mapping:
    return Mapping.objects.select_related("account", "book").get(role="tender", tender="2")


def test_what_waits_for_the_account_is_sent_and_nothing_else(
    office: Office, visa: Mapping, chart: dict[str, Account]
) -> None:
    Mapping.objects.filter(role="tender", tender__in=["2", "3"]).delete()
    office.record(*(ticket(item("20.00"), paid("20.00", by=by)) for by in ("2", "2", "3")))
    ordered(office)
    assert waiting.read(office.book).by_value()[("tender", "2")] == Held(2, Decimal("40.00"))
    visa.pk = None
    told = effect(office, visa, chart["Checking"])
    assert told.sent == Held(2, Decimal("40.00")) and told.is_all and told.lacking == []
    assert not Mapping.objects.filter(role="tender", tender="2").exists()


def test_an_account_for_one_store_sends_what_waits_in_that_store(
    office: Office, visa: Mapping, chart: dict[str, Account], stores: dict[str, Store]
) -> None:
    Mapping.objects.filter(role="tender", tender="2").delete()
    sales = [ticket(item("20.00"), paid("20.00", by="2"), store=store) for store in ("100001", "100003")]
    office.record(*sales)
    ordered(office)
    visa.pk, visa.store = None, stores["Chicago"]
    assert effect(office, visa, chart["Checking"]).sent == Held(1, Decimal("20.00"))


def test_a_place_that_loses_its_account_is_named_with_what_bore_it(office: Office, visa: Mapping) -> None:
    office.record(ticket(item("20.00"), paid("20.00", by="2")))
    use.refresh(office.book)
    (lacking,) = effect(office, visa, None).lacking
    assert lacking.label == "Payment account: Visa"
    assert (lacking.use.events, lacking.use.amount) == (1, Decimal("20.00"))


def test_the_entries_that_keep_the_account_are_counted(
    office: Office, visa: Mapping, chart: dict[str, Account]
) -> None:
    """Visa and Mastercard go to one account: the entries of the other are not counted."""
    office.record(*(ticket(item("20.00"), paid("20.00", by=by)) for by in ("2", "2", "3", "1")))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    assert JournalEntry.objects.filter(state="posted").count() == 4
    (line,) = effect(office, visa, chart["Checking"]).lines
    assert line.kept == 2


def test_the_entries_that_keep_the_account_are_of_the_same_90_days_as_the_uses(
    office: Office, visa: Mapping, chart: dict[str, Account]
) -> None:
    """All are posted today."""
    days = [DAY, DAY - timedelta(days=use.DAYS - 1), DAY - timedelta(days=use.DAYS)]
    office.record(*(ticket(item("20.00"), paid("20.00", by="2"), day=day) for day in days))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    use.refresh(office.book)
    (line,) = effect(office, visa, chart["Checking"]).lines
    assert line.kept == 2 == use.read(office.book).of("tender", "2").events


def test_a_row_for_one_category_counts_only_the_entries_with_lines_of_it(
    office: Office, chart: dict[str, Account]
) -> None:
    office.record(ticket(item("20.00"), paid("20.00")))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    sales = Mapping.objects.select_related("account").get(role="sales", item_class="1")
    wanted = Mapping(book=office.book, role="sales", item_class="1", category="Town", account=sales.account)
    told = effects.effect(office.book, [Line("all", sales, sales.account, None)])
    assert told.lines[0].kept == 1
    told = effects.effect(office.book, [Line("one", wanted, sales.account, None)])
    assert told.lines[0].kept == 0


def test_what_is_not_posted_yet_keeps_nothing(office: Office, visa: Mapping, chart: dict[str, Account]) -> None:
    office.record(sale("20.00"))
    ordered(office)
    cash = Mapping.objects.select_related("account", "book", "store").filter(role="tender", tender="1")[0]
    (line,) = effect(office, cash, chart["Savings"]).lines
    assert line.kept == 0


def test_of_very_many_that_wait_it_is_said_that_there_are_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST", 2)
    Mapping.objects.filter(role="tender", tender="2").delete()
    office.record(*(ticket(item("20.00"), paid("20.00", by="2")) for _ in range(2)))
    ordered(office)
    assert waiting.read(office.book).is_all
    office.record(ticket(item("20.00"), paid("20.00", by="2")))
    ordered(office)
    assert not waiting.read(office.book).is_all


def test_tips_that_lose_their_account_are_named_though_not_every_till_needs_one(
    office: Office, chart: dict[str, Account]
) -> None:
    tips = Mapping.objects.update_or_create(
        book=office.book, role="tips_payable", defaults={"account": chart["Customer Deposits"]}
    )[0]
    office.record(ticket(item("20.00"), paid("23.00"), tips=[Decimal("3.00")]))
    use.refresh(office.book)
    (lacking,) = effect(office, tips, None).lacking
    assert (lacking.label, lacking.use) == ("Tips payable", use.Use(1, Decimal("3.00")))


def test_a_payment_type_that_the_till_lists_no_more_is_named_while_events_bear_it(
    office: Office, visa: Mapping
) -> None:
    DimensionValue.objects.filter(dimension="tender", code="2").update(active=False)
    office.record(ticket(item("20.00"), paid("20.00", by="2")))
    use.refresh(office.book)
    (lacking,) = effect(office, visa, None).lacking
    assert (lacking.label, lacking.use.events) == ("Payment account: Visa", 1)
