"""The query language answers, pages and refuses as the vendor's does."""

import pytest

from tests.sandbox.quickbooks_server import QuickBooksServer, entry, error_of


@pytest.fixture
def three(quickbooks: QuickBooksServer) -> QuickBooksServer:
    """Three entries, HR-T1 to HR-T3, on three days."""
    for day in (1, 2, 3):
        quickbooks.post(entry(f"HR-T{day}", TxnDate=f"2010-12-0{day}"))
    return quickbooks


def numbers(server: QuickBooksServer, clause: str) -> list[str]:
    return [row["DocNumber"] for row in server.rows(f"SELECT * FROM JournalEntry {clause}")]


FOUND = [
    ("WHERE DocNumber = 'HR-T2'", ["HR-T2"]),
    ("WHERE DocNumber IN ('HR-T1', 'HR-T3', 'HR-T9') ORDERBY Id", ["HR-T1", "HR-T3"]),
    ("where DocNumber like 'HR-%' AND TxnDate >= '2010-12-02' order by TxnDate desc", ["HR-T3", "HR-T2"]),
    ("WHERE TxnDate < '2010-12-03' ORDERBY TxnDate DESC, Id", ["HR-T2", "HR-T1"]),
    ("WHERE Id > '201' ORDER BY Id ASC STARTPOSITION 2 MAXRESULTS 1", ["HR-T3"]),
    ("WHERE MetaData.CreateTime > '2010-12-01T00:00:00-08:00' ORDERBY Id", ["HR-T1", "HR-T2", "HR-T3"]),
    ("", ["HR-T3", "HR-T2", "HR-T1"]),
    ("WHERE DocNumber = 'HR-T9'", []),
]


@pytest.mark.parametrize(("clause", "found"), FOUND)
def test_a_query_finds(three: QuickBooksServer, clause: str, found: list[str]) -> None:
    assert numbers(three, clause) == found


def test_an_answer_says_where_it_starts_and_how_many_rows_it_has(three: QuickBooksServer) -> None:
    response = three.query("SELECT * FROM JournalEntry STARTPOSITION 2 MAXRESULTS 5").json()["QueryResponse"]
    assert (response["startPosition"], response["maxResults"], len(response["JournalEntry"])) == (2, 2, 2)


def test_no_rows_give_an_empty_response_and_a_count_gives_a_number(three: QuickBooksServer) -> None:
    assert three.query("SELECT * FROM JournalEntry WHERE Id = '9'").json()["QueryResponse"] == {}
    assert three.query("SELECT COUNT(*) FROM JournalEntry").json()["QueryResponse"] == {"totalCount": 3}


def test_a_statement_may_be_posted_as_text(three: QuickBooksServer) -> None:
    text = {"Content-Type": "application/text"}
    answer = three.call("POST", "query", data="SELECT COUNT(*) FROM JournalEntry", headers=text)
    assert answer.json()["QueryResponse"] == {"totalCount": 3}


def test_quotes_and_backslashes_are_escaped_with_a_backslash(quickbooks: QuickBooksServer) -> None:
    quickbooks.post(entry("O'B\\1"))
    assert quickbooks.rows(r"SELECT * FROM JournalEntry WHERE DocNumber = 'O\'B\\1'")
    assert error_of(quickbooks.query("SELECT * FROM JournalEntry WHERE DocNumber = 'O'B'"))["code"] == "4000"


REFUSED = [
    (
        "SELECT * FROM Purchase WHERE NoSuchField = '1'",
        "4001",
        "QueryValidationError: Entity Purchase not found",
    ),
    (
        "SELECT * FROM Account WHERE NoSuchField = '1'",
        "4001",
        "QueryValidationError: Property NoSuchField not found for Entity Account",
    ),
    (
        "SELECT * FROM JournalEntry WHERE PrivateNote = 'x'",
        "4001",
        "QueryValidationError: property 'PrivateNote' is not queryable",
    ),
    (
        "SELECT * FROM Account STARTPOSITION 0",
        "4001",
        "QueryValidationError: value 0 is too small. Min allowed value is 1",
    ),
    (
        "SELECT * FROM Account MAXRESULTS 1001",
        "4001",
        "QueryValidationError: value 1001 is too large. Max allowed value is 1000",
    ),
    (
        "SELECT * FROM JournalEntry  TxnDate",
        "4000",
        'QueryParserError: Encountered " <IDENTIFIER> "TxnDate "" at line 1, column 29.',
    ),
]


@pytest.mark.parametrize(("statement", "code", "detail"), REFUSED)
def test_a_query_is_refused(quickbooks: QuickBooksServer, statement: str, code: str, detail: str) -> None:
    answer = quickbooks.query(statement)
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["Detail"]) == (400, code, detail)
    assert error["Message"] == ("Error parsing query" if code == "4000" else "Invalid query")
    assert error.keys() == {"Message", "Detail", "code"}


@pytest.mark.parametrize(
    "clause", ["WHERE Id = '1' OR Id = '2'", "WHERE (Id = '1')", "GROUP BY Id", "WHERE Id != '1'", "WHERE Id"]
)
def test_what_the_language_does_not_have_is_a_parser_error(quickbooks: QuickBooksServer, clause: str) -> None:
    assert error_of(quickbooks.query(f"SELECT * FROM Account {clause}"))["code"] == "4000"


def test_a_page_has_a_hundred_rows_unless_asked_for_more(quickbooks: QuickBooksServer) -> None:
    assert len(quickbooks.rows("SELECT * FROM Account")) == 100
    assert len(quickbooks.rows("SELECT * FROM Account MAXRESULTS 1000")) > 100


def test_a_lagging_query_does_not_see_what_is_young(three: QuickBooksServer) -> None:
    three.faults.set({"quickbooks.lagging_query": {"times": 1, "seconds": 2}})
    assert numbers(three, "WHERE DocNumber = 'HR-T1'") == []
    assert numbers(three, "WHERE DocNumber = 'HR-T1'") == ["HR-T1"]
