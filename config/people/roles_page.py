"""The list of roles and the page of each: what its members may do, and what it demands of them at sign-in."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from config.groups import IN_WORDS
from config.people import deeds, membership
from config.people.forms import GroupForm
from config.second_factor_pages import myself
from ledger.admin.base import CompanyWide, ModelAdmin, page_context
from ledger.errors import Refused

admin.site.unregister(Group)

# Django's own words stand in headings, breadcrumbs and the search; nothing in the database depends on them.
Group._meta.verbose_name, Group._meta.verbose_name_plural = "role", "roles"
apps.get_app_config("auth").verbose_name = "People"


@admin.register(Group)
class GroupAdmin(CompanyWide, ModelAdmin):
    """Django calls them groups; people call them roles."""

    list_display = ["name", "what_it_is", "members", "second_factor", "idle"]
    ordering = ["name"]
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": "Roles"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        rows: QuerySet[Group] = super().get_queryset(request).select_related("sign_in_policy")
        return rows.annotate(people=Count("user"))

    @admin.display(description="what it may")
    def what_it_is(self, group: Group) -> str:
        return IN_WORDS.get(group.name, "A role of your own.")

    @admin.display(description="people")
    def members(self, group: Group) -> int:
        return int(getattr(group, "people", 0))

    @admin.display(description="second factor")
    def second_factor(self, group: Group) -> str:
        policy = getattr(group, "sign_in_policy", None)
        return "required" if policy and policy.second_factor else "as each likes"

    @admin.display(description="signed out after")
    def idle(self, group: Group) -> str:
        policy = getattr(group, "sign_in_policy", None)
        return f"{policy.idle_minutes} minutes" if policy and policy.idle_minutes else "the usual time"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Django's own page for it is not offered: ours says what stands in the way."""
        return False

    def get_urls(self) -> list[URLPattern]:
        remove = self.admin_site.admin_view(require_POST(self.remove))
        return [path("<int:group_id>/remove/", remove, name="auth_group_remove"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._page(request, Group(), title="Add a role", may_change=True)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        group = self.get_object(request, object_id)
        if group is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self._page(request, group, title=group.name, may_change=self._may_change(request, group))

    def _may_change(self, request: HttpRequest, group: Group) -> bool:
        """Nobody changes a role that may more than themselves."""
        return self.has_change_permission(request, group) and membership.may_give(myself(request), group)

    def _page(self, request: HttpRequest, group: Group, *, title: str, may_change: bool) -> HttpResponse:
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        form = GroupForm(group, actor=myself(request), data=request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            deeds.save_group(group, form.write, actor=myself(request))
            messages.success(request, "Saved.")
            return redirect("admin:auth_group_change", group.pk)
        context = page_context(request, title=title, form=form, group=group, may_change=may_change)
        if group.pk:
            context |= _about(group) | {"may_delete": may_change and request.user.has_perm("auth.delete_group")}
        return render(request, "admin/people/role.html", context, status=422 if form.is_bound else 200)

    def remove(self, request: HttpRequest, group_id: int) -> HttpResponse:
        group = get_object_or_404(Group, pk=group_id)
        allowed = self._may_change(request, group) and request.user.has_perm("auth.delete_group")
        if not allowed:
            raise PermissionDenied
        try:
            deeds.delete_group(group, actor=myself(request))
        except Refused as refused:
            messages.error(request, refused.sentence)
            return redirect("admin:auth_group_change", group.pk)
        messages.success(request, f"The role {group.name} is deleted.")
        return redirect("admin:auth_group_changelist")


def _about(group: Group) -> dict[str, Any]:
    """What a reader wants to know of a role."""
    return {
        "is_ours": membership.is_ours(group),
        "in_words": IN_WORDS.get(group.name, ""),
        "people": User.objects.filter(groups=group).order_by("username")[:200],
        "given": _given(group),
    }


def _given(group: Group) -> list[tuple[str, str]]:
    """What may be done to what: ("account", "add, delete, view")."""
    things: dict[str, list[str]] = {}
    for permission in group.permissions.select_related("content_type").order_by("codename"):
        thing, what = membership.in_words(permission)
        things.setdefault(thing, []).append(what)
    return sorted((name, ", ".join(verbs)) for name, verbs in things.items())
