"""The forms of the integration pages: keys, address and limits of a connection, a range of dates, days, feeds."""

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from integrations import vendors
from integrations.models import Connection
from integrations.models.connections import LIMITS
from ledger.errors import DaybookError
from ledger.models import Book, Store

ISSUED = {"access_token", "refresh_token"}
"""Credentials that Connect brings; nobody types them in."""


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


_NO_LIMIT = "Empty: no limit, the vendor states none."


def _limit(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=100_000)


class KeysForm(forms.Form):
    """A connection's address and the keys that its vendor asks for. A stored secret is never shown again."""

    base_url = forms.URLField(
        label="Address",
        required=False,
        max_length=300,
        assume_scheme="https",
        help_text="Empty: the vendor's own address.",
    )
    settle_seconds = forms.IntegerField(
        label="Seconds to settle",
        required=False,
        min_value=1,
        max_value=3600,
        help_text="How long the other system may go on working on a request whose answer was lost. "
        "Empty: the vendor's documented value.",
    )

    def __init__(self, connection: Connection, data: Mapping[str, Any] | None = None) -> None:
        self.connection = connection
        initial = {"base_url": connection.base_url, "settle_seconds": connection.settle_seconds}
        super().__init__(data, initial=initial)
        if connection.book_id is None:  # Nothing is written to a till, so nothing has to settle there.
            del self.fields["settle_seconds"]
        for key in fields(vendors.VENDORS[connection.vendor].credentials):
            if key.name not in ISSUED:
                self.fields[key.name] = _key_field(key, stored=connection.credentials.get(key.name, ""))

    def keys(self) -> dict[str, str]:
        """What was typed in, by the name of the credential."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"base_url", "settle_seconds"}}

    def clean_settle_seconds(self) -> int | None:
        """Shorter than the vendor may go on working, an entry could be sent twice."""
        seconds: int | None = self.cleaned_data["settle_seconds"]
        least = vendors.shortest_settle(self.connection.vendor)
        if seconds is None or seconds >= least or settings.ALLOW_LOOPBACK_VENDORS:
            return seconds
        label = vendors.VENDORS[self.connection.vendor].label
        raise ValidationError(
            f"{label} may work on a request for so long that {least} seconds are the least; with fewer an entry "
            "could be posted twice. Leave it empty, or give a larger number."
        )

    def clean_base_url(self) -> str:
        """The address must be one of the vendor's: the keys are sent there."""
        address = str(self.cleaned_data["base_url"]).rstrip("/")
        probe = Connection(vendor=self.connection.vendor, base_url=address)
        try:
            vendors.base_url(probe)
        except DaybookError as refused:
            raise ValidationError(refused.sentence) from None
        return address


def _key_field(key: "Field[Any]", *, stored: str) -> forms.CharField:
    secret = bool(key.metadata.get("secret"))
    hint = key.metadata.get("help", "")
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    widget = forms.PasswordInput(attrs=attrs) if secret else forms.TextInput(attrs=attrs)
    if secret and stored:
        hint = f"Stored. Leave it empty to keep it. {hint}"
    label = key.metadata.get("label", key.name)
    return forms.CharField(
        label=label,
        required=False,
        max_length=2000,
        widget=widget,
        help_text=hint,
        initial="" if secret else stored,
    )


class LimitsForm(forms.Form):
    """How much a connection may ask of its vendor; each empty field stands for the vendor's own number."""

    requests_per_minute = _limit("Requests a minute")
    requests_per_second = _limit("Requests a second")
    in_flight = _limit("Calls under way at once")
    batches_per_minute = _limit("Batches a minute")
    items_per_batch = _limit("Entries in a batch")

    def __init__(self, connection: Connection, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={name: getattr(connection, name) for name in LIMITS}, auto_id="limit_%s")
        self.vendor = vendors.VENDORS[connection.vendor]
        if connection.book_id is None:  # Nothing is written to a till, so nothing goes in batches.
            del self.fields["batches_per_minute"], self.fields["items_per_batch"]
        for name, field in self.fields.items():
            number = getattr(self.vendor.limits, name)
            field.help_text = f"Empty: {number}, the limit of {self.vendor.label}." if number else _NO_LIMIT

    def clean_items_per_batch(self) -> int | None:
        """A larger batch would be refused as a whole."""
        items: int | None = self.cleaned_data["items_per_batch"]
        most = self.vendor.limits.items_per_batch
        if items and most and items > most:
            raise ValidationError(f"{self.vendor.label} refuses a batch of more than {most} entries.")
        return items


class PastForm(forms.Form):
    """The range of Sync Past Events: both dates, the first not after the last."""

    first = forms.DateField(
        label="Start date", widget=date_input(), error_messages={"required": "Choose a start date."}
    )
    last = forms.DateField(label="End date", widget=date_input(), error_messages={"required": "Choose an end date."})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            raise ValidationError(
                "The start date lies after the end date. Choose a start date on or before the end date."
            )
        return cleaned

    def sentence(self) -> str:
        """Every error in one line."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class SetAsideForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        error_messages={"required": "Say why this event is set aside; the reason stands in the audit."},
    )


class AdoptForm(forms.Form):
    """Which entry is adopted; of one that differs also that a person compared the two, and why it is the event's."""

    remote_id = forms.CharField(max_length=64)
    compared = forms.BooleanField(required=False)
    reason = forms.CharField(required=False, max_length=300)

    @property
    def says_why(self) -> bool:
        return bool(self.cleaned_data.get("compared") and self.cleaned_data.get("reason"))


class NewBookForm(forms.Form):
    """A book and its connection to an accounting system."""

    name = forms.CharField(label="Name of the book", max_length=200, help_text="For instance the company's name.")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if Book.objects.filter(name=name).exists():
            raise ValidationError("There is a book of that name already.")
        return name


class NewSourceForm(forms.Form):
    """A till and its connection. The code begins every number of its entries, so it never changes."""

    name = forms.CharField(label="Name", max_length=100, initial="Heartland Retail")
    code = forms.RegexField(
        label="Code",
        regex=r"^[A-Z]{2,3}$",
        initial="HR",
        help_text="Two or three capitals. They begin the number of every entry and cannot be changed later.",
        error_messages={"invalid": "Two or three capital letters, for instance HR."},
    )


class DayStartForm(forms.Form):
    """When the business day of each store begins, by its own clock."""

    def __init__(self, stores: list[Store], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.stores = stores
        for store in stores:
            self.fields[f"store-{store.pk}"] = forms.TimeField(
                label=f"Day start of {store.name}",
                initial=store.day_start,
                widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            )

    def changed(self) -> list[Store]:
        """The stores whose day was moved, with the new hour set."""
        moved = []
        for store in self.stores:
            hour = self.cleaned_data[f"store-{store.pk}"]
            if hour != store.day_start:
                store.day_start = hour
                moved.append(store)
        return moved


class FeedForm(forms.Form):
    """Which stores of a source feed a book."""

    NONE, ALL, SOME = "none", "all", "some"
    which = forms.ChoiceField(
        choices=[(NONE, "No store"), (ALL, "All stores, also those that open later"), (SOME, "These stores")],
        widget=forms.RadioSelect,
    )
    stores = forms.ModelMultipleChoiceField(
        queryset=Store.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *, stores: Any, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["stores"].queryset = stores  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("which") == self.SOME and not cleaned.get("stores"):
            raise ValidationError("Choose at least one store, or all stores.")
        return cleaned
