"""The values that dimensions take at a source, with their names: what there is to be mapped."""

from collections.abc import Iterable

from ledger.journal.readings import Reading
from ledger.models import DimensionValue, Source
from ledger.terms import Dimension
from ledger.values import DimensionName, EventFacts


def name_values(source: Source, names: Iterable[DimensionName], *, rename: bool) -> None:
    """Keep the values of dimensions with their names; `rename` overwrites names that are known already."""
    rows = [
        DimensionValue(source=source, dimension=n.dimension, code=n.code, name=n.name, active=n.active)
        for n in names
        if n.code
    ]
    if rename:
        unique, renewed = ["source", "dimension", "code"], ["name", "active"]
        DimensionValue.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=renewed)
    else:
        DimensionValue.objects.bulk_create(rows, ignore_conflicts=True)


def placeholder(dimension: Dimension, code: str) -> str:
    """What a value is called until the source tells its name."""
    return f"{dimension.replace('_', ' ')} {code}"


def has_unnamed(source: Source) -> bool:
    """Whether a value still bears its placeholder: the source should be asked again."""
    values = DimensionValue.objects.filter(source=source)
    return any(value.name == placeholder(Dimension(value.dimension), value.code) for value in values)


def seen(readings: Iterable[Reading]) -> list[DimensionName]:
    """Every tender, class and jurisdiction that the documents bear, named by its code until a name is known."""
    found: dict[tuple[Dimension, str], DimensionName] = {}
    for reading in readings:
        if reading.facts:
            for dimension, code in _codes(reading.facts):
                found[dimension, code] = DimensionName(dimension, code, placeholder(dimension, code))
    return list(found.values())


def _codes(facts: EventFacts) -> Iterable[tuple[Dimension, str]]:
    yield from ((Dimension.TENDER, tender.tender) for tender in facts.tenders)
    yield from ((Dimension.ITEM_CLASS, item.item_class) for item in facts.items)
    yield from ((Dimension.TAX_JURISDICTION, tax.jurisdiction) for tax in facts.taxes)
