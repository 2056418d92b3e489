"""The change of one's own password: Django's page, what ends with the old password, and the way on after it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from config import onward
from config.people.deeds import revoke_tokens
from ledger.admin.base import OwnPasswordForm
from ledger.audit import note
from ledger.locks import locked


class OwnPassword(PasswordChangeView):
    """Whoever knew the old password may have made a token with it, so tokens end as the other sessions do."""

    form_class = OwnPasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        person: User = form.save(commit=False)  # hashing takes long; no lock is held over it
        with transaction.atomic():
            locked(User.objects.all()).get(pk=person.pk)
            person.save(update_fields=["password"])
            note(person, "changed the own password", person)
            ended = revoke_tokens(person, actor=person)
        update_session_auth_hash(self.request, person)
        messages.success(self.request, "Your password is changed.")
        if ended:
            messages.warning(
                self.request, "Your API tokens have ended with the old password. Make new ones where you need them."
            )
        return HttpResponseRedirect(onward.take(self.request))


def change(request: HttpRequest) -> HttpResponseBase:
    """The page, in the admin's frame."""
    return OwnPassword.as_view(extra_context=admin.site.each_context(request))(request)
