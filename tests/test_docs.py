"""The papers say what is true: links lead somewhere, named tests exist, tables agree with the code."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from config import checks
from integrations import vendors
from ledger.errors import DaybookError, Flaw
from ledger.terms import DEFAULT_CLASS, ROLES, RoleNeeds
from ledger.values import Capabilities

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAPERS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "sandbox").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
NAMED_FILE = re.compile(
    r"`((?:config|integrations|mappings|ledger|sandbox|tests|docs|bin|static|templates)/[\w./-]*\w\.(?:py|md|json|css|csv|svg))`"
)
SAID = {True: "yes", False: "no"}


def plain(text: str) -> str:
    """A paper without its code blocks, in which brackets are no links."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def rows(paper: str, *, heading: str = "") -> Iterator[list[str]]:
    """The cells of every table row below a heading, up to the next heading of any level."""
    text = (DOCS / paper).read_text()
    part = text.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0] if heading else text
    for line in part.splitlines():
        if line.startswith("|") and not set(line) <= set("|- "):
            yield [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def anchors(paper: Path) -> set[str]:
    """The names under which the headings of a paper can be linked to."""
    titles = re.findall(r"^#+ (.+)$", plain(paper.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(paper: Path) -> None:
    for link in LINK.findall(plain(paper.read_text())):
        target, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        found = (paper.parent / target).resolve() if target else paper
        assert found.exists() and found.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(found), link


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_file_that_a_paper_names_exists(paper: Path) -> None:
    missing = [name for name in NAMED_FILE.findall(paper.read_text()) if not (ROOT / name).exists()]
    assert missing == []


def test_every_test_that_a_paper_names_exists() -> None:
    named = {found for paper in PAPERS for found in NAMED_TEST.findall(paper.read_text())}
    assert named
    assert [f"{path}::{name}" for path, name in sorted(named) if name not in names_in(path)] == []


def test_every_promise_that_works_names_what_shows_it() -> None:
    promises = [cells for cells in rows("features.md") if re.fullmatch(r"[A-Z]-\d+", cells[0])]
    numbers = [cells[0] for cells in promises]
    assert len(set(numbers)) == len(numbers) and {f"A-{n:02}" for n in range(1, 36)} < set(numbers)
    unproved = [
        number
        for number, _, proof in promises
        if proof != "not yet" and not NAMED_TEST.search(proof) and "bin/demo" not in proof
    ]
    assert unproved == []


def test_the_first_commands_of_the_readme_are_the_two() -> None:
    block = re.findall(r"^```\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)[0]
    assert [line.split()[0] for line in block.splitlines()] == ["bin/demo", "bin/test"]


def test_the_glossary_has_the_roles_as_they_are() -> None:
    told = {cells[0]: cells[1:] for cells in rows("glossary.md", heading="## Roles") if cells[0] in ROLES}
    assert told == {role.value: [needs.label, by(needs), stands_in(needs)] for role, needs in ROLES.items()}


def by(needs: RoleNeeds) -> str:
    return needs.required.replace("_", " ") if needs.required else "-"


def stands_in(needs: RoleNeeds) -> str:
    if needs.falls_back_to:
        return needs.falls_back_to.value
    if needs.default_class:
        return f"the {DEFAULT_CLASS} class"
    return "one default" if needs.one_default else "-"


def test_the_table_of_vendors_agrees_with_their_capabilities() -> None:
    header, *body = rows("vendors.md")
    told = {label: {line[0]: line[place] for line in body} for place, label in enumerate(header) if label}
    known = {name: vendor.capabilities for name, vendor in vendors.VENDORS.items() if vendor.capabilities}
    assert told.keys() == {capabilities.label for capabilities in known.values()}
    for name, capabilities in known.items():
        values = list(told[capabilities.label].values())
        assert values == [name, *said(capabilities)]


def said(capabilities: Capabilities) -> list[str]:
    """Every value but name and notes, in the order in which they are declared."""
    values = [getattr(capabilities, field.name) for field in fields(capabilities)]
    return [SAID[value] if isinstance(value, bool) else str(value) for value in values[1:-1]]


def test_the_notes_of_each_vendor_stand_in_its_paper() -> None:
    text = (DOCS / "vendors.md").read_text()
    for vendor in vendors.VENDORS.values():
        for note in vendor.capabilities.notes if vendor.capabilities else ():
            assert f"- {note}\n" in text


def test_every_setting_of_the_environment_is_in_the_runbook_and_the_example() -> None:
    source = (ROOT / "config" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|required|environ\.get)\(\s*"([A-Z_]+)"', source))
    told = {cells[0] for cells in rows("runbook.md", heading="## Settings")} - {"name"}
    assert len(read) > 20 and told == read
    example = (ROOT / ".env.example").read_text()
    assert {name for name in read if name not in example} == {"DAYBOOK_ENV_FILE"}


def test_every_system_check_is_in_the_runbook() -> None:
    places = [Path(checks.__file__), *(ROOT / "ledger").glob("*.py"), *(ROOT / "integrations").glob("*.py")]
    known = {found for path in places for found in re.findall(r'id="(daybook\.[EW]\d+)"', path.read_text())}
    assert {cells[0] for cells in rows("runbook.md", heading="## System checks")} - {"id"} == known


def test_every_error_is_explained_in_the_house() -> None:
    told = {cells[0].split("`")[0] for cells in rows("house.md", heading="## 4. Errors: one tree")} - {"error"}
    assert told == {error.__name__ for error in errors_of(DaybookError) if error.__module__.startswith("ledger.")}


def errors_of(parent: type[DaybookError]) -> Iterator[type[DaybookError]]:
    for child in parent.__subclasses__():
        yield child
        yield from errors_of(child)


def test_every_cause_of_an_error_is_in_the_runbook() -> None:
    text = (DOCS / "runbook.md").read_text()
    never_wait_for_a_person = {"unreachable", "rate_limited", "token_refused", "refused"}
    codes = {error.code for error in errors_of(DaybookError) if error.__module__.startswith("ledger.")}
    assert [code for code in sorted(codes - never_wait_for_a_person) if not re.search(rf"`{code}[:`]", text)] == []


def test_every_alert_that_is_no_events_error_is_in_the_runbook() -> None:
    source = (ROOT / "integrations" / "alerts.py").read_text()
    causes = {cause.lower() for cause in re.findall(r'\{"?(\w+)"?: Problem\(', source)}  # constants are named so too
    text = (DOCS / "runbook.md").read_text()
    assert len(causes) >= 5 and {cause for cause in causes if f"| `{cause}`" not in text} == set()


def test_every_flaw_of_a_document_is_in_the_runbook() -> None:
    text = (DOCS / "runbook.md").read_text()
    assert [flaw.cause for flaw in Flaw if f"| `{flaw.cause}`" not in text] == []


def test_every_command_for_operators_is_in_the_runbook() -> None:
    commands = {path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")}
    text = (DOCS / "runbook.md").read_text()
    assert commands and {command for command in commands if f"manage.py {command}" not in text} == set()


def test_the_shares_of_the_time_to_settle_are_as_they_are_written() -> None:
    shares = re.findall(r"settle\(connection\)(?:\.total_seconds\(\))? \* (0\.\d+)", inspect.getsource(vendors))
    text = (DOCS / "decisions" / "0012-one-time-to-settle.md").read_text()
    assert re.findall(r"(\d+) %", text) == [f"{float(share):.0%}"[:-1] for share in shares]


def test_decisions_are_short_listed_and_numbered_without_a_gap() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    listed = LINK.findall((DOCS / "decisions" / "README.md").read_text())
    assert [record.name for record in records] == listed
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    lengths = {record.name: len(record.read_text().splitlines()) for record in records}
    assert {name for name, lines in lengths.items() if not 10 <= lines <= 30} == set()


def test_no_paper_names_a_folder_of_one_machine() -> None:
    own = re.compile(r"(?<![\w.])/(?:home|root|work|Users|tmp)/")
    assert [str(paper) for paper in PAPERS if own.search(paper.read_text())] == []
