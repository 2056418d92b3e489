"""The mapping in and out: a file, another book, a template. It is shown first, and written exactly as it was shown."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from ledger.journal import charts
from ledger.models import Account, AuditRecord, Book, Feed, Posting, Store
from ledger.values import RemoteAccount
from mappings.models import Mapping, MappingTemplate
from mappings.table import MappingTable
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import item, paid, ticket

MAP = ("mappings.view_mapping", "mappings.change_mapping")
VISA_TO_CHECKING = "Role,Value,Store,Account number,Account name\nPayment account,Visa,,,Checking\n"
SOME = VISA_TO_CHECKING + "Payment account,Zelle,,,Checking\nShipping income,,,,Shipping Income\n"


def at(name: str, *args: int) -> str:
    return reverse(f"mappings:{name}", args=args)


def upload(client: Client, book: Book, content: str) -> Any:
    file = SimpleUploadedFile("my mapping.csv", content.encode())
    return client.post(at("import_mapping", book.pk), {"file": file})


def token(page: str) -> str:
    return page.split('name="token" value="')[1].split('"')[0]


def visa(book: Book) -> str:
    return Mapping.objects.get(book=book, role="tender", tender="2").account.full_name


@pytest.fixture
def other(db: None, feed: Feed, remote_chart: list[RemoteAccount]) -> Book:
    """A second book, fed by the same till, with a chart of its own: the same names, other ids."""
    book = Book.objects.create(name="Holding", uses_financials=True)
    Feed.objects.create(source=feed.source, book=book)
    charts.import_accounts(book, remote_chart)
    return book


# --- Import ---------------------------------------------------------------------------------------


def test_a_file_is_shown_first_and_written_when_it_is_confirmed(
    login: Login,
    book: Book,
    mapping: MappingTable,
    connection: Connection,
    woken: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = login(*MAP)
    page = upload(client, book, SOME).content.decode()
    assert "1 change" in page and "1 unchanged" in page and "1 refused" in page
    assert "Card Clearing:Visa and Mastercard" in page and "There is no tender &#x27;Zelle&#x27;" in page
    assert visa(book) == "Card Clearing:Visa and Mastercard"
    with django_capture_on_commit_callbacks(execute=True):
        said = client.post(at("confirm", book.pk), {"token": token(page)}, follow=True).content.decode()
    assert "1 place of the mapping was changed by the file my mapping.csv" in said
    assert visa(book) == "Checking"
    assert ("integrations.tasks.work", connection.pk) in woken
    record = AuditRecord.objects.get(deed="imported the mapping of")
    assert record.before == {"Payment account: Visa": "Card Clearing:Visa and Mastercard"}
    assert record.after == {"Payment account: Visa": "Checking"} and record.actor_name == "sam"


def test_when_the_mapping_changed_meanwhile_it_is_shown_again(login: Login, book: Book, mapping: MappingTable) -> None:
    client = login(*MAP)
    page = upload(client, book, SOME).content.decode()
    Mapping.objects.filter(tender="2", role="tender").update(account=Account.objects.get(full_name="Savings"))
    again = client.post(at("confirm", book.pk), {"token": token(page)}).content.decode()
    assert "changed after you looked" in again and visa(book) == "Savings"
    client.post(at("confirm", book.pk), {"token": token(again)})
    assert visa(book) == "Checking"


def test_when_an_account_became_unusable_meanwhile_nothing_is_written(
    login: Login, book: Book, mapping: MappingTable
) -> None:
    client = login(*MAP)
    page = upload(client, book, VISA_TO_CHECKING).content.decode()
    Account.objects.filter(full_name="Checking").update(active=False)
    again = client.post(at("confirm", book.pk), {"token": token(page)}).content.decode()
    assert "is inactive" in again and "There is nothing to apply" in again and visa(book) != "Checking"


@pytest.mark.parametrize("spoil", [lambda held: held[:-3] + "abc", lambda held: "", lambda held: "x:y:z"])
def test_a_preview_that_nobody_was_shown_is_refused(
    login: Login, book: Book, mapping: MappingTable, spoil: Any
) -> None:
    client = login(*MAP)
    held = token(upload(client, book, VISA_TO_CHECKING).content.decode())
    assert client.post(at("confirm", book.pk), {"token": spoil(held)}).status_code == 422
    assert visa(book) != "Checking"


def test_the_preview_of_one_person_or_book_is_not_anothers(
    login: Login, book: Book, other: Book, mapping: MappingTable
) -> None:
    held = token(upload(login(*MAP), book, VISA_TO_CHECKING).content.decode())
    assert login(*MAP, name="lee").post(at("confirm", book.pk), {"token": held}).status_code == 422
    assert visa(book) != "Checking"


@pytest.mark.parametrize("content", ["", "nothing", "Role,Account name\n"])
def test_a_bad_file_is_answered_with_a_sentence(login: Login, book: Book, content: str) -> None:
    answer = upload(login(*MAP), book, content)
    assert answer.status_code == 422 and "Nothing was changed" in answer.content.decode()


def test_without_a_file_it_says_so(login: Login, book: Book) -> None:
    answer = login(*MAP).post(at("import_mapping", book.pk))
    assert answer.status_code == 422 and "Choose a file first" in answer.content.decode()


def test_a_reader_exports_and_imports_nothing(login: Login, book: Book, mapping: MappingTable) -> None:
    client = login("mappings.view_mapping")
    assert "Import a file" not in client.get(at("exchange", book.pk)).content.decode()
    assert client.get(at("export_mapping_csv", book.pk)).status_code == 200
    assert upload(client, book, SOME).status_code == 403
    for name in ("copy", "apply_template", "confirm", "save_template"):
        assert client.post(at(name, book.pk)).status_code == 403


def test_a_store_manager_neither_exports_nor_imports(
    login: Login, everything: list[str], book: Book, mapping: MappingTable, stores: dict[str, Store]
) -> None:
    client = login(*everything, stores=(stores["Chicago"],))
    for name in ("exchange", "export_mapping_csv", "export_accounts_csv"):
        assert client.get(at(name, book.pk)).status_code == 403
    assert upload(client, book, SOME).status_code == 403


# --- Another book, and templates ------------------------------------------------------------------


def test_a_mapping_is_copied_to_another_book_by_names(
    login: Login, book: Book, other: Book, mapping: MappingTable
) -> None:
    Account.objects.filter(book=other, full_name="Shipping Income").update(full_name="Freight", name="Freight")
    client = login(*MAP)
    page = client.post(at("copy", other.pk), {"from": book.pk}).content.decode()
    assert "There is no account &#x27;Shipping Income&#x27;" in page and "1 refused" in page
    client.post(at("confirm", other.pk), {"token": token(page)})
    assert visa(other) == visa(book)
    assert Mapping.objects.filter(book=other).count() == Mapping.objects.filter(book=book).count() - 1
    assert {row.account.book for row in Mapping.objects.filter(book=other).select_related("account__book")} == {other}
    assert AuditRecord.objects.filter(deed="applied a mapping template to", subject="Holding").exists()


def test_an_account_whose_number_means_another_one_in_the_other_book_is_refused(
    login: Login, book: Book, other: Book, mapping: MappingTable
) -> None:
    Account.objects.filter(book=book, full_name="Shipping Income").update(number="4900")
    Account.objects.filter(book=other, full_name="Services").update(number="4900")
    client = login(*MAP)
    page = client.post(at("copy", other.pk), {"from": book.pk}).content.decode()
    assert "The number 4900 belongs to 4900 Services, the name to another account" in page
    client.post(at("confirm", other.pk), {"token": token(page)})
    assert not Mapping.objects.filter(book=other, role="shipping_income").exists() and visa(other) == visa(book)


def test_a_book_that_numbers_no_account_takes_the_mapping_of_one_that_does(
    login: Login, book: Book, other: Book, mapping: MappingTable
) -> None:
    Account.objects.filter(book=book, full_name="Shipping Income").update(number="4900")
    client = login(*MAP)
    client.post(at("save_template", book.pk), {"name": "Our shops"})
    for name, sent in (
        ("copy", {"from": book.pk}),
        ("apply_template", {"template": MappingTemplate.objects.get().pk}),
    ):
        page = client.post(at(name, other.pk), sent).content.decode()
        assert "0 refused" in page and "4900" not in page
    client.post(at("confirm", other.pk), {"token": token(page)})
    assert Mapping.objects.filter(book=other).count() == Mapping.objects.filter(book=book).count()


def test_a_preview_says_what_it_sends_and_which_entries_stay(login: Login, office: Office) -> None:
    Mapping.objects.filter(role="tender", tender="3").delete()
    office.record(ticket(item("20.00"), paid("20.00", by="2")), ticket(item("30.00"), paid("30.00", by="3")))
    Posting.objects.update(state="not_synced")
    office.post()
    content = VISA_TO_CHECKING + "Payment account,Mastercard,,,Checking\n"
    page = " ".join(upload(login(*MAP), office.book, content).content.decode().split())
    assert "1 event, 30.00 USD</strong> that waits in Error is then sent by itself" in page
    assert 'data-label="Entries that keep the account of now">1</td>' in page


def test_a_reader_is_offered_nothing_to_change(
    login: Login, book: Book, mapping: MappingTable, chart: dict[str, Account]
) -> None:
    Mapping.objects.create(book=book, role="shipping_income", tender="2", account=chart["Services"])
    login(*MAP, name="maria").post(at("save_template", book.pk), {"name": "Our shops"})
    client = login("mappings.view_mapping", "ledger.view_account", name="lee")
    for name in ("configuration", "exchange", "accounts"):
        page = client.get(at(name, book.pk)).content.decode().split('<main id="main-content"')[1]
        said = re.sub(r"<[^>]+>", " ", page.split("</main>")[0])
        assert not re.search(r"\b(save|delete|change it|import a|choose)\b", said, re.IGNORECASE), name
        assert "<select" not in page and 'method="post"' not in page


def test_a_template_is_saved_downloaded_applied_and_deleted(
    login: Login, book: Book, other: Book, mapping: MappingTable
) -> None:
    client = login(*MAP)
    client.post(at("save_template", book.pk), {"name": "Our shops"})
    template = MappingTemplate.objects.get()
    assert len(template.rows) == Mapping.objects.filter(book=book).count()
    text = client.get(at("download_template_csv", template.pk)).getvalue().decode("utf-8-sig")
    assert list(csv.DictReader(io.StringIO(text))) == template.rows
    page = client.post(at("apply_template", other.pk), {"template": template.pk}).content.decode()
    client.post(at("confirm", other.pk), {"token": token(page)})
    assert Mapping.objects.filter(book=other).count() == len(template.rows)
    address = at("delete_template", book.pk, template.pk)
    assert "Delete the template Our shops?" in client.get(address).content.decode()
    client.post(address)
    assert not MappingTemplate.objects.exists() and Mapping.objects.filter(book=other).exists()
    deeds = set(AuditRecord.objects.values_list("deed", flat=True))
    assert {"saved a mapping template of", "deleted a mapping template"} <= deeds


def test_a_downloaded_template_is_a_file_that_can_be_imported(login: Login, book: Book, mapping: MappingTable) -> None:
    client = login(*MAP)
    client.post(at("save_template", book.pk), {"name": "Our shops"})
    answer = client.get(at("download_template_csv", MappingTemplate.objects.get().pk))
    page = upload(client, book, answer.getvalue().decode()).content.decode()
    assert "0 changes" in page and "0 refused" in page


def test_a_book_keeps_its_name_as_it_is_written_where_its_mapping_cannot_be_copied(
    login: Login, book: Book, other: Book
) -> None:
    Book.objects.filter(pk=book.pk).update(name="Main Street QBO")
    answer = login(*MAP).post(at("copy", other.pk), {"from": book.pk})
    assert answer.status_code == 422
    assert "The mapping of Main Street QBO: There is no" in answer.content.decode()


def test_two_templates_never_share_a_name(login: Login, book: Book, mapping: MappingTable) -> None:
    client = login(*MAP)
    for _ in range(2):
        answer = client.post(at("save_template", book.pk), {"name": "Our shops"})
    assert answer.status_code == 422 and MappingTemplate.objects.count() == 1


@pytest.mark.parametrize("wanted", ["", "x", "²", "99999", "1" * 30])
def test_a_book_or_template_that_is_not_there_is_no_error_of_ours(
    login: Login, book: Book, mapping: MappingTable, wanted: str
) -> None:
    client = login(*MAP)
    for name, field in (("copy", "from"), ("apply_template", "template")):
        assert client.post(at(name, book.pk), {field: wanted}).status_code in {400, 404}
