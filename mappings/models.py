"""The mapping table: role and dimensions to an account of a book."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.models import Account, Book, Store
from ledger.terms import ROLES, Dimension, Role

SELECTORS = tuple(dimension for dimension in Dimension if dimension is not Dimension.STORE)
"""The dimensions that are columns of text; the store is a key of its own."""


class Mapping(models.Model):
    """One row: lines of this role with these dimensions go to this account. An empty selector matches every value."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="mappings")
    role = models.CharField(max_length=30, choices=[(role.value, needs.label) for role, needs in ROLES.items()])
    tender = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=100, blank=True)
    tax_jurisdiction = models.CharField(max_length=100, blank=True)
    item_class = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=100, blank=True)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mappings")

    class Meta:
        ordering = ["role", *[d.value for d in SELECTORS], "store"]
        constraints = [
            models.UniqueConstraint(
                fields=["book", "role", *[d.value for d in SELECTORS], "store"],
                name="one_mapping_per_selectors",
            ),
            models.UniqueConstraint(
                fields=["book", "role", *[d.value for d in SELECTORS]],
                condition=Q(store=None),
                name="one_mapping_per_selectors_any_store",
            ),
        ]

    def __str__(self) -> str:
        selectors = ", ".join(f"{dimension} {code}" for dimension, code in self.selectors().items())
        return f"{ROLES[Role(self.role)].label} ({selectors})" if selectors else ROLES[Role(self.role)].label

    def selectors(self) -> dict[Dimension, str]:
        """What this row is narrowed to; the store by its primary key."""
        chosen: dict[Dimension, str] = {dimension: getattr(self, dimension.value) for dimension in SELECTORS}
        chosen[Dimension.STORE] = str(self.store_id or "")
        return {dimension: code for dimension, code in chosen.items() if code}

    def further(self) -> list[Dimension]:
        """What it is narrowed to besides a store and the dimension that its role is told apart by."""
        own = (ROLES[Role(self.role)].required, Dimension.STORE)
        return [dimension for dimension in self.selectors() if dimension not in own]


class MappingTemplate(models.Model):
    """A mapping under a name, to be applied to other books: the rows of an export file, kept here."""

    name = models.CharField(max_length=100, unique=True)
    rows = models.JSONField(help_text="The lines of the file, each by the headings of its columns.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DayUse(models.Model):
    """What the events of one book and business date bear, whatever their state: events and money by role and value.

    `events` and `revisions` are what was counted: a day is counted again when it has others. `mappings.use` keeps it.
    """

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="+", db_index=False)
    business_date = models.DateField()
    events = models.PositiveIntegerField()
    revisions = models.PositiveBigIntegerField(help_text="The sum of the latest revisions of these events.")
    found = models.JSONField(help_text="By role and value the number of events, and debits less credits as text.")
    counted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["book", "business_date"], name="one_use_per_day")]

    def __str__(self) -> str:
        return f"{self.book}, {self.business_date}: {self.events} events"
