"""A connection's limits: what its vendor permits, and the button that sets other numbers."""

from django.db import transaction
from django.http import HttpRequest

from integrations.admin_forms import LimitsForm
from integrations.admin_views.access import deed
from integrations.admin_views.books import CONFIGURE
from integrations.models import Connection
from ledger.audit import note
from ledger.errors import Refused
from ledger.locks import locked


@deed(CONFIGURE)
def save_limits(request: HttpRequest, connection: Connection) -> str:
    """Other numbers than the vendor's; an empty one goes back to the vendor's."""
    form = LimitsForm(connection, request.POST)
    if not form.is_valid():
        said = [f"{form.fields[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()]
        raise Refused(f"{' '.join(said)} Nothing was changed.")
    after = form.cleaned_data
    with transaction.atomic():
        held = locked(Connection.objects.all()).get(pk=connection.pk)
        before = {name: getattr(held, name) for name in after}
        if after == before:
            return "Nothing was changed."
        Connection.objects.filter(pk=held.pk).update(**after)
        note(request.user, "changed the limits of", held, before=before, after=after)
    return "Saved. The limits hold from the next call on, for every worker."
