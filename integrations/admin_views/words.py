"""Words of the integration pages."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 event`, `1,204 events`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
