"""The forms of a person and of a role: only what the one who fills them in can hand on is offered."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db.models import Case, QuerySet, Value, When

from config.groups import TABLE
from config.people import membership
from integrations.models import SignInPolicy
from ledger.admin.scoping import ADMINISTRATOR, STORE_MANAGER
from ledger.models import Store

CUSTOM = "custom"
LONGEST_IDLE = 12 * 60
"""A session never lasts longer, so a longer pause would promise what does not come."""


def ticks() -> forms.CheckboxSelectMultiple:
    return forms.CheckboxSelectMultiple()


class PermissionsField(forms.ModelMultipleChoiceField):
    """Permissions in the words of the page of a role."""

    def label_from_instance(self, obj: Any) -> str:
        thing, what = membership.in_words(obj)
        return f"{thing[:1].upper()}{thing[1:]}: {what}"


def chosen_first(rows: QuerySet[Any], chosen: Iterable[int], *order: str) -> QuerySet[Any]:
    """What is ticked stands on top, so that nobody looks for it in a list of two hundred."""
    first = Case(When(pk__in=list(chosen), then=Value(0)), default=Value(1))
    return rows.order_by(first, *order)


class PersonForm(forms.ModelForm):
    """Name, e-mail, role, stores, active. One's own role, stores and being active are somebody else's to change."""

    role = forms.ChoiceField(required=False, label="Role")
    stores = forms.ModelMultipleChoiceField(queryset=Store.objects.none(), required=False, widget=ticks())

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "is_active"]
        labels = {"username": "User name", "email": "E-mail", "is_active": "Active"}
        help_texts = {
            "username": "What is typed to sign in: letters, digits and @ . + - _",
            "email": "Alerts go there.",
            "is_active": "Without it, signing in is refused; everything this person did stays on record.",
        }

    def __init__(self, person: User, *, actor: User, data: Mapping[str, Any] | None = None) -> None:
        self.actor, self.groups = actor, list(person.groups.all()) if person.pk else []
        managed = list(person.stores.values_list("pk", flat=True)) if person.pk else []
        initial = {"role": self._role_now(), "stores": managed}
        super().__init__(data, instance=person, initial=initial)
        self.fields["role"].choices = self._roles()  # type: ignore[attr-defined]
        rows = chosen_first(Store.objects.all(), managed, "name")
        self.fields["stores"].queryset = rows  # type: ignore[attr-defined]
        if person.pk is None:
            del self.fields["is_active"]  # A new person is.
        self.is_own = person.pk == actor.pk
        if self.is_own:
            for name in ("role", "stores", "is_active"):
                self.fields[name].disabled = True

    def _role_now(self) -> str:
        return str(self.groups[0].pk) if len(self.groups) == 1 else CUSTOM if self.groups else ""

    def _roles(self) -> list[tuple[str, str]]:
        held = membership.permissions_of(self.actor)
        given = [group for group in membership.in_order() if membership.may_give(self.actor, group, held=held)]
        roles = [("", "No role"), *((str(group.pk), group.name) for group in given)]
        return [*roles, (CUSTOM, "Custom")] if self._offers_custom() else roles

    def _offers_custom(self) -> bool:
        """What somebody has of several roles stays as it is, unless one of them is chosen."""
        return len(self.groups) > 1

    def groups_after(self) -> list[Group]:
        role = self.cleaned_data["role"]
        if role == CUSTOM:
            return self.groups
        return [Group.objects.get(pk=role)] if role else []

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.is_own or "role" not in cleaned or "stores" not in cleaned or self._is_superuser(cleaned):
            return cleaned
        roles, stores = {group.name for group in self.groups_after()}, cleaned["stores"]
        if stores and ADMINISTRATOR in roles:
            self.add_error("stores", ADMINISTRATOR_OF_STORES)
        if not stores and STORE_MANAGER in roles and Store.objects.exists():
            self.add_error("stores", no_store(self.instance.get_full_name() or cleaned.get("username", "")))
        return cleaned

    def _is_superuser(self, cleaned: dict[str, Any]) -> bool:
        return self.instance.is_superuser

    def write(self) -> None:
        """Into the database; the caller holds the transaction and audits it."""
        person: User = self.save(commit=False)
        person.is_staff = True
        person.save()
        person.groups.set(self.groups_after())
        person.stores.set(self.cleaned_data["stores"])


ADMINISTRATOR_OF_STORES = (
    "An Administrator manages no stores: whoever does sees these stores only. Take the stores away, or choose "
    "another role."
)


def no_store(name: str) -> str:
    """Why nobody is a store manager of nothing."""
    return f"Choose at least one store: without one {name or 'a store manager'} sees nothing."


class SuperuserForm(PersonForm):
    """The same for a superuser, who also sees what lies beneath: several roles and single permissions."""

    is_superuser = forms.BooleanField(
        required=False, label="Superuser", help_text="May do everything, whatever the role. Keep it for emergencies."
    )
    all_roles = forms.ModelMultipleChoiceField(queryset=Group.objects.none(), required=False, widget=ticks())
    permissions = PermissionsField(Permission.objects.none(), required=False, widget=ticks())

    def __init__(self, person: User, *, actor: User, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(person, actor=actor, data=data)
        own = list(person.user_permissions.values_list("pk", flat=True)) if person.pk else []
        shown = {
            "is_superuser": person.is_superuser,
            "all_roles": [group.pk for group in self.groups],
            "permissions": own,
        }
        self.initial.update(shown)
        rows = Permission.objects.select_related("content_type")
        by_name = chosen_first(rows, own, "content_type__app_label", "codename")
        self.fields["all_roles"].queryset = Group.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["permissions"].queryset = by_name  # type: ignore[attr-defined]
        self.fields["is_superuser"].disabled = self.is_own

    def _offers_custom(self) -> bool:
        return True

    def groups_after(self) -> list[Group]:
        if self.cleaned_data["role"] == CUSTOM and not self.is_own:
            return list(self.cleaned_data["all_roles"])
        return super().groups_after()

    def _is_superuser(self, cleaned: dict[str, Any]) -> bool:
        return bool(cleaned.get("is_superuser"))

    def write(self) -> None:
        self.instance.is_superuser = self.cleaned_data["is_superuser"]
        super().write()
        self.instance.user_permissions.set(self.cleaned_data["permissions"])


def person_form(person: User, *, actor: User, data: Mapping[str, Any] | None = None) -> PersonForm:
    """The form of a person for the one who fills it in."""
    form = SuperuserForm if actor.is_superuser else PersonForm
    return form(person, actor=actor, data=data)


class GroupForm(forms.ModelForm):
    """A role: its name and permissions if it is not one of ours, and what it demands at sign-in.

    What one's own role demands is for a superuser to change, or for somebody who has another one: a stolen session
    would else begin by taking the second factor out of its way.
    """

    second_factor = SignInPolicy._meta.get_field("second_factor").formfield()
    idle_minutes = forms.IntegerField(
        label="Sign out after minutes without a click",
        required=False,
        min_value=5,
        max_value=LONGEST_IDLE,
        help_text="Empty: the setting of this installation. A page that only stands open does not count as clicking.",
    )

    class Meta:
        model = Group
        fields = ["name", "permissions"]
        field_classes = {"permissions": PermissionsField}
        widgets = {"permissions": ticks()}
        help_texts = {"permissions": ""}

    def __init__(self, group: Group, *, actor: User, data: Mapping[str, Any] | None = None) -> None:
        policy = SignInPolicy.objects.filter(group=group).first() if group.pk else None
        initial = {"second_factor": policy and policy.second_factor, "idle_minutes": policy and policy.idle_minutes}
        super().__init__(data, instance=group, initial=initial)
        self.is_held = bool(group.pk) and not actor.is_superuser and actor.groups.filter(pk=group.pk).exists()
        if self.is_held:
            for name in ("second_factor", "idle_minutes"):
                self.fields[name].disabled = True
        if membership.is_ours(group):
            del self.fields["name"], self.fields["permissions"]
            return
        held = list(group.permissions.values_list("pk", flat=True)) if group.pk else []
        rows = chosen_first(membership.may_be_given(actor), held, "content_type__app_label", "codename")
        self.fields["permissions"].queryset = rows  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if not name:
            raise ValidationError("Give the role a name.")
        if name.casefold() in {ours.casefold() for ours in TABLE}:
            raise ValidationError("This name belongs to a role that comes with Daybook. Choose another one.")
        return name

    def write(self) -> None:
        """Into the database; the caller holds the transaction and audits it."""
        group = self.save()
        values = {name: self.cleaned_data[name] for name in ("second_factor", "idle_minutes")}
        SignInPolicy.objects.update_or_create(group=group, defaults=values)
