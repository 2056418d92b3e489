"""How quick the list of financial events is over a million of them: first page, each filter, exact search, last page.

    DATABASE_URL=... python -m benchmarks.lists [--events 1000000] [--keep]

Fills one book of 200 stores over two years in a database of its own (empty before, and emptied afterwards unless
--keep), then asks for each page as the screen does. Each time stands beside a ceiling, the same fifty rows fetched by
their primary keys: a ratio holds on a slow machine too. The whole page, with everything around the list, stands beside
the same list in a book of fifty events. The best of five, after one to warm up. `--explain` shows the plan of what is
slower than the goal. The figures are left for `benchmarks.report`.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402

from benchmarks import results  # noqa: E402
from benchmarks.listed import SMALL, clear, prepared  # noqa: E402
from integrations.admin_views import events as tab  # noqa: E402
from integrations.admin_views.filtering import EventFilter, in_order, narrowed  # noqa: E402
from integrations.models import Connection  # noqa: E402
from ledger.models import Book, Posting, Store, SyncOrder  # noqa: E402

ROUNDS = 5
GOAL_MS, GOAL_RATIO = 100.0, 1.3

FILTERS: dict[str, dict[str, str]] = {
    "first page": {},
    "first page, oldest first": {"sort": "oldest"},
    "state Synced (97 of 100)": {"state": "synced"},
    "state Error (1 of 100)": {"state": "error"},
    "state Processing (none)": {"state": "processing"},
    "anything but Synced": {"state": "open"},
    "no answer for a while (none)": {"state": "unanswered"},
    "changed since (1 of 5,000)": {"state": "changed"},
    "set aside (1 of 1,000)": {"state": "set_aside"},
    "never synced and not set aside": {"state": "never_synced"},
    "kind": {"kind": "ticket"},
    "store": {"store": "STORE"},
    "store and state Error": {"store": "STORE", "state": "error"},
    "a month": {"first": "2025-03-01", "last": "2025-03-31"},
    "a day of a store": {"first": "2025-03-01", "last": "2025-03-01", "store": "STORE"},
    "amounts, wide (half of all)": {"least": "10", "most": "500"},
    "amounts, narrow (1 of 1,000)": {"least": "500", "most": "501"},
    "one amount": {"least": "321.09", "most": "321.09"},
    "amounts above all": {"least": "5000"},
    "one cause": {"cause": "unmapped:tender:3"},
    "a cause that is gone": {"cause": "unmapped:tender:gone"},
    "exact number": {"number": "T500000"},
    "number of an entry": {"number": "HR-T500001"},
    "a number that is not there": {"number": "T99999999"},
    "order of past events, in Error": {"order": "ORDER", "state": "error"},
    "last page that can be reached": {"page": "2000"},
    "last page, a state": {"page": "2000", "state": "synced"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="leave the filled database as it is for the next time")
    parser.add_argument("--explain", action="store_true", help="show the plans of what is slower than the goal")
    chosen = parser.parse_args()
    book = prepared(chosen.events)
    measure(book, explain=chosen.explain)
    if not chosen.keep:
        clear()


def measure(book: Book, *, explain: bool) -> None:
    """Each page beside its ceiling."""
    print(f"\n{connection.vendor}, {ROUNDS} rounds, milliseconds; the goal is {GOAL_MS:.0f} for each")
    rows = [measured(book, name, chosen, explain=explain) for name, chosen in FILTERS.items()]
    slow = [str(row["list"]) for row in rows if row["page ms"] + row["count ms"] > GOAL_MS]
    whole = list(whole_pages(book))
    events = Posting.objects.order_by("-pk").values_list("pk", flat=True)[0]
    notes = [f"A book of {events:,} events. Slower than {GOAL_MS:.0f} ms: {', '.join(slow) or 'none'}.", *whole]
    results.note("lists", title="Lists over a million events", rows=rows, notes=notes)
    print(results.markdown(rows), *notes, sep="\n")


def measured(book: Book, name: str, chosen: dict[str, str], *, explain: bool) -> results.Row:
    person, chosen = _person(), _with_ids(chosen, book)
    number = int(chosen.pop("page", "1"))

    def form() -> EventFilter:
        return EventFilter(chosen, book=book, person=person)

    def page() -> list[Posting]:
        asked = form()
        return tab.page_of(in_order(narrowed(book, asked, person=person), asked), number=number)

    def count() -> object:
        return tab._matches(narrowed(book, form(), person=person), currency="USD")

    found = page()
    ids = [posting.pk for posting in found]
    took, ceiling, counted = best(page), best(lambda: _by_key(ids)), best(count)
    if explain and took + counted > GOAL_MS:
        _explain(name, page, count)
    figures_of_it = {"page ms": took, "of it by key ms": ceiling, "count ms": counted, "rows": len(ids)}
    return {"database": connection.vendor, "list": name, **figures_of_it}


def _explain(name: str, *works: Callable[[], object]) -> None:
    """The plan of each statement, as the database says it."""
    how = "EXPLAIN (ANALYZE, BUFFERS) " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with CaptureQueriesContext(connection) as asked:
        for work in works:
            work()
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(how + query["sql"].replace("%", "%%"))
            print(f"-- {name}, {query['time']} s: {query['sql'][:400]}")
            print("\n".join(f"   {row[-1]}" for row in cursor.fetchall()))


def whole_pages(book: Book) -> Iterator[str]:
    """Everything that a browser gets of the tab, beside the same list in the book of fifty events."""
    person, _ = User.objects.get_or_create(username="reader", is_superuser=True, is_staff=True, is_active=True)
    client = Client(HTTP_HOST=settings.ALLOWED_HOSTS[0])
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[-1])

    def page(of: Book, query: str) -> Callable[[], object]:
        door, _ = Connection.objects.get_or_create(vendor="quickbooks", book=of)
        address = reverse("integrations:events", args=[door.pk]) + query

        def get() -> object:
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answered {answer.status_code}")
            return answer

        return get

    small = Book.objects.get(name=SMALL)
    for query in ("", "?state=synced"):
        many, few = in_turns(page(book, query), page(small, query))
        ratio = many / few
        said = "met" if ratio <= GOAL_RATIO else "missed"
        what = f"The whole page{f' ({query})' if query else ''}"
        yield f"{what}: {many:.0f} ms, {few:.0f} ms at fifty events; {ratio:.2f} times, target {GOAL_RATIO}: {said}."


def _person() -> Any:

    return User(is_superuser=True)


def _with_ids(chosen: dict[str, str], book: Book) -> dict[str, str]:

    store = Store.objects.order_by("pk").values_list("pk", flat=True)[17]
    order = SyncOrder.objects.filter(book=book).latest("pk").pk
    known = {"STORE": str(store), "ORDER": str(order)}
    return {name: known.get(value, value) for name, value in chosen.items()}


def _by_key(ids: list[int]) -> list[Posting]:

    rows = Posting.objects.filter(pk__in=ids).select_related("store", "entry", "event", "order")
    return list(rows.defer("entry__sent_body", "error_detail"))


def best(work: Callable[[], object]) -> float:
    """Milliseconds of the quickest round."""
    return in_turns(work)[0]


def in_turns(*works: Callable[[], object]) -> list[float]:
    """The same of several works, by turns, so that a machine that grows slower is slower for all."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, took in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            took.append(1000 * (time.perf_counter() - began))
    return [min(took) for took in times]


if __name__ == "__main__":
    main()
