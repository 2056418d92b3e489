"""The fields in which an account is typed, once the page's script has made them."""

from re import Pattern

from playwright.sync_api import Locator, Page


def chooser(page: Page, name: str | Pattern[str]) -> Locator:
    """The field, never the list of the same name that stands there until the script has run."""
    return page.get_by_role("combobox", name=name, exact=True).and_(page.locator("input"))
