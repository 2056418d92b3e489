"""A visitor's browser in little: pages, their forms with hidden fields, and buttons that are pressed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

TIMEOUT = 60


@dataclass
class Form:
    """A form of a page: where it goes, how, and the values it has before anybody types."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collects the forms of a page: inputs, hidden or typed, chosen options, text areas and buttons by their text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False
        self._select = self._button = self._area = ""
        self._pressed: tuple[str, str] = ("", "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
            self._open = True
        elif self._open:
            self._inside(tag, given)

    def _inside(self, tag: str, given: Mapping[str, str]) -> None:
        form, name = self.forms[-1], given.get("name", "")
        if tag == "input" and name:
            self._typed(form, name, given)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            form.values[self._select] = given.get("value", "")
        elif tag == "button":
            self._pressed, self._button = (name, given.get("value", "")), " "
        elif tag == "textarea":
            self._area = name

    @staticmethod
    def _typed(form: Form, name: str, given: Mapping[str, str]) -> None:
        if given.get("type") not in {"checkbox", "radio"}:
            form.values[name] = given.get("value", "")
        elif "checked" in given:
            form.values[name] = given.get("value", "on")

    def handle_data(self, data: str) -> None:
        if self._button:
            self._button += data
        if self._area and self._open:
            self.forms[-1].values[self._area] = data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""
        elif tag == "button" and self._open:
            self.forms[-1].buttons[" ".join(self._button.split())] = self._pressed
            self._button = ""


@dataclass(frozen=True)
class Page:
    """A page that was loaded."""

    url: str
    status: int
    html: str

    def has(self, button: str, *, to: str = "") -> bool:
        return any(button in form.buttons and to in form.action for form in self._forms())

    def form(self, *, button: str, to: str = "") -> Form:
        """The form with a button of this text whose address contains `to`. Raises LookupError when there is none."""
        for form in self._forms():
            if button in form.buttons and to in form.action:
                return form
        known = sorted({text for form in self._forms() for text in form.buttons})
        raise LookupError(f"{self.url} ({self.status}) has no button {button!r}, only {known}")

    def link(self, text: str) -> str:
        """The address behind a link of this text. Raises LookupError when there is none."""
        for address, words in re.findall(r'<a href="([^"]+)"[^>]*>([^<]*)</a>', self.html):
            if words.strip() == text:
                return urljoin(self.url, unescape(address))
        raise LookupError(f"{self.url} ({self.status}) has no link {text!r}")

    def _forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.html)
        return parser.forms


class Browser:
    """One person's session."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    def open(self, url: str) -> Page:
        answer = self.session.get(url, timeout=TIMEOUT)
        return Page(answer.url, answer.status_code, answer.text)

    def press(self, page: Page, button: str, values: Mapping[str, str] | None = None, *, to: str = "") -> Page:
        """Fill in the form that has this button and press it; redirects are followed."""
        form = page.form(button=button, to=to)
        name, value = form.buttons[button]
        filled = {**form.values, **({name: value} if name else {}), **(values or {})}
        target = urljoin(page.url, form.action)
        if form.method == "get":
            answer = self.session.get(target, params=filled, timeout=TIMEOUT)
        else:
            answer = self.session.post(target, data=filled, headers={"Referer": page.url}, timeout=TIMEOUT)
        return Page(answer.url, answer.status_code, answer.text)
