"""Stores in the admin: their managers and when their day begins. Names and time zones come from the source."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from ledger.admin.base import ModelAdmin, OwnStoresOnly
from ledger.admin.scoping import ADMINISTRATOR, STORE_MANAGER, is_store_manager
from ledger.audit import note
from ledger.models import Store


class StoreForm(ModelForm):
    def clean_managers(self) -> QuerySet[User]:
        """A manager of stores sees these only, so an Administrator who became one could not undo it."""
        chosen: QuerySet[User] = self.cleaned_data["managers"]
        administrator = chosen.filter(groups__name=ADMINISTRATOR, is_superuser=False).first()
        if administrator:
            raise ValidationError(
                f"{administrator} is an {ADMINISTRATOR}, and a manager of stores sees these stores only. Give "
                "another role first."
            )
        if left := _without_a_store(self.instance, chosen):
            raise ValidationError(
                f"{left} would manage no store, and so see nothing. Give another store or another role first, or "
                "switch them off."
            )
        return chosen


def _without_a_store(store: Store, chosen: QuerySet[User]) -> User | None:
    """The first store manager who would have lost the last store."""
    managers = User.objects.filter(stores=store, groups__name=STORE_MANAGER, is_active=True, is_superuser=False)
    elsewhere = Store.objects.exclude(pk=store.pk).filter(managers=OuterRef("pk"))
    return managers.exclude(pk__in=chosen).exclude(Exists(elsewhere)).first()


@admin.register(Store)
class StoreAdmin(OwnStoresOnly, ModelAdmin):
    """Stores are found by a connection's Test, so nobody adds or deletes one here."""

    form = StoreForm
    store_field = "pk"
    list_display = ["name", "source", "time_zone", "day_start", "active"]
    list_select_related = ["source"]
    fields = ["name", "source", "external_id", "time_zone", "active", "day_start", "managers"]
    readonly_fields = ["name", "source", "external_id", "time_zone", "active"]
    autocomplete_fields = ["managers"]
    search_fields = ["name__istartswith"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A manager cannot make others managers, nor move the day's beginning, which decides business dates."""
        return not is_store_manager(request.user) and super().has_change_permission(request, obj)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        """Both what changed and who manages the store stand in the audit."""
        with transaction.atomic():
            before = {name: str(form.initial.get(name, "")) for name in form.changed_data}
            super().save_related(request, form, formsets, change)
            after = {name: str(form.cleaned_data[name]) for name in form.changed_data}
            if "managers" in after:
                before["managers"] = ", ".join(str(user) for user in form.initial["managers"])
                after["managers"] = ", ".join(str(user) for user in form.cleaned_data["managers"])
            if form.changed_data:
                note(request.user, "changed a store", form.instance, before=before, after=after)
