"""Who hears of alerts and when: each person's subscription and its default, quiet hours, the time of the digest."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from integrations.models import Alert, Notice, Subscription
from integrations.secrets import Sealed
from ledger.admin.scoping import STORE_MANAGER, own_stores
from ledger.models import Store
from ledger.moments import zone_of_house

VIEW, ACT = "integrations.view_alert", "integrations.change_alert"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
When, Channel = Subscription.When, Notice.Channel


@dataclass(frozen=True)
class Listener:
    """One person who may view alerts now. `stores`: what the person is limited to; None for the whole company."""

    subscription: Subscription
    stores: frozenset[int] | None

    def wants(self, alert: Alert, channel: str) -> bool:
        """At once, by this channel."""
        return choice(self.subscription, channel, alert.severity) == When.AT_ONCE and reaches(
            self.subscription, channel
        )


def shown_to(person: User) -> Subscription:
    """The person's own, or the one that it would begin with, which is not saved: to look changes nothing.

    Whoever acts on alerts for the whole company (accountants and administrators) and has an e-mail address hears of
    errors at once and of warnings once a day; everybody else hears nothing before they ask for it.
    """
    found = Subscription.objects.filter(user=person).first()
    return found or Subscription(user=person, **_beginning(person))


def subscription_of(person: User) -> Subscription:
    """The same; saved where it already means that somebody hears something."""
    if _hears_unasked(person):
        return Subscription.objects.get_or_create(user=person, defaults=_beginning(person))[0]
    return shown_to(person)


def _beginning(person: User) -> dict[str, str]:
    errors, warnings = (When.AT_ONCE, When.DAILY) if _hears_unasked(person) else (When.NEVER, When.NEVER)
    return {"email_errors": errors, "email_warnings": warnings, "time_zone": _time_zone(person)}


def _hears_unasked(person: User) -> bool:
    return bool(person.email) and person.has_perm(ACT) and own_stores(person) is None


def welcome() -> None:
    """Write down the beginning of whoever hears unasked: nobody has to look at a page first to be told."""
    for person in acting().filter(subscription=None).exclude(email=""):
        subscription_of(person)


def acting() -> QuerySet[User]:
    """Whoever acts on alerts for the whole company: accountants and administrators."""
    return of_the_whole_company(User.objects.with_perm(ACT, backend=MODEL_BACKEND).filter(pk__in=may_view()))


def someone_hears() -> bool:
    """Whether an alert reaches anybody at all; to ask changes nothing."""
    subscriptions = Subscription.objects.filter(user__in=may_view()).select_related("user")
    unasked = acting().filter(subscription=None).exclude(email="")
    return any(_hears(one) for one in subscriptions) or (settings.EMAIL_CONFIGURED and unasked.exists())


def _hears(subscription: Subscription) -> bool:
    return any(
        severities(subscription, channel, When.AT_ONCE, When.DAILY) and reaches(subscription, channel)
        for channel in Channel.values
    )


def without_address() -> list[User]:
    """Whoever acts on alerts, but has no e-mail address."""
    return list(acting().filter(email="").order_by("username"))


def _time_zone(person: User) -> str:
    """The clock of the house, or of one's own first store: where the day is worked."""
    stores = own_stores(person)
    if stores is None:
        return str(zone_of_house())
    mine = Store.objects.filter(pk__in=stores)
    return mine.order_by("pk").values_list("time_zone", flat=True).first() or "UTC"


def may_view() -> QuerySet[User]:
    """Everybody active who may view alerts."""
    return User.objects.with_perm(VIEW, backend=MODEL_BACKEND)


def of_the_whole_company(people: QuerySet[User]) -> QuerySet[User]:
    """Without those whom `own_stores` limits to some stores."""
    limited = User.objects.filter(Q(stores__isnull=False) | Q(groups__name=STORE_MANAGER), is_superuser=False)
    return people.exclude(pk__in=limited)


def listeners() -> list[Listener]:
    """Every subscription whose person is active and may view alerts, in five queries however many there are."""
    welcome()
    found = Subscription.objects.filter(user__in=may_view()).select_related("user")
    found = found.prefetch_related("user__stores", "user__groups")
    return [Listener(subscription, own_stores(subscription.user)) for subscription in found]


def choice(subscription: Subscription, channel: str, severity: str) -> str:
    """When a person hears of a severity by a channel."""
    return str(getattr(subscription, f"{channel}_{severity}s"))


def reaches(subscription: Subscription, channel: str) -> bool:
    """Whether the channel leads anywhere: without a mail server or an address no notice is even written."""
    if channel == Channel.EMAIL:
        return bool(settings.EMAIL_CONFIGURED and subscription.user.email)
    address = subscription.chat_address
    return isinstance(address, Sealed) or bool(address.get("url"))  # what is sealed comes back as undelivered


def severities(subscription: Subscription, channel: str, *when: str) -> list[str]:
    """The severities that are told by a channel at one of these times."""
    return [s for s in Alert.Severity.values if choice(subscription, channel, s) in when]


# --- Time -----------------------------------------------------------------------------------------


def free_at(subscription: Subscription, moment: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls in, by the clock of the person."""
    start, end = subscription.quiet_from, subscription.quiet_until
    zone = ZoneInfo(subscription.time_zone)
    local = moment.astimezone(zone)
    if start is None or end is None or not _within(local.time(), start, end):
        return moment
    over_midnight = start > end and local.time() >= start
    day = local.date() + timedelta(days=1 if over_midnight else 0)
    ends = [datetime.combine(day, end, tzinfo=zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    # An hour that the clock shows twice ends twice; a moment in the second one waits for the second end.
    return next((later for later in ends if later > moment), moment)


def _within(clock: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def digest_day(subscription: Subscription, now: datetime) -> date | None:
    """The day whose digest is due by the person's clock; None before its hour."""
    local = now.astimezone(ZoneInfo(subscription.time_zone))
    return local.date() if local.time() >= subscription.digest_at else None
