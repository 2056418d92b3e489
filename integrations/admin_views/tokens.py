"""Settings > API tokens: everybody's own tokens, and for administrators the names of everybody's."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from integrations.admin_forms import date_input
from integrations.models import ApiToken
from ledger.admin.base import page_context
from ledger.admin.scoping import Person, may_for_all
from ledger.audit import note
from ledger.locks import locked
from ledger.moments import zone_of_house

MOST = 20
USUAL_DAYS, LONGEST_DAYS = 90, 366
SHOWN_OF_ALL = 200
OVERSEE = "auth.change_user"


class TokenForm(forms.Form):
    """What a token is for, and its last day, which ends where the stores are."""

    name = forms.CharField(label="What is it for?", max_length=100, strip=True)
    last_day = forms.DateField(label="Valid until the end of", widget=date_input())

    def __init__(self, data: Mapping[str, Any] | None = None, *, zone: tzinfo) -> None:
        self.today = timezone.now().astimezone(zone).date()
        super().__init__(data, initial={"last_day": self.today + timedelta(days=USUAL_DAYS)})
        self.fields["last_day"].help_text = f"The day ends by the clock of your stores ({zone})."

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        today = self.today
        if day < today:
            raise forms.ValidationError("This day is over. Choose a later one.")
        if day > today + timedelta(days=LONGEST_DAYS):
            raise forms.ValidationError("Choose a day within one year; a new token is made in a minute.")
        return day


@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list and the form. A new token is shown in the answer to its form, and never again."""
    zone, made = zone_of_house(), ""
    form = TokenForm(request.POST or None, zone=zone)
    if request.method == "POST" and form.is_valid():
        made = _made(request, form, zone=zone)
        form = TokenForm(zone=zone)
    context = page_context(request, title="API tokens", form=form, made=made, now=timezone.now(), most=MOST)
    context |= {"mine": _own(request.user), "others": _others(request.user), "zone": zone}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "admin/integrations/tokens.html", context, status=status)


def _own(person: Person) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=person.pk).order_by("-created")


def _others(person: Person) -> list[ApiToken]:
    """Everybody else's, for who answers for people. The tokens themselves nobody can see."""
    if not may_for_all(person, OVERSEE):
        return []
    rows = ApiToken.objects.exclude(user=person.pk).select_related("user")
    return list(rows.order_by("user__username", "-created")[:SHOWN_OF_ALL])


def _made(request: HttpRequest, form: TokenForm, *, zone: tzinfo) -> str:
    """A new token as text; empty when this person has too many already."""
    name, last_day = form.cleaned_data["name"], form.cleaned_data["last_day"]
    with transaction.atomic():
        list(
            locked(User.objects.filter(username=request.user.get_username()))
        )  # so that two forms at once do not both count 19
        if _own(request.user).count() >= MOST:
            messages.error(request, f"You have {MOST} tokens already. Revoke one that is not needed any more.")
            return ""
        end = datetime.combine(last_day, time(23, 59, 59), tzinfo=zone)
        row, token = ApiToken.objects.create(user=request.user, name=name, expiry=end - timezone.now())
        note(request.user, "made an API token of", row.user, after={"name": name, "valid until": last_day.isoformat()})
    return str(token)


@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """End a token at once: one's own, or anybody's for who answers for people."""
    rows = ApiToken.objects.select_related("user")
    if not may_for_all(request.user, OVERSEE):
        rows = rows.filter(user=request.user.pk)
    token = rows.filter(pk=request.POST.get("token", "")[:128].replace("\0", "")).first()
    if token is None:
        raise Http404("There is no such token any more.")
    with transaction.atomic():
        note(request.user, "revoked an API token of", token.user, before={"name": token.name})
        token.delete()
    messages.success(request, f"“{token.name}” is revoked: whatever uses it is refused from now on.")
    return redirect("integrations:tokens")
