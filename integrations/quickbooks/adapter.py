"""QuickBooks Online as an accounting system: the port of `ledger.ports` over client and payloads."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import quote

from integrations.http import lost
from integrations.quickbooks import charting, payloads
from integrations.quickbooks.client import PRODUCTION, SANDBOX, Client, Reply, quoted
from integrations.quickbooks.faults import fault_error, faults_in
from ledger.errors import AuthExpired, DaybookError, PeriodClosed, RateLimited, Rejected, Unreachable, Unsupported
from ledger.ports import Place
from ledger.values import Capabilities, Company, Delivered, NewAccount, OutgoingEntry, RemoteAccount, RemoteEntry

CAPABILITIES = Capabilities(
    label="QuickBooks Online",
    batch_size=30,
    request_keys=True,
    reference_length=payloads.REFERENCE_LENGTH,
    max_lines=payloads.MAX_LINES,
    settle_seconds=150,
    closing_date_readable=True,
    notes=(
        "A number may occur twice unless the company warns about duplicates: Daybook looks it up first.",
        "Lines on accounts receivable or payable need a customer or vendor, which Daybook does not write.",
        "Sales tax posted by journal entry does not appear in the Sales Tax Center.",
        "Requests cut off by the network may be worked on for 120 seconds more; Daybook waits 150.",
    ),
)

DUPLICATE_NAME = "6240"
"""The code of a refusal because the name is taken."""

REFERENCES_AT_ONCE = 30
"""Numbers in one look-up; as many as entries in a batch."""

_PAGES = {PRODUCTION: "https://app.qbo.intuit.com", SANDBOX: "https://app.sandbox.qbo.intuit.com"}


class QuickBooksAdapter:
    """The books of one QuickBooks Online company."""

    capabilities = CAPABILITIES

    def __init__(self, client: Client) -> None:
        self._client = client

    def company(self) -> Company:
        """The company with its home currency and closing date."""
        return payloads.company(self._client.company(), self._client.preferences(), realm=self._client.realm)

    def accounts(self) -> Iterator[RemoteAccount]:
        """The whole chart, inactive accounts included."""
        return map(payloads.remote_account, self._client.accounts())

    def create_account(
        self, wanted: NewAccount, *, send_before: float | None = None, place: Place | None = None
    ) -> RemoteAccount:
        """Names are unique there, so a name that is taken is looked up: it may be ours from a call without answer."""
        body = charting.account_json(wanted)
        try:
            reply = self._client.create_account(
                body, request_key=wanted.request_key, send_before=send_before, place=place
            )
        except Rejected as refused:
            if refused.vendor_code != DUPLICATE_NAME:
                raise
            return self._already_there(wanted, refused)
        created = payloads.part(reply.data, "Account")
        if not payloads.text(created, "Id"):
            raise lost("an answer that does not name the account", write=True)
        return payloads.remote_account(created)

    def find(self, references: Sequence[str]) -> dict[str, list[RemoteEntry]]:
        """Every entry that bears one of these numbers; one query for each 30."""
        found: dict[str, list[RemoteEntry]] = {}
        for start in range(0, len(references), REFERENCES_AT_ONCE):
            numbers = ", ".join(quoted(name) for name in references[start : start + REFERENCES_AT_ONCE])
            for entry in self._entries(where=f"DocNumber IN ({numbers})"):
                found.setdefault(entry.reference.upper(), []).append(entry)
        return {reference: found[reference] for reference in references if reference in found}

    def between(self, first: date, last: date) -> Iterator[RemoteEntry]:
        """Every journal entry dated in the range, whoever wrote it."""
        days = quoted(first.isoformat()), quoted(last.isoformat())
        return self._entries(where=f"TxnDate >= {days[0]} AND TxnDate <= {days[1]}")

    def body(self, entry: OutgoingEntry) -> str:
        """The text that leaves for one entry, alone or within a batch; makes no call. Raises Unsupported."""
        return payloads.entry_json(entry)

    def post_one(self, entry: OutgoingEntry, *, send_before: float, place: Place | None = None) -> Delivered:
        """Create one entry under its request key; what concerns the entry is in the result."""
        draft = self._prepared(entry)
        if draft.error:
            return draft
        try:
            reply = self._client.create_entry(
                draft.sent, request_key=entry.request_key, send_before=send_before, place=place
            )
        except (Unreachable, RateLimited, AuthExpired):
            raise
        except DaybookError as error:
            return _dated(_failed(draft, error), entry)
        return _dated(_judged(draft, reply), entry)

    def post_batch(
        self, entries: Sequence[OutgoingEntry], *, request_key: str, send_before: float, place: Place | None = None
    ) -> list[Delivered]:
        """Create at most 30 entries in one call; one result each, in order.

        Names within the batch follow from the order, so that a repeat of the same batch is the same text.
        What QuickBooks says of one entry is that entry's result. Any error of the whole call is raised: a refusal
        (Rejected, PeriodClosed) then says that nothing was booked, and tells of no entry whether it is at fault.
        """
        drafts = [self._prepared(entry) for entry in entries]
        creations = [(f"e{n}", draft.sent) for n, draft in enumerate(drafts) if not draft.error]
        if not creations:
            return drafts
        reply = self._client.create_batch(creations, request_key=request_key, send_before=send_before, place=place)
        results = _shared_out(reply, drafts)
        return [_dated(result, entry) for result, entry in zip(results, entries, strict=True)]

    def link(self, remote_id: str) -> str:
        """The page of an entry in QuickBooks; where there is no such page, its address in the API."""
        page = _PAGES.get(self._client.base_url)
        if page:
            return f"{page}/app/journal?txnId={quote(remote_id, safe='')}"
        company = f"{self._client.base_url}/v3/company/{self._client.realm}"
        return f"{company}/journalentry/{quote(remote_id, safe='')}"

    def _already_there(self, wanted: NewAccount, refused: Rejected) -> RemoteAccount:
        """The account that bears the name, when it is what was wanted."""
        found = map(payloads.remote_account, self._client.accounts_named(wanted.name))
        for account in found:
            if charting.is_wanted(account, wanted):
                return account
        raise refused

    def _entries(self, *, where: str) -> Iterator[RemoteEntry]:
        return map(payloads.remote_entry, self._client.query("JournalEntry", where=where))

    def _prepared(self, entry: OutgoingEntry) -> Delivered:
        """The text to send, or why there is none."""
        try:
            return Delivered(entry.reference, sent=self.body(entry))
        except Unsupported as error:
            return Delivered(entry.reference, error=error)


def _shared_out(reply: Reply, drafts: Sequence[Delivered]) -> list[Delivered]:
    """The results of a batch, matched by name: the order says nothing, and an answer may be missing."""
    items = {payloads.text(item, "bId"): item for item in payloads.parts(reply.data, "BatchItemResponse")}
    return [
        draft if draft.error else _judged(draft, Reply(items.get(f"e{n}", {}), reply.request_id))
        for n, draft in enumerate(drafts)
    ]


def _judged(draft: Delivered, reply: Reply) -> Delivered:
    """What the answer to one creation says; one that does not name our entry says nothing definite."""
    draft = replace(draft, request_id=reply.request_id)
    faults = faults_in(reply.data)
    if faults:
        return _failed(draft, fault_error(faults, write=True))
    created = payloads.part(reply.data, "JournalEntry")
    remote_id = payloads.text(created, "Id")
    # A batch may answer with little more than the id; a number, when there is one, must be ours.
    if not remote_id or payloads.text(created, "DocNumber") not in {"", draft.reference}:
        return _failed(draft, lost("an answer that does not name this entry", write=True))
    return replace(draft, remote_id=remote_id)


def _failed(draft: Delivered, error: DaybookError) -> Delivered:
    return replace(draft, error=error, request_id=error.request_id or draft.request_id)


def _dated(delivered: Delivered, entry: OutgoingEntry) -> Delivered:
    """A closed period is told with the date that is closed; the vendor does not repeat it."""
    error = delivered.error
    if not isinstance(error, PeriodClosed):
        return delivered
    dated = PeriodClosed(entry.posting_date, detail=error.detail)
    dated.request_id = error.request_id
    return replace(delivered, error=dated)
