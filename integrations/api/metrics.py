"""`/metrics`: the gauges as Prometheus reads them: the same few questions whatever number of events there is.

Any web server of the installation answers for all machines, for the numbers stand in the database: ask one of them.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from integrations import gauges, machines

Sample = tuple[Iterable[object], float]


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 where no METRICS_TOKEN is set, 401 without it in `Authorization: Bearer <token>`."""
    if not settings.METRICS_TOKEN:
        raise Http404
    shown = request.headers.get("Authorization", "").encode()
    if not secrets.compare_digest(shown, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(
            "Show the token of METRICS_TOKEN: Authorization: Bearer <token>\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    registry = CollectorRegistry()
    registry.register(Gauges())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Gauges(Collector):
    """Reads everything anew at each question."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is read to be registered."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (words, labels, samples) in GAUGES.items():
            family = GaugeMetricFamily(f"daybook_{name}", words, labels=labels)
            for values, number in samples():
                family.add_metric([str(value) for value in values], number)
            yield family


def _events() -> Iterator[Sample]:
    return (((book.pk, book, state), events) for book, state, events in gauges.events_by_state())


def _lags() -> Iterator[Sample]:
    return (((lag.book.pk, lag.book, lag.priority), lag.seconds) for lag in gauges.lags())


def _attempts() -> Iterator[Sample]:
    return (((result,), times) for result, times in gauges.attempts_of_the_last_hour().items())


def _posted() -> Iterator[Sample]:
    return (((book.pk, book), entries) for book, entries in gauges.posted_in_the_last_minute())


def _places_left() -> Iterator[Sample]:
    return (((one.connection.pk, one.connection.vendor, one.kind, one.within), one.left) for one in gauges.places())


def _pauses() -> Iterator[Sample]:
    return (((connection.pk, connection.vendor), seconds) for connection, seconds in gauges.pauses())


def _circuits() -> Iterator[Sample]:
    return (((connection.pk, connection.vendor), is_open) for connection, is_open in gauges.open_circuits())


def _heartbeats() -> Iterator[Sample]:
    return (((machine.name,), machine.seconds_ago) for machine in machines.machines() if not machine.starts)


def _machines() -> Iterator[Sample]:
    yield (), sum(machine.works for machine in machines.machines())


def _silent() -> Iterator[Sample]:
    yield (), sum(machine.is_silent for machine in machines.machines())


def _alerts() -> Iterator[Sample]:
    return (((severity,), number) for severity, number in gauges.open_alerts().items())


def _queue() -> Iterator[Sample]:
    depth = gauges.queue_depth()
    if depth is not None:
        yield (), depth


BOOK, CONNECTION = ("book", "name"), ("connection", "vendor")
Gauge = tuple[str, tuple[str, ...], Callable[[], Iterable[Sample]]]
GAUGES: dict[str, Gauge] = {
    "events": ("Events by state, a minute old at most", (*BOOK, "state"), _events),
    "lag_seconds": ("How long the oldest waiting event has been waiting", (*BOOK, "which"), _lags),
    "attempts_last_hour": ("Tries to send that began in the last hour, by outcome", ("result",), _attempts),
    "entries_posted_last_minute": ("Entries that arrived in the last minute", BOOK, _posted),
    "limiter_places_left": ("Calls that each limit still permits", (*CONNECTION, "kind", "within"), _places_left),
    "vendor_pause_seconds": ("Seconds of the pause that the vendor asked for", CONNECTION, _pauses),
    "circuit_open": ("1 while the other side does not answer and nobody calls", CONNECTION, _circuits),
    "heartbeat_age_seconds": ("Since the last sign of life of a tree of worker processes", ("machine",), _heartbeats),
    "machines": ("Trees of worker processes that gave a sign of life lately", (), _machines),
    "machines_silent": ("Trees of worker processes that are silent for too long", (), _silent),
    "alerts_open": ("Open alerts", ("severity",), _alerts),
    "queue_depth": ("Wake-ups that nobody has taken; missing while the queue does not answer", (), _queue),
}
"""Every metric: its words, its labels, and where it is read."""
