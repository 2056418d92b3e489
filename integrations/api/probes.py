"""What a load balancer or a monitor asks without a token: is the process alive, is the installation ready?

They tell yes or no for each part and what to do about a no, and nothing of the shop.
"""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations import gauges
from integrations.api.health import worker

_known = {"migrated": False}
"""Migrations once applied stay applied while a process lives; to look again for each question would cost a second."""

TO_DO = {
    "database": "See whether the database server runs and can be reached from here, and whether DATABASE_URL is right.",
    "migrations": "Run `manage.py migrate` once, with this version of Daybook.",
    "worker": "No worker gives signs of life. Does one run (`python -m config.supervisor worker`)? See its log.",
    "posting": "A new entry has been due for long and nobody sends it. See the workers' log, and restart them.",
}
"""What to do while this part says no. A part that could not be asked says no too; the first no is the cause."""


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"live": True})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """503 while the database cannot be asked, migrations wait, no worker lives, or what is due is not sent."""
    parts = dict.fromkeys(TO_DO, False)
    try:
        parts["migrations"] = _migrated()
        parts["database"] = True
        if parts["migrations"]:
            parts["worker"] = worker()["alive"]
            parts["posting"] = not gauges.is_stuck()
    except DatabaseError:
        connection.close()
    is_ready = all(parts.values())
    first_no = next((TO_DO[name] for name, well in parts.items() if not well), "")
    return JsonResponse({"ready": is_ready, **parts, "to_do": first_no}, status=200 if is_ready else 503)


def _migrated() -> bool:
    if not _known["migrated"]:
        executor = MigrationExecutor(connection)
        _known["migrated"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _known["migrated"]
