"""What a machine can say about an open page: axe's findings, its width, what the browser complained about."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ([tags, rules]) => {
    const found = await axe.run(document, { runOnly: rules.length ? rules : tags, resultTypes: ["violations"] });
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => ({
        rule: id, target: node.target.join(" "), html: node.html.slice(0, 160), why: node.failureSummary.slice(0, 300),
    })));
}"""


@dataclass(frozen=True)
class Finding:
    """One element that breaks one rule."""

    rule: str
    target: str
    html: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.target} {self.html} ({self.why})"


def findings(page: Page, *, only: Iterable[str] = ()) -> list[Finding]:
    """What axe finds on the page as it stands; the debugger brings axe in, so the policy stays as strict as it is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {AXE} }}")
    rows: list[dict[str, Any]] = page.evaluate(RUN, [RULES, list(only)])
    return [Finding(**row) for row in rows]


def too_wide(page: Page) -> str:
    """By how much the page is wider than its window, and what sticks out; empty when it fits."""
    return str(page.evaluate(WIDEST))


WIDEST = """() => {
    const room = window.innerWidth, page = document.documentElement.scrollWidth;
    if (page <= room) return "";
    const out = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > room + 1);
    const named = out.slice(-3).map((one) => `${one.tagName.toLowerCase()}.${one.className}`);
    return `${page} of ${room}: ${named.join(", ")}`;
}"""


@dataclass
class Ear:
    """Hears what a browser says about the pages of one tab: errors, broken policy, requests to other hosts."""

    host: str
    said: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", lambda message: self._heard(page, message))
        page.on("pageerror", lambda error: self.said.append(f"{page.url}: {error}"))
        page.on("request", self._requested)

    def _heard(self, page: Page, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.said.append(f"{page.url}: {message.text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((f"{self.host}/", "data:", "blob:")):
            self.said.append(f"{request.frame.url}: asks {request.url}")
