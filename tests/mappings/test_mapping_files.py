"""A mapping as a file: what is exported comes back unchanged, and a bad file or row says what is wrong with it."""

import csv
import io
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from ledger.exporting import as_csv, as_xlsx, guarded
from ledger.models import Account, Book, DimensionValue, Feed, Store
from ledger.terms import Dimension, Role
from mappings import files, loading, packed
from mappings.files import BadFile
from mappings.loading import MappingRow, Plan
from mappings.models import Mapping
from mappings.names import Known
from mappings.resources import MappingResource, lines_of
from mappings.table import MappingTable
from tests.sandbox_fixture import ROOT

HEADINGS = ["Role", "Value", "Store", "Account number", "Account name"]


def as_file(content: bytes | str, name: str = "mapping.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def table(*rows: Sequence[Any], separator: str = ",", headings: Sequence[str] = HEADINGS) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([headings, *rows])
    return text.getvalue()


def workbook(*rows: Sequence[Any]) -> bytes:
    made = Workbook()
    for row in [HEADINGS, *rows]:
        made.active.append(list(row))
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def plan(book: Book, content: bytes | str) -> Plan:
    return loading.plan(book, files.read(as_file(content)))


def exported(book: Book, form: str) -> bytes:
    found = MappingResource(book).table(Mapping.objects.filter(book=book))
    return "".join(as_csv(found)).encode() if form == "csv" else as_xlsx(found).read()


# --- There and back -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_exported_file_comes_back_without_a_change(book: Book, mapping: MappingTable, form: str) -> None:
    made = plan(book, exported(book, form))
    assert (made.changes, made.refused, made.untouched) == ([], [], 0)
    assert made.unchanged == Mapping.objects.count() > 30


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)
TRICKY = st.one_of(
    NAMES, st.sampled_from(["=1+1", "-", "'=x", "[1]", "Cash [2]", "1", "2", " cash", "CASH", "a,b;c\t"])
)


@given(
    tenders=st.dictionaries(st.text("0123456789[]=-a", min_size=1, max_size=3), TRICKY, min_size=1, max_size=6),
    accounts=st.lists(st.tuples(st.sampled_from(["", "1000", "0100", "4000"]), TRICKY), min_size=1, max_size=4),
    data=st.data(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@pytest.mark.django_db
def test_whatever_things_are_called_the_file_comes_back_without_a_change(
    filled: Any, tenders: dict[str, str], accounts: list[tuple[str, str]], data: st.DataObject
) -> None:
    book = filled(tenders, accounts, data)
    for form in ("csv", "xlsx"):
        made = plan(book, exported(book, form))
        assert (made.changes, made.refused) == ([], [])
        assert made.unchanged == Mapping.objects.filter(book=book).count() > 0
    assert loading.plan(book, files.from_dicts(lines_of(book))).unchanged == made.unchanged


@pytest.fixture
def filled(feed: Feed, stores: dict[str, Store]) -> Any:
    """Fills a book of its own with these tenders and accounts, mapped at random; of every example anew."""

    def make(tenders: dict[str, str], accounts: list[tuple[str, str]], data: st.DataObject) -> Book:
        Mapping.objects.all().delete()
        Account.objects.all().delete()
        DimensionValue.objects.all().delete()
        book = feed.book
        DimensionValue.objects.bulk_create(
            DimensionValue(source=feed.source, dimension=Dimension.TENDER, code=code, name=name)
            for code, name in tenders.items()
        )
        chart = [
            Account(
                book=book,
                external_id=str(n),
                number=number,
                name=name,
                full_name=name,
                type="bank",
                imported_at="2026-01-01T00:00:00Z",
            )
            for n, (number, name) in enumerate(accounts)
        ]
        Account.objects.bulk_create(chart)
        made = list(Account.objects.filter(book=book))
        places = [(code, store) for code in tenders for store in (None, stores["Chicago"])]
        Mapping.objects.bulk_create(
            Mapping(book=book, role=Role.TENDER, tender=code, store=store, account=data.draw(st.sampled_from(made)))
            for code, store in places
        )
        return book

    return make


def test_rows_narrowed_further_come_back_too(book: Book, mapping: MappingTable, chart: dict[str, Account]) -> None:
    Mapping.objects.create(book=book, role="sales", item_class="1", category="Town", account=chart["Sales:Other"])
    Mapping.objects.create(book=book, role="shipping_income", tender="2", account=chart["Sales:Other"])
    text = exported(book, "csv").decode("utf-8-sig")
    assert text.splitlines()[0] == "Role,Value,Store,Tender,Category,Account number,Account name"
    made = plan(book, text)
    assert (made.changes, made.refused, made.untouched) == ([], [], 0)


def test_values_of_the_same_name_are_told_apart_by_their_codes(book: Book, feed: Feed) -> None:
    DimensionValue.objects.create(source=feed.source, dimension="tender", code="8", name="Visa")
    known = Known(book, rows=[])
    assert {known.said(Dimension.TENDER, code) for code in ("2", "8")} == {"Visa [2]", "Visa [8]"}
    assert known.code(Dimension.TENDER, "visa [8]") == "8"


def test_what_a_spreadsheet_would_run_is_guarded_on_the_way_out(book: Book, mapping: MappingTable) -> None:
    DimensionValue.objects.filter(dimension="tender", code="2").update(name="=cmd()")
    assert ",'=cmd()," in exported(book, "csv").decode()
    assert plan(book, exported(book, "csv")).refused == []


def test_the_demos_file_is_read_by_the_same_reader(book: Book, mapping: MappingTable) -> None:
    assert plan(book, (ROOT / "config" / "demo" / "mapping.csv").read_bytes()).unchanged > 30


# --- What a spreadsheet makes of it ---------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        table(["Payment account", "Visa", "", "", "Checking"]),
        table(["Payment account", "Visa", "", "", "Checking"], separator=";"),
        table(["Payment account", "Visa", "", "", "Checking"], separator="\t"),
        "\ufeff" + table(["payment account", " visa ", "", "", "checking"]),
        table(["Payment account", "Visa", "", "", "Checking"]).encode("utf-16"),
        table(["tender", "2", "", "", "Checking"], headings=["role", "VALUE", "store", "number", "account"]),
        workbook(["Payment account", "Visa", None, None, "Checking"]),
    ],
)
def test_the_usual_forms_of_a_table_are_read(book: Book, mapping: MappingTable, content: bytes | str) -> None:
    (change,) = plan(book, content).changes
    assert change.label == "Payment account: Visa"
    assert (str(change.before), str(change.wanted.account)) == ("Card Clearing:Visa and Mastercard", "Checking")


@pytest.mark.parametrize("number", [4000, 4000.0, "4000", "4000.0"])
def test_a_number_that_a_spreadsheet_has_made_of_it_is_found(
    book: Book, mapping: MappingTable, chart: dict[str, Account], number: object
) -> None:
    Account.objects.filter(pk=chart["Checking"].pk).update(number="4000")
    (change,) = plan(book, workbook(["Payment account", "Visa", None, number, None])).changes
    assert change.wanted.account == chart["Checking"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("Role,Value\nSales,Home\n", "no column Account name"),
        ("Value,Account name\nHome,Checking\n", "no column Role"),
        ("Role,Account,Account name\nSales,A,B\n", "the same meaning"),
        (",".join(HEADINGS), "no row below"),
        (table(["Sales", "Käse", "", "", "x"]).encode("latin-1"), "CSV UTF-8"),
        (b"\x00\x01\x02 nothing of a table", "no table"),
        (b"PK\x03\x04 nothing of a workbook", "cannot be opened"),
        ('Role,Account name\n"Sales,Checking\n', "breaks off"),
        (table(*[["Sales", "Home", "", "", "x"]] * 5001), "more than 5,000 rows"),
    ],
)
def test_a_bad_file_says_what_is_wrong_with_it(book: Book, content: bytes | str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        files.read(as_file(content))


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(BadFile, match="50 MB"):
        files.read(as_file(b"x" * (50 * 1024 * 1024)))


def test_a_workbook_that_unpacks_to_something_huge_is_not_opened() -> None:
    huge = with_part("xl/worksheets/sheet1.xml", b" " * (packed.LARGEST_UNPACKED + 1))
    with pytest.raises(BadFile, match="unpacks"):
        files.read(as_file(huge, "bomb.xlsx"))


SHEET = "xl/worksheets/sheet1.xml"


def sheet(inside: bytes, *, before: bytes = b"") -> bytes:
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return before + b'<worksheet xmlns="' + namespace + b'"><sheetData>' + inside + b"</sheetData></worksheet>"


def with_part(name: str, content: bytes, *, beside: bytes = b"") -> bytes:
    """A workbook with one part more, or another one; `beside`: what makes it less tightly packed."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, True, 9) as new,
    ):
        for part in set(old.namelist()) - {name}:
            new.writestr(part, old.read(part))
        new.writestr(name, content)
        new.writestr("docProps/thumbnail.jpeg", beside)
    return made.getvalue()


NOISE = random.Random(7).randbytes(400_000)
BOMBS = {
    "empty cells, tightly packed": with_part(SHEET, sheet(b'<row r="1">' + b"<c/>" * 4_000_000 + b"</row>")),
    "one endless row": with_part(SHEET, sheet(b'<row r="1">' + b"<c/>" * 1_500_000 + b"</row>"), beside=NOISE),
    "endless rows": with_part(SHEET, sheet((b"<row>" + b"<c/>" * 900 + b"</row>") * 1_500), beside=NOISE),
    "endless texts": with_part("xl/sharedStrings.xml", b"<sst>" + b"<si/>" * 1_400_000 + b"</sst>", beside=NOISE),
    "endless styles": with_part("xl/styles.xml", b"<styles>" + b"<xf/>" * 1_400_000 + b"</styles>", beside=NOISE),
    "entities": with_part(SHEET, sheet(b"<row>&a;</row>", before=b'<!DOCTYPE x [<!ENTITY a "aaaa">]>')),
}
READ_EACH = """
import resource, sys
import django
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from mappings import files

def most() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

for path in sys.argv[1:]:
    content, before = open(path, "rb").read(), most()
    try:
        files.read(SimpleUploadedFile("bomb.xlsx", content))
    except files.BadFile as refused:
        print(most() - before, refused)
"""


def test_a_small_file_does_not_exhaust_the_process(tmp_path: Path) -> None:
    """In a process of its own, which tells by how many MB its memory grew; openpyxl alone takes hundreds."""
    paths = [tmp_path / f"{number}.xlsx" for number in range(len(BOMBS))]
    for path, content in zip(paths, BOMBS.values(), strict=True):
        path.write_bytes(content)
    begun = time.monotonic()
    told = subprocess.run([sys.executable, "-c", READ_EACH, *map(str, paths)], capture_output=True, text=True, cwd=ROOT)
    lines = told.stdout.splitlines()
    assert len(lines) == len(BOMBS), told.stderr
    assert all("unpacks to far more than a mapping holds" in line for line in lines), lines
    assert all(int(line.split()[0]) < 24 for line in lines), lines
    assert time.monotonic() - begun < 30


def test_a_workbook_of_as_many_rows_as_may_be_is_read() -> None:
    filled = ["Sales", "A class with a longer name", "Main Street", "4000", "Sales:Home and garden"]
    alike = files.read(as_file(workbook(*[filled] * 5000)))
    told_apart = files.read(as_file(workbook(*[[*filled[:3], str(n), f"Account {n}"] for n in range(5000)])))
    assert len(alike) == len(told_apart) == 5000 and told_apart[-1].account == "Account 4999"
    assert len(files.read(as_file(workbook(*[[*filled, *["x"] * 15]] * 5000)))) == 5000


def test_a_broken_package_is_told_as_such() -> None:
    whole = workbook(["Sales", "", "", "", "Checking"])
    for at in range(40, len(whole), 97):
        try:
            files.read(as_file(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]))
        except BadFile:
            continue


# --- Rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (["Sails", "", "", "", "Checking"], "there is no role 'Sails'"),
        (["Payment account", "Zelle", "", "", "Checking"], "there is no tender 'Zelle'"),
        (["Payment account", "Visa", "Boston", "", "Checking"], "there is no store 'Boston'"),
        (["Payment account", "Visa", "", "", "Cheque"], "there is no account 'Cheque'"),
        (["Payment account", "Visa", "", "", ""], "no account is named"),
        (["Payment account", "Visa", "", "", "Sales:Other"], "Payment account takes bank"),
        (["Payment account", "Visa", "", "", "Accounts Receivable (A/R)"], "would need a customer or vendor"),
        (["Payment account", "Visa", "", "", "Undeposited Funds"], "is inactive"),
        (["Sales", "", "", "", "Sales:Other"], "Sales needs a value: its item class"),
        (["Shipping income", "Visa", "", "", "Sales:Other"], "is not told apart by a value"),
        (["=1+1", "", "", "", "Sales:Other"], "holds a formula"),
        (["Sales", "Home", "", "", "x" * 700], "longer than 600"),
        (["Sales", "Home", "", "", "x", "y"], "more cells than there are headings"),
    ],
)
def test_a_refused_row_is_told_with_its_line_and_reason(
    book: Book, mapping: MappingTable, row: list[str], why: str
) -> None:
    Account.objects.filter(full_name="Undeposited Funds").update(active=False)
    made = plan(book, table(["Payment account", "Cash", "Chicago", "", "Cash on Hand:Chicago"], row))
    (refused,) = made.refused
    assert (refused.line, made.changes, made.unchanged) == (3, [], 1)
    assert why in refused.reason


def test_of_two_equal_rows_the_second_is_refused(book: Book, mapping: MappingTable) -> None:
    rows = [["Payment account", "Visa", "", "", "Checking"], ["tender", "[2]", "", "", "checking"]]
    made = plan(book, table(*rows))
    assert len(made.changes) == 1 and [refused.reason for refused in made.refused] == ["the same as line 2"]


def test_rows_that_contradict_each_other_are_all_refused(book: Book, mapping: MappingTable) -> None:
    accounts = ["Checking", "Savings", "Checking"]
    rows = [["Shipping income", "", "", "", "Sales:Other"], *(["tender", "Visa", "", "", name] for name in accounts)]
    made = plan(book, table(*rows))
    assert [change.label for change in made.changes] == ["Shipping income"]
    assert [(refused.line, refused.reason) for refused in made.refused] == [
        (3, "lines 3 and 4 contradict each other: Checking and Savings; keep one"),
        (4, "lines 3 and 4 contradict each other: Checking and Savings; keep one"),
        (5, "lines 4 and 5 contradict each other: Savings and Checking; keep one"),
    ]


def test_rows_without_lines_that_contradict_each_other_are_refused(book: Book, mapping: MappingTable) -> None:
    made = loading.plan(book, [MappingRow("tender", name, tender="2") for name in ("Checking", "Savings")])
    assert made.changes == [] and len(made.refused) == 2
    assert made.refused[0].reason == "two rows contradict each other: Checking and Savings; keep one"


def test_a_number_and_a_name_of_two_accounts_are_refused(
    book: Book, mapping: MappingTable, chart: dict[str, Account]
) -> None:
    Account.objects.filter(pk=chart["Checking"].pk).update(number="1000")
    (refused,) = plan(book, table(["Payment account", "Visa", "", "1000", "Sales:Other"])).refused
    assert "the number 1000 belongs to 1000 Checking" in refused.reason


@pytest.mark.parametrize(
    ("number", "name", "why"),
    [
        ("9999", "Checking", "no account has the number 9999; 'Checking' has the number 1000; correct it"),
        ("9999", "Savings", "no account has the number 9999; 'Savings' has no number; correct it"),
        ("1000", "Chequing", "the number 1000 belongs to 1000 Checking, not to 'Chequing'; correct one"),
        ("9999", "Chequing", "there is no account '9999 Chequing'"),
        ("9999", "", "there is no account '9999'"),
        ("0100", "", "there is no account '0100'"),
    ],
)
def test_a_number_that_is_not_the_accounts_is_refused_and_never_passed_over(
    book: Book, mapping: MappingTable, chart: dict[str, Account], number: str, name: str, why: str
) -> None:
    Account.objects.filter(pk=chart["Checking"].pk).update(number="1000")
    made = plan(book, table(["Payment account", "Visa", "", number, name]))
    assert why in made.refused[0].reason and made.changes == []


def test_number_and_name_of_one_account_are_taken_though_each_alone_names_several(
    book: Book, mapping: MappingTable, chart: dict[str, Account]
) -> None:
    Account.objects.filter(full_name__in=["Checking", "Savings"]).update(number="1000")
    (change,) = plan(book, table(["Payment account", "Visa", "", "1000", "Savings"])).changes
    assert change.wanted.account == chart["Savings"]
    (refused,) = plan(book, table(["Payment account", "Visa", "", "1000", ""])).refused
    assert refused.reason == "there are 2 accounts '1000'; give the name as well"


def test_a_row_that_stands_already_is_never_refused(book: Book, mapping: MappingTable) -> None:
    """Its account may have become inactive since; the file says what is."""
    Account.objects.filter(full_name="Shipping Income").update(active=False)
    made = plan(book, exported(book, "csv"))
    assert (made.refused, made.changes) == ([], [])


def test_rows_of_a_template_are_kept_as_a_file_would_have_them(book: Book, mapping: MappingTable) -> None:
    DimensionValue.objects.filter(dimension="tender", code="2").update(name="@visa")
    line = next(line for line in lines_of(book) if line["Value"].endswith("@visa"))
    assert line["Value"] == guarded("@visa") == "'@visa"


def test_nothing_is_written_by_a_plan(book: Book, mapping: MappingTable) -> None:
    before = list(Mapping.objects.values_list("pk", "account"))
    assert loading.plan(book, [MappingRow("tender", "Checking", tender="2")]).changes
    assert list(Mapping.objects.values_list("pk", "account")) == before
