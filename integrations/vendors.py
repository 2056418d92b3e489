"""The table of vendors: the one place that knows which there are and how a connection becomes an adapter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from integrations.breaker import CircuitBreaker
from integrations.heartland_retail import oauth as heartland_oauth
from integrations.heartland_retail.adapter import HeartlandRetailAdapter
from integrations.heartland_retail.client import Client as HeartlandClient
from integrations.heartland_retail.client import FixedToken
from integrations.http import Http, NoLimits, is_loopback
from integrations.limiter import RowLimiter
from integrations.models import Connection
from integrations.models.connections import LIMITS
from integrations.quickbooks import charting as quickbooks_charting
from integrations.quickbooks import oauth as quickbooks_oauth
from integrations.quickbooks.adapter import CAPABILITIES as QUICKBOOKS
from integrations.quickbooks.adapter import QuickBooksAdapter
from integrations.quickbooks.client import PRODUCTION as QUICKBOOKS_PRODUCTION
from integrations.quickbooks.client import Client as QuickBooksClient
from integrations.tokens import CALL_SECONDS, RefreshedTokens, as_credentials, check_installation, check_usable
from integrations.windows import Limits
from ledger.errors import AuthExpired, Rejected
from ledger.ports import AccountingSystem, PointOfSale
from ledger.values import Capabilities, NeededAccount, NewAccount

BOOKS, TILL = "books", "till"
DEFAULT_SETTLE_SECONDS = 60


@dataclass(frozen=True)
class Grant:
    """What a vendor gave for an authorization code: credentials to keep, and their lifetime if they have one."""

    credentials: dict[str, str]
    expires_in: int | None
    account_id: str
    base_url: str = ""


@dataclass(frozen=True)
class Vendor:
    """One vendor: what it is called, what it needs, and how to talk to it.

    `account_kind`: type and detail type, in the vendor's words, of an account to be created. Raises Unsupported.
    `account_parameter`: where the callback of a log-in must name the company, if it does.
    `needed_accounts`: what to create there before the first import.
    `token_life`: how long its token works, in a sentence, where no answer of the vendor says so.
    """

    label: str
    kind: str
    credentials: type[quickbooks_oauth.Credentials] | type[heartland_oauth.Credentials]
    limits: Limits
    default_url: str
    host_allowed: Callable[[str], bool]
    adapter: Callable[[Connection], AccountingSystem | PointOfSale]
    authorize_url: Callable[[Connection, str, str], str]
    exchange: Callable[[Connection, str, str, Mapping[str, str]], Grant]
    revoke: Callable[[Connection], None]
    capabilities: Capabilities | None = None
    account_kind: Callable[[NewAccount], tuple[str, str]] | None = None
    uses_oauth: bool = True
    account_parameter: str = ""
    needed_accounts: tuple[NeededAccount, ...] = ()
    token_life: str = ""


def accounting(connection: Connection) -> AccountingSystem:
    """The books behind a connection. Raises AuthExpired when a person must connect first."""
    check_usable(connection)
    adapter = VENDORS[connection.vendor].adapter(connection)
    return cast(AccountingSystem, adapter)


def point_of_sale(connection: Connection) -> PointOfSale:
    """The till behind a connection. Raises AuthExpired when it has no token, or another installation's."""
    check_installation(connection)
    return cast(PointOfSale, VENDORS[connection.vendor].adapter(connection))


def _quickbooks(connection: Connection) -> AccountingSystem:
    oauth = _quickbooks_oauth(connection, redirect_uri="")
    tokens = RefreshedTokens(connection.pk, oauth.refresh)
    return QuickBooksAdapter(QuickBooksClient(http(connection), realm=connection.account_id, tokens=tokens))


def _heartland(connection: Connection) -> PointOfSale:
    token = heartland_oauth.Credentials(**connection.credentials).token
    if not token:
        raise AuthExpired("This connection has no token. Paste an API token or press Connect.")
    source = connection.source
    stores = source.stores.all() if source else []
    day_starts: dict[str, time] = {store.external_id: store.day_start for store in stores}
    client = HeartlandClient(http(connection), tokens=FixedToken(token, connection.token_version))
    return HeartlandRetailAdapter(client, day_starts=day_starts, currency=source.currency if source else "USD")


def http(connection: Connection) -> Http:
    """The guarded way out for a connection: its checked address, its timeout, its limits, its circuit."""
    return Http(
        base_url(connection),
        timeout=http_timeout(connection),
        limiter=limiter(connection),
        breaker=breaker(connection),
    )


def limiter(connection: Connection) -> RowLimiter:
    """It is made for pages as well, so the address is looked at only when a call is to be made."""
    return RowLimiter(connection.pk, limits(connection), longest=lambda: longest_call(connection))


def limits(connection: Connection) -> Limits:
    """What the vendor says of itself, but where a person has set another number."""
    chosen = {name: getattr(connection, name) for name in LIMITS}
    return replace(VENDORS[connection.vendor].limits, **{name: n for name, n in chosen.items() if n})


def breaker(connection: Connection) -> CircuitBreaker:
    return CircuitBreaker(connection.pk, probe_seconds=http_timeout(connection))


def waits_until(connection: Connection) -> datetime | None:
    """Until when nothing is sent: a pause that the vendor asked for, its limit, a rest because it does not answer."""
    places = limiter(connection)
    waits = [places.paused_until(), places.next_batch(), breaker(connection).rests_until()]
    return max((wait for wait in waits if wait), default=None)


def base_url(connection: Connection) -> str:
    """The address of a connection. Raises Rejected when it is not one of the vendor's hosts."""
    vendor = VENDORS[connection.vendor]
    url = connection.base_url or settings.VENDOR_URLS[connection.vendor] or vendor.default_url
    allowed = vendor.host_allowed(url) or (settings.ALLOW_LOOPBACK_VENDORS and is_loopback(url))
    if not allowed:
        raise Rejected(f"{url} is not an address of {vendor.label}. Correct the address of the connection.")
    return url


def settle(connection: Connection) -> timedelta:
    """How long after sending "not found" starts to count: longer than lease and timeout (docs/house.md).

    Never less than the vendor may go on working, but against the sandbox, whose worst is known.
    """
    chosen = connection.settle_seconds or settings.VENDOR_SETTLE_SECONDS or 0
    least = shortest_settle(connection.vendor)
    if settings.ALLOW_LOOPBACK_VENDORS and is_loopback(base_url(connection)):
        return timedelta(seconds=chosen or least)
    return timedelta(seconds=max(chosen, least))


def shortest_settle(vendor: str) -> int:
    """The vendor's documented value, in seconds."""
    capabilities = VENDORS[vendor].capabilities
    return capabilities.settle_seconds if capabilities else DEFAULT_SETTLE_SECONDS


def lease(connection: Connection) -> timedelta:
    return settle(connection) * 0.8


def http_timeout(connection: Connection) -> float:
    return settle(connection).total_seconds() * 0.6


def time_to_leave(connection: Connection) -> float:
    """Seconds within which a recorded attempt must have left.

    This, the vendor's longest work (QuickBooks: 120 s) and the lag of its look-ups together stay below the time to
    settle; else "not found" could be said of what is still being booked.
    """
    return settle(connection).total_seconds() * 0.1


def longest_call(connection: Connection) -> float:
    """Seconds from the place that a call takes to its answer."""
    return http_timeout(connection) + time_to_leave(connection)


def books_connections() -> QuerySet[Connection]:
    return Connection.objects.filter(book__isnull=False).select_related("book")


def till_connections() -> QuerySet[Connection]:
    return Connection.objects.filter(source__isnull=False).select_related("source")


def _quickbooks_oauth(connection: Connection, *, redirect_uri: str) -> quickbooks_oauth.OAuth:
    """Its host is another one than the company's, and takes no place: a write may hold the last while it is asked."""
    keys, timeout = connection.credentials, min(CALL_SECONDS, http_timeout(connection))
    return quickbooks_oauth.OAuth(
        http=replace(http(connection), timeout=timeout, limiter=NoLimits()),
        client_id=keys.get("client_id", ""),
        client_secret=keys.get("client_secret", ""),
        redirect_uri=redirect_uri,
    )


def _quickbooks_authorize(connection: Connection, state: str, redirect_uri: str) -> str:
    return _quickbooks_oauth(connection, redirect_uri=redirect_uri).authorize_url(state=state)


def _quickbooks_exchange(connection: Connection, code: str, redirect_uri: str, answer: Mapping[str, str]) -> Grant:
    tokens = _quickbooks_oauth(connection, redirect_uri=redirect_uri).exchange(code)
    return Grant(as_credentials(tokens), tokens.access_expires_in, answer.get("realmId", ""))


def _quickbooks_revoke(connection: Connection) -> None:
    token = connection.credentials.get("refresh_token")
    if token:
        _quickbooks_oauth(connection, redirect_uri="").revoke(token)


def _heartland_authorize(connection: Connection, state: str, redirect_uri: str) -> str:
    keys = heartland_oauth.Credentials(**connection.credentials)
    return heartland_oauth.authorize_url(
        base_url=base_url(connection),
        client_id=keys.client_id,
        redirect_uri=redirect_uri,
        state=state,
        scope=keys.scope,
    )


def _heartland_exchange(connection: Connection, code: str, redirect_uri: str, answer: Mapping[str, str]) -> Grant:
    keys = heartland_oauth.Credentials(**connection.credentials)
    way_out = http(connection)
    token = heartland_oauth.exchange(
        way_out,
        client_id=keys.client_id,
        client_secret=keys.client_secret,
        code=code,
        redirect_uri=redirect_uri,
    )
    own = connection.base_url or settings.VENDOR_URLS[connection.vendor]
    address = heartland_oauth.account_api(way_out, token=token, base_url=own)
    return Grant({"access_token": token}, None, urlsplit(address).hostname or "", base_url="" if own else address)


def _nothing_to_revoke(connection: Connection) -> None:
    """Heartland's tokens are revoked by their user, in Heartland Retail."""


VENDORS: dict[str, Vendor] = {
    "heartland_retail": Vendor(
        label="Heartland Retail",
        kind=TILL,
        credentials=heartland_oauth.Credentials,
        limits=Limits(requests_per_second=20),
        default_url=heartland_oauth.API,
        host_allowed=heartland_oauth.host_allowed,
        adapter=_heartland,
        authorize_url=_heartland_authorize,
        exchange=_heartland_exchange,
        revoke=_nothing_to_revoke,
        token_life=heartland_oauth.TOKEN_LIFE,
    ),
    "quickbooks": Vendor(
        label=QUICKBOOKS.label,
        kind=BOOKS,
        credentials=quickbooks_oauth.Credentials,
        limits=Limits(
            requests_per_minute=500,
            requests_per_second=10,
            in_flight=5,
            batches_per_minute=40,
            items_per_batch=QUICKBOOKS.batch_size,
        ),
        default_url=QUICKBOOKS_PRODUCTION,
        host_allowed=quickbooks_oauth.host_allowed,
        adapter=_quickbooks,
        authorize_url=_quickbooks_authorize,
        exchange=_quickbooks_exchange,
        revoke=_quickbooks_revoke,
        capabilities=QUICKBOOKS,
        account_kind=quickbooks_charting.checked_kind,
        account_parameter="realmId",
        needed_accounts=quickbooks_charting.NEEDED_ACCOUNTS,
    ),
}
"""A new vendor costs its folder and one row here."""
