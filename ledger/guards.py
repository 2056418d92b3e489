"""What the database itself refuses: entries that do not balance, changes under a sealed entry, edits of the audit.

Triggers, because a check constraint cannot see other rows. Django remakes tables on SQLite while it migrates, and a
remake fails while the guards stand: they are dropped before a migration and installed after it (ledger.apps).
A system check says when they are missing. The triggers of `ledger.marks`, which refuse nothing, stand beside them.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

from ledger import marks

ENTRY, LINE, AUDIT = "ledger_journalentry", "ledger_journalline", "ledger_auditrecord"

FROZEN = ("book_id", "reference", "kind", "posting_date", "currency", "total")
"""Columns of an entry that cannot change once it is sealed."""

_CHANGED_SQLITE = " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in FROZEN)
_CHANGED_POSTGRES = " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in FROZEN)


def _sqlite_guard(name: str, moment: str, table: str, when: str, message: str) -> tuple[str, str]:
    return name, (
        f"CREATE TRIGGER {name} {moment} ON {table} FOR EACH ROW WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


_SUM_SQLITE = f"""(
    SELECT COUNT(*) < 2 OR COALESCE(SUM(debit), 0) <> COALESCE(SUM(credit), 0)
        OR COALESCE(SUM(debit), 0) <> NEW.total
    FROM {LINE} WHERE entry_id = NEW.id)"""


def _line_sealed(row: str) -> str:
    return f"(SELECT sealed FROM {ENTRY} WHERE id = {row}.entry_id)"


SQLITE: dict[str, str] = dict(
    [
        _sqlite_guard("guard_entry_born", "BEFORE INSERT", ENTRY, "NEW.sealed", "daybook: an entry is born unsealed"),
        _sqlite_guard(
            "guard_entry_seal",
            "BEFORE UPDATE OF sealed",
            ENTRY,
            f"NEW.sealed AND NOT OLD.sealed AND {_SUM_SQLITE}",
            "daybook: an entry that does not balance cannot be sealed",
        ),
        _sqlite_guard(
            "guard_entry_unseal",
            "BEFORE UPDATE OF sealed",
            ENTRY,
            "OLD.sealed AND NOT NEW.sealed",
            "daybook: a sealed entry stays sealed",
        ),
        _sqlite_guard(
            "guard_entry_frozen",
            "BEFORE UPDATE",
            ENTRY,
            f"OLD.sealed AND ({_CHANGED_SQLITE})",
            "daybook: a sealed entry does not change",
        ),
        _sqlite_guard(
            "guard_entry_delete",
            "BEFORE DELETE",
            ENTRY,
            "OLD.sealed",
            "daybook: a sealed entry is not deleted",
        ),
        _sqlite_guard(
            "guard_line_insert",
            "BEFORE INSERT",
            LINE,
            _line_sealed("NEW"),
            "daybook: nothing changes under a sealed entry",
        ),
        _sqlite_guard(
            "guard_line_update",
            "BEFORE UPDATE",
            LINE,
            f"{_line_sealed('OLD')} OR {_line_sealed('NEW')}",
            "daybook: nothing changes under a sealed entry",
        ),
        _sqlite_guard(
            "guard_line_delete",
            "BEFORE DELETE",
            LINE,
            _line_sealed("OLD"),
            "daybook: nothing changes under a sealed entry",
        ),
        _sqlite_guard("guard_audit_update", "BEFORE UPDATE", AUDIT, "1", "daybook: the audit is append-only"),
        _sqlite_guard("guard_audit_delete", "BEFORE DELETE", AUDIT, "1", "daybook: the audit is append-only"),
    ]
)

_ENTRY_FUNCTION = f"""
CREATE OR REPLACE FUNCTION daybook_guard_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n bigint; debits numeric; credits numeric;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.sealed THEN RAISE EXCEPTION 'daybook: an entry is born unsealed'; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF OLD.sealed THEN RAISE EXCEPTION 'daybook: a sealed entry is not deleted'; END IF;
        RETURN OLD;
    END IF;
    IF OLD.sealed AND NOT NEW.sealed THEN RAISE EXCEPTION 'daybook: a sealed entry stays sealed'; END IF;
    IF OLD.sealed AND ({_CHANGED_POSTGRES}) THEN
        RAISE EXCEPTION 'daybook: a sealed entry does not change';
    END IF;
    IF NEW.sealed AND NOT OLD.sealed THEN
        SELECT count(*), coalesce(sum(debit), 0), coalesce(sum(credit), 0) INTO n, debits, credits
            FROM {LINE} WHERE entry_id = NEW.id;
        IF n < 2 OR debits <> credits OR debits <> NEW.total THEN
            RAISE EXCEPTION 'daybook: an entry that does not balance cannot be sealed';
        END IF;
    END IF;
    RETURN NEW;
END $$"""

# The entries are locked in a statement of their own before `sealed` is looked at: one combined statement does not
# lock, and a line that arrives beside a seal would get in.
_LINES_FUNCTION = """
CREATE OR REPLACE FUNCTION daybook_guard_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        PERFORM 1 FROM {entry} WHERE id IN (SELECT entry_id FROM gone) ORDER BY id FOR SHARE;
        IF EXISTS (SELECT 1 FROM {entry} WHERE sealed AND id IN (SELECT entry_id FROM gone)) THEN
            RAISE EXCEPTION 'daybook: nothing changes under a sealed entry';
        END IF;
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
        PERFORM 1 FROM {entry} WHERE id IN (SELECT entry_id FROM come) ORDER BY id FOR SHARE;
        IF EXISTS (SELECT 1 FROM {entry} WHERE sealed AND id IN (SELECT entry_id FROM come)) THEN
            RAISE EXCEPTION 'daybook: nothing changes under a sealed entry';
        END IF;
    END IF;
    RETURN NULL;
END $$""".replace("{entry}", ENTRY)

_REFUSE_FUNCTION = """
CREATE OR REPLACE FUNCTION daybook_guard_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'daybook: the % is append-only', TG_TABLE_NAME; END $$"""

POSTGRES_FUNCTIONS = (_ENTRY_FUNCTION, _LINES_FUNCTION, _REFUSE_FUNCTION)

_PER_STATEMENT = "FOR EACH STATEMENT EXECUTE FUNCTION daybook_guard_lines()"

POSTGRES: dict[str, str] = {
    "guard_entry": f"CREATE TRIGGER guard_entry BEFORE INSERT OR UPDATE OR DELETE ON {ENTRY} "
    "FOR EACH ROW EXECUTE FUNCTION daybook_guard_entry()",
    "guard_line_insert": f"CREATE TRIGGER guard_line_insert AFTER INSERT ON {LINE} "
    f"REFERENCING NEW TABLE AS come {_PER_STATEMENT}",
    "guard_line_update": f"CREATE TRIGGER guard_line_update AFTER UPDATE ON {LINE} "
    f"REFERENCING OLD TABLE AS gone NEW TABLE AS come {_PER_STATEMENT}",
    "guard_line_delete": f"CREATE TRIGGER guard_line_delete AFTER DELETE ON {LINE} "
    f"REFERENCING OLD TABLE AS gone {_PER_STATEMENT}",
    "guard_entry_truncate": f"CREATE TRIGGER guard_entry_truncate BEFORE TRUNCATE ON {ENTRY} "
    "FOR EACH STATEMENT EXECUTE FUNCTION daybook_guard_refuse()",
    "guard_line_truncate": f"CREATE TRIGGER guard_line_truncate BEFORE TRUNCATE ON {LINE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION daybook_guard_refuse()",
    "guard_audit": f"CREATE TRIGGER guard_audit BEFORE UPDATE OR DELETE ON {AUDIT} "
    "FOR EACH ROW EXECUTE FUNCTION daybook_guard_refuse()",
    "guard_audit_truncate": f"CREATE TRIGGER guard_audit_truncate BEFORE TRUNCATE ON {AUDIT} "
    "FOR EACH STATEMENT EXECUTE FUNCTION daybook_guard_refuse()",
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place that is not there yet; nothing happens while its tables do not exist."""
    possible, standing = _possible(connection), present(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for function in (*POSTGRES_FUNCTIONS, *marks.POSTGRES_FUNCTIONS):
                cursor.execute(function)
        for name, statement in possible.items():
            if name not in standing:
                cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away: before a migration, and in the teardown of tests. Production code does not call it."""
    guards = wanted(connection)
    with connection.cursor() as cursor:
        for name in present(connection) & set(guards):
            on = f" ON {_table(guards[name])}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on}")


def missing(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of triggers that should stand and do not."""
    return set(_possible(connection)) - present(connection)


def wanted(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Every trigger of ours, what refuses and what notes, by name."""
    return POSTGRES | marks.POSTGRES if connection.vendor == "postgresql" else SQLITE | marks.SQLITE


def _possible(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers whose tables exist: halfway through the migrations some do not."""
    tables = set(connection.introspection.table_names())
    needed = {name: {_table(statement)} for name, statement in wanted(connection).items()}
    needed |= {name: {marks.POSTING, marks.STALE} for name in marks.SQLITE}
    return {name: statement for name, statement in wanted(connection).items() if needed[name] <= tables}


def present(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of the triggers of ours that stand now."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall() if row[0].startswith(("guard_", "mark_"))}


def _table(statement: str) -> str:
    return statement.split(" ON ", 1)[1].split(" ", 1)[0]
