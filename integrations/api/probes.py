"""What a load balancer or a monitor asks without a token: is the process alive, is the installation ready?

They tell no more than yes or no for each part.
"""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations.api.health import worker

_known = {"migrated": False}
"""Migrations once applied stay applied while a process lives; to look again for each question would cost a second."""


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"live": True})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """503 while the database cannot be asked, migrations wait, or the worker gives no sign of life."""
    parts = {"database": False, "migrations": False, "worker": False}
    try:
        parts["migrations"] = _migrated()
        parts["database"] = True
        parts["worker"] = parts["migrations"] and worker()["alive"]
    except DatabaseError:
        connection.close()
    is_ready = all(parts.values())
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)


def _migrated() -> bool:
    if not _known["migrated"]:
        executor = MigrationExecutor(connection)
        _known["migrated"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _known["migrated"]
