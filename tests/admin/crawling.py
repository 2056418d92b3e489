"""Every address there is, with every id in its place, and what a page offers to press: for crawls as one person."""

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

ROOMS = ("ledger", "mappings", "integrations", "auth")
IDS = 6
OWN = (
    *("/admin/login/", "/admin/logout/", "/admin/password_change/", "/admin/second-factor/"),
    *("/admin/integrations/api-tokens/", "/admin/integrations/alerts/hearing/"),
)
"""What everybody does for themselves: signing in, one's own tokens, how one hears of alerts."""
NO_DATA = {"sessions", "axes", "contenttypes", "django_q", "otp_totp", "otp_static"}
COUNTED_BY_ITSELF = {"integrations.apiuse", "integrations.heartbeat", "integrations.subscription"}
"""Also how somebody hears of alerts: it is there with the defaults from the first look at the screens."""


def addresses(*prefixes: str, ids: int = IDS) -> list[str]:
    """Every address under these prefixes, with so many ids in each place; by default the screens and the API."""
    found = _below(get_resolver().url_patterns, "/", ids)
    wanted = prefixes or ("/admin/", "/api/")
    return sorted({address for address in found if address.startswith(wanted)})


def _below(patterns: list[Any], prefix: str, ids: int) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, prefix + _plain(pattern), ids)
        elif isinstance(pattern, URLPattern):
            yield from _filled(prefix + _plain(pattern), pattern, ids)


def _plain(pattern: URLPattern | URLResolver) -> str:
    return str(pattern.pattern).removeprefix("^").removesuffix("$").replace("\\Z", "")


def _filled(address: str, pattern: URLPattern, ids: int) -> Iterator[str]:
    converters = pattern.pattern.converters
    if "(" in address:
        return
    for values in product(*(_values(name, ids, address) for name in converters)):
        filled = address
        for name, value in zip(converters, values, strict=True):
            filled = _put(filled, name, value)
        yield filled


def _put(address: str, name: str, value: str) -> str:
    start = address.index(f"{name}>")
    opening = address.rindex("<", 0, start)
    return address[:opening] + value + address[start + len(name) + 1 :]


def _values(name: str, count: int, address: str) -> list[str]:
    """What can stand in a place of an address: the first ids of what it names, else ids that exist somewhere."""
    if name == "vendor":
        return ["quickbooks", "heartland-retail"]
    if name in {"app_label", "url"}:
        return ["ledger"]
    if name in {"kind", "table", "deed", "format"}:
        return ["retry", "set_aside", "take_back", "adopt", "accounts", "mapping", "csv", "xlsx"]
    models = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
    named = [model for model in models if _names(name, address, model)]
    ids = {pk for model in named or models for pk in model._default_manager.values_list("pk", flat=True)[:12]}
    return [str(pk) for pk in sorted(pk for pk in ids if isinstance(pk, int))[:count]]


def _names(name: str, address: str, model: type[Model]) -> bool:
    """A place such as <connection_id>, or the id in an address of a table's own pages."""
    meta = model._meta
    if name in {"object_id", "id"}:
        return address.startswith(f"/admin/{meta.app_label}/{meta.model_name}/")
    return (meta.model_name or "").endswith(name.removesuffix("_id").replace("_", ""))


def everything_kept() -> dict[str, list[Any]]:
    """Every row of every table that says something, to compare before and after."""
    return {model._meta.label_lower: _rows(model) for model in apps.get_models() if _says_something(model)}


def _says_something(model: type[Model]) -> bool:
    meta = model._meta
    return meta.app_label not in NO_DATA and meta.label_lower not in COUNTED_BY_ITSELF and not meta.proxy


def _rows(model: type[Model]) -> list[Any]:
    return list(model._default_manager.order_by("pk").values_list())


class _Buttons(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []
        self._form: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = given.get("action", "") if given.get("method", "get").lower() == "post" else None
        elif self._form is not None and self._submits(tag, given):
            self.pressed.append(self._form)

    @staticmethod
    def _submits(tag: str, given: dict[str, str]) -> bool:
        kind = given.get("type", "submit" if tag == "button" else "text").lower()
        return tag in {"button", "input"} and kind in {"submit", "image"} and "disabled" not in given

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


def buttons(page: str) -> list[str]:
    """The addresses of the forms of a page that change something and can be pressed."""
    parser = _Buttons()
    parser.feed(page)
    return parser.pressed
