"""What the demo tells the person in the end."""

from typing import Any

from config.demo.places import Places, say


def show(result: dict[str, Any]) -> None:
    """The figures and the verdict of the auditor."""
    say("")
    say(f"  {result['events']:>7} financial events of Heartland Retail")
    say(f"  {result['synced']:>7} synced, of which {result['nothing_to_post']} had nothing to post")
    say(f"  {result['errors']:>7} in error")
    if result["differences"] is None:
        say("  The books and the till could not be compared.")
    else:
        _show_books(result)
    for problem in result.get("problems", []):
        say(f"  ! {problem}")


def _show_books(result: dict[str, Any]) -> None:
    say(f"  {result['entries']:>7} journal entries in QuickBooks Online, each exactly once")
    say(f"  debits {result['debits']} USD, credits {result['credits']} USD")
    verdict = "agree to the cent" if not result["differences"] else f"differ in {result['differences']} places"
    say(f"  The books and the till {verdict}, per store, day and account ({result['seconds']} s).")


def invite(where: Places, *, password: str | None) -> None:
    """Where to look now, and how to get in."""
    say("")
    say(f"  Open {where.url}/admin/")
    said = f"password {password} (for the first log-in only)" if password else "and the password that you chose"
    say(f"  Name admin, {said}")
    say("  The shop goes on selling; new tickets appear within a minute. Ctrl-C ends everything.")
