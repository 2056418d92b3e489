"""The house's own rules, read from its files: no float near money, no side doors, names that say something."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.sandbox_fixture import ROOT

ROOMS = ("config", "integrations", "mappings", "ledger", "sandbox")
MONEY_ROOMS = ("ledger", "mappings", "integrations")
NAMELESS = {"utils", "helpers", "common", "misc", "manager", "handler", "util", "helper"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
SECONDS = re.compile(r"second|wait|pause|retry|header|timeout|monotonic|deadline|budget|settle", re.IGNORECASE)
"""What a line says that means time when it makes a float."""


def modules(*rooms: str) -> list[Path]:
    found = (path for room in rooms for path in (ROOT / room).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=named(path))


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called == name:
                yield node


def broken(rule: Callable[[Path], Iterable[object]], *rooms: str) -> list[str]:
    """Where a rule is broken: the modules, each with what is wrong in it."""
    return [f"{named(path)}: {what}" for path in modules(*rooms) for what in rule(path)]


def test_no_float_is_made_but_of_seconds() -> None:
    def floats(path: Path) -> Iterator[str]:
        lines = path.read_text().splitlines()
        made = (lines[call.lineno - 1].strip() for call in calls(path, "float"))
        yield from (line for line in made if not SECONDS.search(line))

    assert broken(floats, *MONEY_ROOMS) == []


def test_no_column_and_no_field_of_a_form_is_a_float() -> None:
    assert broken(lambda path: [call.lineno for call in calls(path, "FloatField")], *MONEY_ROOMS) == []


def test_vendors_numbers_are_read_as_decimals() -> None:
    """`json.loads` of what a vendor sent; our own JSON holds amounts as text, a token holds none."""

    def read_as_float(path: Path) -> Iterator[int]:
        if path.parent.name in {"quickbooks", "heartland_retail"} or path.name == "http.py":
            for call in calls(path, "loads"):
                if path.name != "oauth.py" and "parse_float" not in {keyword.arg for keyword in call.keywords}:
                    yield call.lineno

    assert broken(read_as_float, "integrations") == []


def test_every_module_says_what_lives_in_it() -> None:
    assert broken(lambda path: [] if (ast.get_docstring(tree(path)) or "").strip() else ["says nothing"], *ROOMS) == []


def test_every_module_has_found_its_name() -> None:
    assert broken(lambda path: NAMELESS & set(path.stem.split("_")), *ROOMS) == []


def test_files_are_short() -> None:
    assert broken(lambda path: [n for n in [path.read_text().count("\n")] if n > LONGEST_FILE], *ROOMS) == []


def test_functions_are_short() -> None:
    def long(path: Path) -> Iterator[str]:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION:
                yield node.name

    assert broken(long, *ROOMS) == []


def test_only_the_table_of_vendors_asks_which_vendor_it_is() -> None:
    def asks(path: Path) -> Iterator[str]:
        compared = (ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Compare))
        if path.name != "vendors.py":
            yield from (text for text in compared if re.search(r"\bvendor (==|!=)|[=!]= [\w.]*\bvendor$", text))

    found = broken(asks, "config", "integrations", "mappings", "ledger")
    assert [one for one in found if not re.search("'(postgresql|sqlite)'", one)] == []


def test_unfold_is_known_to_one_module_alone() -> None:
    def imported(path: Path) -> Iterator[str]:
        for node in ast.walk(tree(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from (name for name in names if name.split(".")[0] == "unfold")

    assert [one for one in broken(imported, *ROOMS) if not one.startswith("ledger/admin/base.py")] == []


def test_no_error_is_swallowed_unseen() -> None:
    def broad(path: Path) -> Iterator[int]:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                if caught in {"everything", "Exception", "BaseException"}:
                    yield node.lineno

    assert broken(broad, *MONEY_ROOMS) == []


def test_a_lock_does_not_stand_in_the_way_of_foreign_keys() -> None:
    """FOR UPDATE blocks the check of every row that points here, until the commit: two such wait for each other."""

    def bare(path: Path) -> Iterator[int]:
        for call in calls(path, "select_for_update"):
            if "no_key" not in {keyword.arg for keyword in call.keywords}:
                yield call.lineno

    assert broken(bare, "ledger") == []


def templates() -> list[Path]:
    found = (path for folder in ("templates", *ROOMS) for path in (ROOT / folder).rglob("*.html"))
    return sorted(path for path in found if "sandbox" not in path.parts)


OVERRIDES = {"admin/index.html", "admin/login.html", "admin/base_site.html", "admin/base.html"}
"""Templates that Django or unfold look for by themselves."""


def test_every_template_is_used() -> None:
    texts = {path: path.read_text() for path in (*modules(*ROOMS), *templates())}
    orphans = []
    for path in templates():
        name = named(path).split("templates/", 1)[1]
        used = any(name in text for other, text in texts.items() if other != path)
        if not used and name not in OVERRIDES and not _is_an_override(name):
            orphans.append(name)
    assert orphans == []


def _is_an_override(name: str) -> bool:
    shipped = (find_spec(package) for package in ("django.contrib.admin", "unfold", "import_export"))
    folders = (Path(spec.origin).parent for spec in shipped if spec and spec.origin)
    return any((folder / "templates" / name).exists() for folder in folders)


def test_the_files_speak_of_the_project_only() -> None:
    texts = [path.read_text() for path in (*modules(*ROOMS), *(ROOT / "docs").rglob("*.md"))]
    assert not [text[:80] for text in texts if re.search(r"TODO|FIXME|XXX", text)]
