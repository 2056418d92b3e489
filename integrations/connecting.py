"""Connecting to a vendor and letting go again: the OAuth code flow, keys, the test, the first look-ups."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from integrations import companies, tasks, tokens, vendors
from integrations.models import AccountImport, Capture, Connection, OAuthRequest
from ledger.audit import Actor, note, person
from ledger.clock import database_now
from ledger.errors import DaybookError, RateLimited, Refused, Unreachable
from ledger.journal import dimensions
from ledger.locks import locked
from ledger.models import FinancialEvent, Posting, Store
from ledger.values import RemoteEntry, RemoteStore

LIFE = timedelta(minutes=15)
SECRETS = ("access_token", "refresh_token", tokens.REFRESH_ENDS, "api_token")


def begin(connection: Connection, user: User, redirect_uri: str) -> str:
    """The address of the vendor's consent page. The state is bound to the person and the connection."""
    state = secrets.token_urlsafe(32)
    url = vendors.VENDORS[connection.vendor].authorize_url(connection, state, redirect_uri)
    OAuthRequest.objects.create(state_hash=_hash(state), connection=connection, user=user, redirect_uri=redirect_uri)
    return url


def complete(answer: Mapping[str, str], user: User) -> Connection:
    """Take the vendor's answer to a log-in that this person began. Raises DaybookError with a sentence otherwise."""
    request = _use_state(answer.get("state", ""), user)
    connection = request.connection
    if answer.get("error"):
        raise Refused("The connection was not allowed on the other side. Nothing was changed; press Connect again.")
    vendor = vendors.VENDORS[connection.vendor]
    needed = [name for name in ("code", vendor.account_parameter) if name]
    if not all(answer.get(name) for name in needed):
        raise Refused(
            f"The answer of the other side lacks {' or '.join(needed)}. Nothing was changed; press Connect again."
        )
    _check_same_company(connection, answer.get(vendor.account_parameter, ""))
    vendors.breaker(connection).ask_now()
    grant = vendor.exchange(connection, answer["code"], request.redirect_uri, answer)
    _keep(connection, grant, user)
    _first_look(connection)
    return connection


def disconnect(connection: Connection, actor: Actor) -> None:
    """Let go: the tokens are revoked and forgotten; mappings, events and history stay."""
    with suppress(DaybookError):  # A token that cannot be revoked any more is forgotten all the same.
        vendors.VENDORS[connection.vendor].revoke(connection)
    with transaction.atomic():
        held = locked(Connection.objects.all()).get(pk=connection.pk)
        held.credentials = {k: v for k, v in held.credentials.items() if k not in SECRETS}
        held.state, held.problem, held.token_version = held.State.UNCONNECTED, "", held.token_version + 1
        held.save()
        note(actor, "disconnected", held)
    connection.refresh_from_db()


def save_keys(connection: Connection, values: Mapping[str, str], actor: Actor) -> None:
    """Keep keys that a person typed in; an empty secret leaves the stored one. Values never reach the audit."""
    known = {field.name for field in fields(vendors.VENDORS[connection.vendor].credentials)}
    given = {key: value.strip() for key, value in values.items() if key in known and value.strip()}
    with transaction.atomic():
        held = locked(Connection.objects.all()).get(pk=connection.pk)
        if held.refresh_lease_until and held.refresh_lease_until > database_now():
            raise Refused("The connection is being renewed at this moment. Save again in a minute.")
        held.credentials = {**held.credentials, **given}
        held.token_version += 1
        if given.keys() & set(SECRETS):
            held.installation_id = settings.INSTALLATION_ID
        held.save(update_fields=["credentials", "token_version", "installation_id"])
        note(actor, "changed the keys", held, after={"fields": sorted(given)})
    connection.refresh_from_db()


def test(connection: Connection, actor: Actor) -> str:
    """Talk to the other side now; for a till also read its stores and names, and begin to capture."""
    vendors.breaker(connection).ask_now()
    if vendors.VENDORS[connection.vendor].kind == vendors.BOOKS:
        companies.read(connection)
        return f"{connection.company_name} answers."
    stores = read_stores(connection)
    _mark_connected(connection, actor)
    return f"Heartland Retail answers. {stores} stores were found."


def read_stores(connection: Connection) -> int:
    """Mirror the till's stores and the names of its tenders, classes and jurisdictions."""
    till, source = vendors.point_of_sale(connection), connection.source
    if source is None:
        raise Refused("This connection serves no source.")
    stores, names = list(till.stores()), list(till.dimension_names())
    zones = dict(Store.objects.filter(source=source).values_list("external_id", "time_zone"))
    Store.objects.bulk_create(
        [_store(store, source_id=source.pk, zone=zones.get(store.external_id, "UTC")) for store in stores],
        update_conflicts=True,
        unique_fields=["source", "external_id"],
        update_fields=["name", "time_zone", "active"],
    )
    dimensions.name_values(source, names, rename=True)
    # Events of a store that opened since are read again: now they have one.
    homeless = FinancialEvent.objects.filter(source=source, store=None).values_list("pk", flat=True)
    if homeless:
        tasks.wake_reread(connection.pk, list(homeless[:1000]))
    return len(stores)


def order_import(connection: Connection, actor: Actor) -> AccountImport:
    """Order an import of the chart of accounts; the worker begins at once."""
    with transaction.atomic():
        order = AccountImport.objects.create(connection=connection, ordered_by=person(actor))
        note(actor, "ordered an import of accounts", connection)
        tasks.wake_import(order.pk)
    return order


def find_there(posting: Posting) -> list[tuple[RemoteEntry, str]]:
    """The entries that bear this posting's number in the accounting system, with their links."""
    entry = posting.entry
    if entry is None:
        return []
    vendors.breaker(entry.book.connection).ask_now()
    books = vendors.accounting(entry.book.connection)
    found = books.find([entry.reference]).get(entry.reference, [])
    return [(remote, books.link(remote.remote_id)) for remote in found]


def _use_state(state: str, user: User) -> OAuthRequest:
    """Compared before anything else; single use, short life, the same person."""
    now = database_now()
    wanted = _hash(state)
    with transaction.atomic():
        request = locked(OAuthRequest.objects.filter(state_hash=wanted)).select_related("connection").first()
        good = (
            request is not None
            and hmac.compare_digest(request.state_hash, wanted)
            and request.used_at is None
            and request.begun_at > now - LIFE
            and request.user_id == user.pk
        )
        if not good or request is None:
            raise Refused(
                "This answer does not belong to a log-in that you began here in the last 15 minutes. "
                "Nothing was changed; press Connect again."
            )
        request.used_at = now
        request.save(update_fields=["used_at"])
    return request


def _check_same_company(connection: Connection, account_id: str) -> None:
    if connection.account_id and account_id and account_id != connection.account_id:
        raise Refused(
            f"You allowed another company ({account_id}) than the one this book was connected to "
            f"({connection.company_name or connection.account_id}). Nothing was changed. Connect again and choose "
            "the same company, or create a new book for the other one."
        )


def _keep(connection: Connection, grant: vendors.Grant, user: User) -> None:
    with transaction.atomic():
        held = locked(Connection.objects.all()).get(pk=connection.pk)
        before = {"state": held.state, "account": held.account_id}
        held.credentials = {**held.credentials, **grant.credentials}
        held.token_version += 1
        held.token_expires_at = tokens.expiry(grant.expires_in) if grant.expires_in else None
        held.account_id = grant.account_id or held.account_id
        held.base_url = grant.base_url or held.base_url
        _set_connected(held, user)
        held.save()
        note(user, "connected", held, before=before, after={"state": held.state, "account": held.account_id})
    connection.refresh_from_db()


def _set_connected(connection: Connection, actor: Actor) -> None:
    connection.state, connection.problem = Connection.State.CONNECTED, ""
    connection.installation_id = settings.INSTALLATION_ID
    connection.connected_by = person(actor)
    connection.connected_at = connection.answered_at = database_now()


def _mark_connected(connection: Connection, actor: Actor) -> None:
    """A till that was reached by its token is connected; its whole history is captured from now on."""
    with transaction.atomic():
        held = locked(Connection.objects.all()).get(pk=connection.pk)
        if held.state != Connection.State.CONNECTED:
            _set_connected(held, actor)
            held.save()
            note(actor, "connected", held)
        now = database_now()
        Capture.objects.get_or_create(connection=held, defaults={"live_since": now, "history_until": now})
        tasks.wake_capture(held.pk)
    connection.refresh_from_db()


def _first_look(connection: Connection) -> None:
    """After connecting: the company's name and closing date, or the till's stores."""
    if vendors.VENDORS[connection.vendor].kind == vendors.TILL:
        read_stores(connection)
        _mark_connected(connection, connection.connected_by)
        return
    with suppress(Unreachable, RateLimited):  # the import of accounts reads the company again
        companies.read(connection)
    if connection.book and connection.book.syncing:
        tasks.wake(connection.pk)


def _store(store: RemoteStore, *, source_id: int, zone: str) -> Store:
    """`zone`: what is known already, where the till does not tell."""
    return Store(
        source_id=source_id,
        external_id=store.external_id,
        name=store.name,
        time_zone=store.time_zone or zone,
        active=store.active,
    )


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
