"""What the page of one posting shows: read from the rows, in the words of its readers. Writes nothing."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ledger import facts as facts_json
from ledger import money, rules
from ledger.admin import upstairs
from ledger.admin.adopted import adopted
from ledger.admin.audit_page import mapping_deeds
from ledger.admin.scoping import Person, is_store_manager, may_for_all
from ledger.admin.story import story
from ledger.admin.t_account import attempts_of, t_account
from ledger.errors import AT_THE_TILL, DaybookError, ForeignEntry
from ledger.journal.states import returned, trace
from ledger.models import Attempt, DimensionValue, EventRevision, JournalEntry, Posting
from ledger.moments import zone_of
from ledger.terms import ROLES, DeliveryState, Dimension, EventKind, Outcome, SyncState
from ledger.values import DraftLine, EventFacts

Names = dict[tuple[str, str], str]


@dataclass(frozen=True)
class DocumentLine:
    """A line of the document as a reader of the receipt would name it."""

    what: str
    detail: str
    amount: str


@dataclass(frozen=True)
class RoleLine:
    """A line by role: what it is, what it is told apart by, and its side."""

    role: str
    detail: str
    debit: str
    credit: str


def on_the_page(posting: Posting, *, reader: Person) -> dict[str, Any]:
    """Everything the template needs."""
    facts, names, limited = _facts(posting), _names(posting), is_store_manager(reader)
    means, means_problem = _means(posting, facts, names)
    entries = list(JournalEntry.objects.filter(lines__posting=posting).distinct().order_by("id"))
    return {
        "state": SyncState(posting.state),
        "limited": limited,
        "next_step": next_step(posting, reader),
        "trace": trace(posting),
        "zone": zone_of(posting.event.store),
        "system": upstairs.system_of(posting.book),
        "what_it_is": what_it_is(posting, facts, names),
        "may_map": may_for_all(reader, "mappings.view_mapping"),
        "may_change_mapping": may_for_all(reader, "mappings.change_mapping"),
        "mapping_deeds": mapping_deeds(posting.book, reader),
        "facts": facts,
        "refers_to": _refers_to(posting, facts),
        "document_lines": list(_document_lines(facts, names, costs=not limited)) if facts else [],
        "means": means,
        "means_problem": means_problem,
        "entry": posting.entry,
        "adopted": adopted(posting),
        "account_sides": t_account(posting.entry) if posting.entry and not limited else None,
        "attempts": attempts_of(entries),
        "story": story(posting, entries, names, reader=reader),
        "outcome": Outcome(posting.outcome).label if posting.outcome else "",
        "can_retry": can_retry(posting, reader),
        "can_set_aside": posting.state != SyncState.SYNCED and not posting.set_aside_reason and not _leaving(posting),
        "can_adopt": can_adopt(posting),
        "taken_back": _taken_back(posting) if posting.set_aside_reason else "",
    }


def what_it_is(posting: Posting, facts: EventFacts | None, names: Names) -> str:
    """In one line: "Sale T100123, Los Angeles, Dec 3, 2010, 18:42, 86.40 USD, Visa"."""
    event = posting.event
    said = [f"{_kind(posting, facts)} {posting.number}", str(event.store) if event.store else ""]
    if event.completed_at and event.store:
        said.append(f"{event.completed_at.astimezone(zone_of(event.store)):%b %-d, %Y, %H:%M}")
    elif posting.business_date:
        said.append(f"{posting.business_date:%b %-d, %Y}")
    if posting.amount is not None:
        said.append(money.shown(posting.amount, currency=event.currency))
    if facts:
        said += dict.fromkeys(names.get((Dimension.TENDER, t.tender), t.tender) for t in facts.tenders)
    return ", ".join(filter(None, said))


def _kind(posting: Posting, facts: EventFacts | None) -> str:
    if facts is None or posting.kind != EventKind.TICKET:
        return str(posting.event.get_kind_display())
    word = "Return" if facts.total < 0 else "Sale"
    return f"Voided {word.lower()}" if facts.voided else word


def stamp(posting: Posting) -> str:
    """Changes when the page would look different."""
    entry = posting.entry
    tries = Attempt.objects.filter(entry=entry).values_list("pk", "result") if entry else []
    shown = [posting.state, posting.error, posting.updated_at, posting.changed_since, entry and entry.state, *tries]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _taken_back(posting: Posting) -> str:
    """What taking it back would do."""
    state = SyncState(returned(posting)["state"])
    return "It is then sent." if state == SyncState.NOT_SYNCED else f"It is then {state.label} again."


def can_adopt(posting: Posting) -> bool:
    """Whether a person can take the entry that bears this number over there as this event's."""
    entry = posting.entry
    return bool(entry and entry.state == DeliveryState.REJECTED and posting.error_code == ForeignEntry.code)


def can_retry(posting: Posting, reader: Person) -> bool:
    """Whether trying again makes sense: managers of stores mend documents, of the rest the accountant decides."""
    return posting.state == SyncState.ERROR and (posting.cause in AT_THE_TILL or not is_store_manager(reader))


def next_step(posting: Posting, reader: Person) -> str:
    """One sentence: what happens next, or what to do."""
    if is_store_manager(reader):
        return _next_in_a_store(posting, reader)
    return {
        SyncState.NEVER_SYNCED: _never_synced,
        SyncState.NOT_SYNCED: _not_synced,
        SyncState.PROCESSING: _processing,
        SyncState.SYNCED: _synced,
        SyncState.ERROR: lambda failed: upstairs.problem_of(failed, reader),
    }[SyncState(posting.state)](posting)


def _next_in_a_store(posting: Posting, reader: Person) -> str:
    """The same for who runs the store: without the books, and without what only others can do."""
    if posting.state == SyncState.ERROR:
        return upstairs.problem_of(posting, reader)
    if posting.set_aside_reason:
        return f"Set aside: {posting.set_aside_reason.rstrip('.')}. Nothing to do in the store."
    if posting.state == SyncState.SYNCED:
        return "It is done. Nothing to do in the store."
    if posting.state == SyncState.NEVER_SYNCED:
        return "Your accountant has not asked for it yet. Nothing to do in the store."
    return "It is on its way. Nothing to do in the store."


def _never_synced(posting: Posting) -> str:
    if posting.set_aside_reason:
        return f"Set aside: {posting.set_aside_reason.rstrip('.')}. Sync Past Events passes it by."
    day = f" that holds {posting.business_date:%b %-d, %Y}" if posting.business_date else ""
    return f"Nobody has asked for it yet. To send it, order a range{day} under Sync Past Events."


def _not_synced(posting: Posting) -> str:
    if not posting.book.syncing:
        return "Ordered, but the sync is stopped. It is sent after Start Sync."
    if posting.error_detail:
        return f"The last try did not go through ({posting.error_detail}) It is tried again by itself."
    return f"It is sent by itself. {upstairs.wait_of(posting.book)}".rstrip()


def _processing(posting: Posting) -> str:
    if posting.entry and posting.entry.state == DeliveryState.UNKNOWN:
        return (
            "The answer was lost. Before anything is sent again, Daybook looks for the entry by its number; "
            "nothing to do."
        )
    return "It is being sent now; nothing to do."


def _synced(posting: Posting) -> str:
    entry = posting.entry.remote_id if posting.entry else ""
    sentence = {
        Outcome.POSTED: "The entry stands in the books. Nothing to do.",
        Outcome.ADOPTED: f"Adopted: entry {entry} of the accounting system stands for this event. Nothing was sent.",
        Outcome.NOTHING_TO_POST: "Nothing moved value in it, so there is no entry. Nothing to do.",
        Outcome.VOIDED_BEFORE_SYNC: "It was voided before it was sent, so there is no entry. Nothing to do.",
    }[Outcome(posting.outcome)]
    changed = " The document has changed since: compare the two." if posting.changed_since else ""
    return sentence + changed


def _leaving(posting: Posting) -> bool:
    return bool(posting.entry and posting.entry.state in {DeliveryState.SENDING, DeliveryState.UNKNOWN})


def _facts(posting: Posting) -> EventFacts | None:
    """The facts that were booked, or the latest when nothing is booked yet."""
    revisions = EventRevision.objects.filter(event=posting.event_id).order_by("-n")
    booked = posting.booked_revision if posting.entry_id else None
    chosen = revisions.filter(n=booked).first() if booked else None
    revision = chosen or revisions.first()
    return facts_json.from_json(revision.facts) if revision else None


def _refers_to(posting: Posting, facts: EventFacts | None) -> Posting | None:
    """The sale that a return refers to, in the same book, if it is known."""
    if facts is None or not facts.original_external_id:
        return None
    sales = Posting.objects.filter(book=posting.book_id, event__source=posting.event.source_id)
    return sales.filter(event__external_id=facts.original_external_id).first()


def _names(posting: Posting) -> Names:
    values = DimensionValue.objects.filter(source=posting.event.source_id)
    return {(value.dimension, value.code): value.name for value in values}


def _document_lines(facts: EventFacts, names: Names, *, costs: bool) -> Iterable[DocumentLine]:
    """What was sold, taxed and paid; what it cost the shop is for who keeps the books."""

    def line(what: str, amount: Decimal, detail: str = "") -> DocumentLine:
        return DocumentLine(what, detail, money.shown(amount, currency=facts.currency))

    for item in facts.items:
        kind = names.get((Dimension.ITEM_CLASS, item.item_class), item.item_class)
        cost = "" if item.unit_cost is None or not costs else f", cost {money.price(item.unit_cost)} each"
        yield line(item.name or "Item", item.value, f"{item.quantity.normalize():f} in {kind}{cost}")
    for tax in facts.taxes:
        yield line("Sales tax", tax.value, names.get((Dimension.TAX_JURISDICTION, tax.jurisdiction), ""))
    for what, amounts in (("Shipping", facts.shipping), ("Gift card", facts.gift_cards), ("Tip", facts.tips)):
        for amount in amounts:
            yield line(what, amount)
    for tender in facts.tenders:
        name = names.get((Dimension.TENDER, tender.tender), tender.tender)
        what = "Paid with" if tender.amount > 0 else "Handed out as"
        yield line(f"{what} {name}", tender.amount, "deposit" if tender.deposit else "")


def _means(posting: Posting, facts: EventFacts | None, names: Names) -> tuple[list[RoleLine], str]:
    if facts is None:
        return [], "The document could not be read, so nothing was drafted from it."
    try:
        drafts = rules.draft(facts, post_cost=posting.book.post_cost)
    except DaybookError as problem:
        return [], str(problem)
    return [_role_line(draft, names, facts.currency) for draft in drafts], ""


def _role_line(draft: DraftLine, names: Names, currency: str) -> RoleLine:
    shown = money.shown(draft.amount, currency=currency)
    named = [names.get((dimension, code), code) for dimension, code in draft.dimensions]
    debit, credit = (shown, "") if draft.side == "debit" else ("", shown)
    return RoleLine(ROLES[draft.role].label, ", ".join(named), debit, credit)
