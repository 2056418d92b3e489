"""The list of users and the page of each: who they are, what they may do, how they sign in."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from config import devices, first_password
from config.people import deeds, membership
from config.people.forms import person_form
from config.second_factor_pages import myself
from integrations.models import AuthenticatorApp
from integrations.sign_in import policy_of, waiting_password
from ledger.admin.base import CompanyWide, ModelAdmin, OneOfTheList, page_context
from ledger.admin.scoping import STORE_MANAGER, own_stores
from ledger.errors import Refused
from ledger.moments import shown, zone_of_house

admin.site.unregister(User)

NAMED_STORES = 2
"""How many stores of a person are named in the list; of more there is the number."""


class RoleFilter(OneOfTheList):
    """People of one role."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(group.pk), group.name) for group in membership.in_order()]

    def of(self, rows: QuerySet[User], chosen: str) -> QuerySet[User]:
        return rows.filter(groups=int(chosen))


@admin.register(User)
class UserAdmin(CompanyWide, ModelAdmin):
    """Nobody is deleted: what they did names them. They are switched off."""

    list_display = ["username", "full_name", "role", "managed", "second_factor", "is_active"]
    list_filter = ["is_active", RoleFilter]
    search_fields = ["username", "first_name", "last_name", "email"]
    ordering = ["username"]
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": "Users"})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        zone = zone_of_house()

        @admin.display(description="last sign-in", ordering="last_login")
        def last_sign_in(person: User) -> str:
            return shown(person.last_login, zone) if person.last_login else "never"

        return [*self.list_display, last_sign_in]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request).prefetch_related("groups", "stores")
        app = AuthenticatorApp.objects.filter(user=OuterRef("pk"), confirmed=True)
        return rows.annotate(has_app=Exists(app))

    @admin.display(description="name")
    def full_name(self, person: User) -> str:
        return person.get_full_name() or "-"

    @admin.display(description="role")
    def role(self, person: User) -> str:
        return membership.role_of(person)

    @admin.display(description="stores")
    def managed(self, person: User) -> str:
        names = sorted(store.name for store in person.stores.all())
        if not names:
            return "none yet" if membership.role_of(person) == STORE_MANAGER else "all"
        return ", ".join(names) if len(names) <= NAMED_STORES else f"{len(names)} stores"

    @admin.display(description="second factor")
    def second_factor(self, person: User) -> str:
        return "set up" if getattr(person, "has_app", False) else "no"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        pressed = {
            "one-time-password": self.give_password,
            "reset-second-factor": self.reset_second_factor,
            "sign-out": self.sign_out,
            "unlock": self.unlock,
        }
        inside = self.admin_site.admin_view
        own = [
            path(f"<int:person_id>/{name}/", inside(require_POST(view)), name=f"auth_user_{name.replace('-', '_')}")
            for name, view in pressed.items()
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new person; the answer shows the one-time password."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        person = User()
        form = person_form(person, actor=myself(request), data=request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            password = deeds.create(person, form.write, actor=myself(request))
            return _password_page(request, person, password)
        context = page_context(request, title="Add a user", form=form, may_change=True)
        return _rendered(request, "admin/people/user.html", context, is_wrong=form.is_bound)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One person; what the reader may not change is read only."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        person = self.get_object(request, object_id)
        if person is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        actor, may_change = myself(request), self._may_change(request, person)
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        form = person_form(person, actor=actor, data=request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid() and _saved(request, person, form):
            return redirect("admin:auth_user_change", person.pk)
        now = User.objects.get(pk=person.pk)
        context = page_context(request, title=now.get_full_name() or now.username, form=form, person=now)
        context |= self._standing(now) | {"may_change": may_change, "is_own": now.pk == actor.pk}
        return _rendered(request, "admin/people/user.html", context, is_wrong=form.is_bound)

    def _may_change(self, request: HttpRequest, person: User) -> bool:
        return self.has_change_permission(request, person) and membership.may_manage(myself(request), person)

    @staticmethod
    def _standing(person: User) -> dict[str, Any]:
        """How somebody signs in, and what they may do, in words."""
        waiting = waiting_password(person)
        return {
            "app": devices.app_of(person),
            "codes_left": devices.codes_left(person),
            "policy": policy_of(person),
            "is_locked": deeds.is_locked(person),
            "waiting": waiting,
            "waited_too_long": waiting and first_password.is_over(waiting),
            "role": membership.role_of(person),
            "groups": person.groups.order_by("name"),
            "managed": person.stores.order_by("name"),
            "own_permissions": person.user_permissions.count(),
            "sees_nothing": own_stores(person) == frozenset(),
            "zone": zone_of_house(),
        }

    def give_password(self, request: HttpRequest, person_id: int) -> HttpResponse:
        person = self._pressed_on(request, person_id)
        return _password_page(request, person, deeds.give_password(person, actor=myself(request)))

    def reset_second_factor(self, request: HttpRequest, person_id: int) -> HttpResponse:
        person = self._pressed_on(request, person_id)
        deeds.reset_second_factor(person, actor=myself(request))
        return _back(request, person, f"{person} signs in without a second factor until a new one is set up.")

    def sign_out(self, request: HttpRequest, person_id: int) -> HttpResponse:
        person = self._pressed_on(request, person_id)
        ended = deeds.sign_out(person, actor=myself(request))
        return _back(request, person, f"Ended: {ended} sessions and API tokens of {person}.")

    def unlock(self, request: HttpRequest, person_id: int) -> HttpResponse:
        person = self._pressed_on(request, person_id)
        deeds.unlock(person, actor=myself(request))
        return _back(request, person, f"{person} can try again at once.")

    def _pressed_on(self, request: HttpRequest, person_id: int) -> User:
        """Whom a button was pressed for, by somebody who may manage them.

        Never oneself: one's own password and second factor have pages of their own, which ask for the present ones.
        """
        person = get_object_or_404(User, pk=person_id)
        if not self._may_change(request, person) or person.pk == request.user.pk:
            raise PermissionDenied
        return person


def _saved(request: HttpRequest, person: User, form: Any) -> bool:
    try:
        deeds.save(person, form.write, actor=myself(request))
    except Refused as refused:
        messages.error(request, refused.sentence)
        return False
    messages.success(request, "Saved.")
    return True


def _password_page(request: HttpRequest, person: User, password: str) -> HttpResponse:
    """Shown in the answer itself and nowhere else: we do not have it either, afterwards."""
    context = page_context(request, title="One-time password", person=person, password=password)
    context |= {"days": first_password.LIFE.days, "sees_nothing": own_stores(person) == frozenset()}
    return render(request, "admin/people/password.html", context)


def _rendered(request: HttpRequest, template: str, context: dict[str, Any], *, is_wrong: bool) -> HttpResponse:
    return render(request, template, context, status=422 if is_wrong else 200)


def _back(request: HttpRequest, person: User, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect(reverse("admin:auth_user_change", args=[person.pk]))
