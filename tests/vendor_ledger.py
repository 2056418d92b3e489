"""An accounting system in memory that misbehaves on order: what a test needs to count what really stands there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count

from ledger.errors import DaybookError, OutcomeUnknown, RateLimited, Rejected, Unreachable, Unsupported
from ledger.ports import Place
from ledger.terms import AccountType
from ledger.values import Capabilities, Company, Delivered, NewAccount, OutgoingEntry, RemoteAccount, RemoteEntry

LATE = 100.0
"""Seconds after which work that was cut off is committed; less than the time to settle."""
LAG = 3.0
"""Seconds for which a look-up may not see what was committed."""

FATES = (
    "done",
    "lost_done",
    "lost_undone",
    "late",
    "refused",
    "throttled",
    "away",
    "killed_before",
    "killed_after",
    "zombie",
)


class WorkerKilled(BaseException):
    """The process ends here; nothing after this line runs."""


@dataclass
class VendorLedger:
    """Implements ledger.ports.AccountingSystem. `fates` are used up one by one; then everything works."""

    now: float = 0.0
    fates: list[str] = field(default_factory=list)
    lags: bool = False
    blind: bool = False
    forgets_keys: bool = False
    meanwhile: Callable[[], None] = lambda: None
    committed: list[tuple[float, str, RemoteEntry]] = field(default_factory=list)
    pending: list[tuple[float, str, RemoteEntry]] = field(default_factory=list)
    ids: "count[int]" = field(default_factory=lambda: count(1))
    capabilities: Capabilities = Capabilities("Pretend", 5, True, 21, 200, 150, closing_date_readable=False)

    def standing(self, reference: str) -> list[RemoteEntry]:
        """What stands there under a number, seen without lag."""
        return [entry for _, _, entry in self.committed if entry.reference == reference]

    def pass_time(self, seconds: float) -> None:
        """The clock goes on, and cut-off work is committed when its time comes."""
        self.now += seconds
        due = [each for each in self.pending if each[0] <= self.now]
        self.pending = [each for each in self.pending if each[0] > self.now]
        for at, key, entry in due:
            self._commit(key, entry, at=at)

    # --- The port ---------------------------------------------------------------------------------

    def company(self) -> Company:
        return Company("1", "Pretend", "USD")

    def accounts(self) -> list[RemoteAccount]:
        return [RemoteAccount("1", "Cash", "Cash", "", AccountType.BANK, "", "USD", active=True)]

    def create_account(
        self, wanted: NewAccount, *, send_before: float | None = None, place: Place | None = None
    ) -> RemoteAccount:
        raise Unsupported("The pretend books take entries only.")

    def find(self, references: Sequence[str]) -> dict[str, list[RemoteEntry]]:
        if self.blind:
            raise Unreachable("The look-up failed.")
        seen = [entry for at, _, entry in self.committed if not self.lags or at <= self.now - LAG]
        found = {name: [entry for entry in seen if entry.reference == name] for name in references}
        return {name: entries for name, entries in found.items() if entries}

    def between(self, first: date, last: date) -> list[RemoteEntry]:
        return [entry for _, _, entry in self.committed if first <= entry.posting_date <= last]

    def body(self, entry: OutgoingEntry) -> str:
        return repr(entry)

    def post_one(self, entry: OutgoingEntry, *, send_before: float, place: Place | None = None) -> Delivered:
        return self._post(entry, key=entry.request_key, fate=self._fate())

    def post_batch(
        self, entries: Sequence[OutgoingEntry], *, request_key: str, send_before: float, place: Place | None = None
    ) -> list[Delivered]:
        """One fate strikes the call as a whole; each item then fares alike, under a key of its own."""
        fate = self._fate()
        results = []
        for n, entry in enumerate(entries):
            # Who is killed in the middle has left the first half there.
            each = "lost_undone" if fate == "killed_after" and n > len(entries) // 2 else fate
            last = n == len(entries) - 1
            results.append(self._post(entry, key=f"{request_key}/{n}", fate=each, ends=last))
        if fate == "killed_after":
            raise WorkerKilled
        return results

    def link(self, remote_id: str) -> str:
        return f"https://pretend/{remote_id}"

    # --- What happens -----------------------------------------------------------------------------

    def _fate(self) -> str:
        return self.fates.pop(0) if self.fates else "done"

    def _post(self, entry: OutgoingEntry, *, key: str, fate: str, ends: bool = True) -> Delivered:
        if fate == "killed_before":
            raise WorkerKilled
        if fate in ERRORS_BEFORE:
            raise ERRORS_BEFORE[fate]
        if fate == "refused":
            return Delivered(entry.reference, error=Rejected("Refused.", vendor_code="1"))
        remote = RemoteEntry(str(next(self.ids)), entry.reference, entry.posting_date, entry.memo, entry.lines)
        if fate == "late":
            self.pending.append((self.now + LATE, key, remote))
        elif fate != "lost_undone":
            remote = self._commit(key, remote, at=self.now)
        if fate == "killed_after" and ends:
            raise WorkerKilled
        if fate == "zombie" and ends:
            self.meanwhile()
        if fate in {"late", "lost_done", "lost_undone"}:
            return Delivered(entry.reference, error=OutcomeUnknown("No answer."))
        return Delivered(entry.reference, remote_id=remote.remote_id, sent="{}")

    def _commit(self, key: str, entry: RemoteEntry, *, at: float) -> RemoteEntry:
        """A known key is answered with what it made before."""
        for _, known, before in self.committed:
            if known == key and not self.forgets_keys:
                return before
        self.committed.append((at, key, entry))
        return entry

    def type_by_hand(self, like: OutgoingEntry) -> None:
        """Somebody uses one of our numbers for an entry of his own."""
        remote = RemoteEntry(str(next(self.ids)), like.reference, like.posting_date, "By hand", like.lines)
        self.committed.append((self.now, "", remote))

    def renumber(self) -> None:
        """Every entry that somebody typed gets another number."""
        self.committed = [
            (at, key, replace(entry, reference=f"X{entry.remote_id}") if not key else entry)
            for at, key, entry in self.committed
        ]


ERRORS_BEFORE: dict[str, DaybookError] = {
    "throttled": RateLimited("Slower.", retry_after=5.0),
    "away": Unreachable("Nobody answers."),
}
