"""What a vendor's folder may know of our code, as a list of what is allowed: new modules are covered."""

import grimp
import pytest

ROOMS = ("config", "integrations", "mappings", "ledger", "sandbox")
SHARED = {f"ledger.{name}" for name in ("values", "ports", "terms", "errors", "money", "masking")} | {"ledger"}
NOT_VENDORS = {"admin_views", "api", "management", "migrations", "models"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, cache_dir=None)


def vendors(graph: grimp.ImportGraph) -> list[str]:
    """Every package under integrations that is neither the admin's nor Django's."""
    children = graph.find_children("integrations")
    return sorted(child for child in children if graph.find_children(child) and child.split(".")[1] not in NOT_VENDORS)


def imported_by(package: str, *, graph: grimp.ImportGraph) -> set[str]:
    inside = {package} | graph.find_descendants(package)
    found = {name for module in inside for name in graph.find_modules_directly_imported_by(module)}
    return found - inside


def test_there_are_vendors(graph: grimp.ImportGraph) -> None:
    assert {"integrations.heartland_retail", "integrations.quickbooks"} <= set(vendors(graph))


def test_a_vendor_knows_the_ledgers_values_and_our_http_and_nothing_else(graph: grimp.ImportGraph) -> None:
    for vendor in vendors(graph):
        assert imported_by(vendor, graph=graph) <= SHARED | {"integrations.http", "integrations"}, vendor


def test_our_http_knows_no_model(graph: grimp.ImportGraph) -> None:
    assert imported_by("integrations.http", graph=graph) <= SHARED


def test_the_rules_see_the_pure_part_only(graph: grimp.ImportGraph) -> None:
    pure = SHARED | {"ledger.entries", "ledger.reconcile", "ledger.facts"}
    assert imported_by("ledger.rules", graph=graph) <= pure
