"""How I hear of alerts: each person's own page, its test message, and the list of who hears what."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from integrations import hearing, notices, telling
from integrations.admin_views.access import answer, page
from integrations.admin_views.alerts import nobody_hears
from integrations.alert_forms import HearingForm
from integrations.channels import NotDelivered
from integrations.models import Alert, Notice, Subscription
from ledger.admin.base import page_context
from ledger.admin.scoping import may_for_all
from ledger.audit import note
from ledger.clock import database_now
from ledger.errors import Refused

EVERYBODY = "auth.view_user"
PATIENCE = 10
"""Seconds between two test messages."""


@dataclass(frozen=True)
class Told:
    """A notice in the words of whom it told."""

    notice: Notice

    @property
    def about(self) -> str:
        kind = self.notice.occasion.split(":")[0]
        return {
            "opened": "A new alert",
            "again": "An alert that became worse",
            "closed": "An alert that is solved",
            "digest": "The daily digest",
        }.get(kind, "A test message")

    @property
    def link(self) -> str:
        pk = self.notice.alert_id
        return reverse("admin:integrations_alert_change", args=[pk]) if pk else ""


@page(hearing.VIEW, store_managers=True)
def mine(request: HttpRequest) -> HttpResponse:
    """The form, and what was sent lately."""
    subscription = _own(request)
    form = HearingForm(request.POST if request.method == "POST" else None, instance=subscription)
    if request.method == "POST" and form.is_valid():
        _save(form, request)
        messages.success(request, "Saved.")
        return redirect("integrations:hearing")
    sent = Notice.objects.filter(subscription=subscription.pk).exclude(state=Notice.State.DROPPED)
    context = page_context(request, title="How I hear of alerts", form=form, subscription=subscription)
    context |= {
        "mail_is_set": settings.EMAIL_CONFIGURED,
        "links_are_set": bool(settings.DAYBOOK_URL),
        "trials": [(channel, channel.label) for channel in hearing.Channel if hearing.reaches(_own(request), channel)],
        "notices": [Told(notice) for notice in sent[:10]],
        "zone": ZoneInfo(subscription.time_zone),
        "may_see_everybody": may_for_all(request.user, EVERYBODY),
    }
    return render(request, "admin/integrations/alert_hearing.html", context, status=422 if form.errors else 200)


def _own(request: HttpRequest) -> Subscription:
    if not isinstance(request.user, User):
        raise Http404
    if request.method == "POST":
        return hearing.subscription_of(request.user)
    return hearing.shown_to(request.user)


def _save(form: HearingForm, request: HttpRequest) -> None:
    before = _readable(_own(request))
    with transaction.atomic():
        saved = form.save()
        after = _readable(saved)
        if form.cleaned_data["chat_url"] or form.cleaned_data["forget_chat"]:
            after["chat_address"] = "changed"
        note(request.user, "changed how alerts are told", saved, before=before, after=after)


def _readable(subscription: Subscription) -> dict[str, str]:
    """Everything but the address of the chat, which is a secret."""
    return {name: str(getattr(subscription, name) or "") for name in HearingForm.Meta.fields}


@require_POST
@page(hearing.VIEW, store_managers=True)
def trial(request: HttpRequest) -> HttpResponse:
    """Send a test message to myself, and say what came of it."""
    subscription, channel = _own(request), request.POST.get("channel", "")
    if channel in hearing.Channel.values:
        answer(request, lambda: _tried(subscription, channel))
    return redirect("integrations:hearing")


def _tried(subscription: Subscription, channel: str) -> str:
    if not hearing.reaches(subscription, channel):
        raise Refused("There is no address to send it to. Save one first.")
    if subscription.pk is None:
        subscription.save()
    last = Notice.objects.filter(subscription=subscription, occasion__startswith="test:").first()
    if last and (database_now() - last.due_at).total_seconds() < PATIENCE:
        raise Refused(f"The last test message left a moment ago. Wait {PATIENCE} seconds.")
    try:
        telling.send_trial(subscription, channel=channel)
    except NotDelivered as failure:
        raise Refused(f"It did not go through. {failure.sentence}") from None
    if channel == hearing.Channel.EMAIL:
        return f"The mail server took it, to {subscription.user.email}. Look into your inbox."
    return f"{Subscription.Chat(subscription.chat).label} took it. Look into the channel."


# --- Who hears what -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hearer:
    """One person who may view alerts, and when they hear of what."""

    user: User
    email: str
    chat: str
    quiet: str
    problem: str


@require_GET
@page(EVERYBODY)
def everybody(request: HttpRequest) -> HttpResponse:
    """Everybody who may view alerts, also who hears nothing."""
    known = {s.user_id: s for s in Subscription.objects.filter(user__in=hearing.may_view()).select_related("user")}
    people = hearing.may_view().order_by("username")
    given_up = notices.given_up(known.values())
    hearers = [_hearer(person, known.get(person.pk), given_up) for person in people]
    context = page_context(request, title="Who hears of alerts", hearers=hearers)
    context |= {"mail_is_set": settings.EMAIL_CONFIGURED, **nobody_hears(request.user)}
    return render(request, "admin/integrations/alert_hearers.html", context)


def _hearer(person: User, subscription: Subscription | None, given_up: dict[tuple[int, str], str]) -> Hearer:
    if subscription is None:
        address = "" if person.email else ", and has no e-mail address"
        return Hearer(person, f"Nothing yet: has not chosen{address}", "", "", "")
    problems = [given_up.get((subscription.pk, channel), "") for channel in hearing.Channel.values]
    quiet = f"{subscription.quiet_from:%H:%M} to {subscription.quiet_until:%H:%M}" if subscription.quiet_from else ""
    return Hearer(
        user=person,
        email=_chosen(subscription, hearing.Channel.EMAIL),
        chat=_chosen(subscription, hearing.Channel.CHAT),
        quiet=f"{quiet} {subscription.time_zone}" if quiet else "",
        problem=" ".join(filter(None, problems)),
    )


def _chosen(subscription: Subscription, channel: Any) -> str:
    chosen = {s: hearing.choice(subscription, channel, s) for s in reversed(Alert.Severity.values)}
    if set(chosen.values()) == {hearing.When.NEVER.value}:
        return "Nothing"
    said = [f"{Alert.Severity(s).label}: {hearing.When(when).label.lower()}" for s, when in chosen.items()]
    missing = "" if hearing.reaches(subscription, channel) else f" (not sent: {_missing(subscription, channel)})"
    return "; ".join(said) + missing


def _missing(subscription: Subscription, channel: Any) -> str:
    if channel == hearing.Channel.CHAT:
        return "no chat address"
    return "no mail server" if subscription.user.email else "no e-mail address"
