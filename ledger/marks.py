"""What the database itself notes: which days of a book have changed, so that their figures are summed again.

Triggers on the postings, because many hands write them (in bulk, by one update, by a person at the database), and a
figure that one of them forgot would be wrong for ever. They only insert rows, so that no writer waits for another.
`ledger.guards` puts them in place and takes them away beside its own.
"""

POSTING, STALE = "ledger_posting", "ledger_staleday"

COUNTED = ("book_id", "store_id", "business_date", "state", "outcome", "amount", "changed_since")
"""Columns of a posting that a figure rests on."""

_ADD = f"INSERT INTO {STALE} (book_id, business_date)"
_CHANGED_SQLITE = " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in COUNTED)
_CHANGED_POSTGRES = " OR ".join(f"come.{c} IS DISTINCT FROM gone.{c}" for c in COUNTED)


def _sqlite_note(row: str, *, also: str = "1") -> str:
    """Note the day of a row. SQLite has one writer at a time, so a day that is noted already will be summed later."""
    there = f"SELECT 1 FROM {STALE} WHERE book_id = {row}.book_id AND business_date IS {row}.business_date"
    return f"{_ADD} SELECT {row}.book_id, {row}.business_date WHERE {also} AND NOT EXISTS ({there});"


_MOVED = "NEW.business_date IS NOT OLD.business_date OR NEW.book_id IS NOT OLD.book_id"

SQLITE: dict[str, str] = {
    "mark_posting_insert": f"CREATE TRIGGER mark_posting_insert AFTER INSERT ON {POSTING} FOR EACH ROW "
    f"BEGIN {_sqlite_note('NEW')} END",
    "mark_posting_update": f"CREATE TRIGGER mark_posting_update AFTER UPDATE OF {', '.join(COUNTED)} ON {POSTING} "
    f"FOR EACH ROW WHEN {_CHANGED_SQLITE} "
    f"BEGIN {_sqlite_note('NEW')} {_sqlite_note('OLD', also=f'({_MOVED})')} END",
    "mark_posting_delete": f"CREATE TRIGGER mark_posting_delete AFTER DELETE ON {POSTING} FOR EACH ROW "
    f"BEGIN {_sqlite_note('OLD')} END",
}

# On PostgreSQL a day that is noted already may be one that another transaction sums just now without seeing this
# change: every statement notes its own days, once each.
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION daybook_mark_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {_ADD} SELECT DISTINCT book_id, business_date FROM come;
    ELSIF TG_OP = 'DELETE' THEN
        {_ADD} SELECT DISTINCT book_id, business_date FROM gone;
    ELSE
        {_ADD}
            SELECT DISTINCT day.book_id, day.business_date
            FROM come JOIN gone USING (id)
            CROSS JOIN LATERAL (
                VALUES (come.book_id, come.business_date), (gone.book_id, gone.business_date)
            ) AS day (book_id, business_date)
            WHERE {_CHANGED_POSTGRES};
    END IF;
    RETURN NULL;
END $$"""

POSTGRES_FUNCTIONS = (_FUNCTION,)

_PER_STATEMENT = "FOR EACH STATEMENT EXECUTE FUNCTION daybook_mark_days()"

POSTGRES: dict[str, str] = {
    "mark_posting_insert": f"CREATE TRIGGER mark_posting_insert AFTER INSERT ON {POSTING} "
    f"REFERENCING NEW TABLE AS come {_PER_STATEMENT}",
    "mark_posting_update": f"CREATE TRIGGER mark_posting_update AFTER UPDATE ON {POSTING} "
    f"REFERENCING OLD TABLE AS gone NEW TABLE AS come {_PER_STATEMENT}",
    "mark_posting_delete": f"CREATE TRIGGER mark_posting_delete AFTER DELETE ON {POSTING} "
    f"REFERENCING OLD TABLE AS gone {_PER_STATEMENT}",
}

EVERY_DAY = f"{_ADD} SELECT DISTINCT book_id, business_date FROM {POSTING}"
"""Note every day there is: while the triggers stood aside for a migration, nothing was noted."""
