"""Users and groups, in the admin's own dress. Not for a manager of some stores."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User

from ledger.admin.base import (
    AdminPasswordChangeForm,
    CompanyWide,
    ModelAdmin,
    UserChangeForm,
    UserCreationForm,
)

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(CompanyWide, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc]
    """Who may log in, and what they may do. Which stores somebody manages is set on the store."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter = ["is_staff", "is_active"]


@admin.register(Group)
class GroupAdmin(CompanyWide, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Permissions that several people share."""
