"""What to do about a document that cannot be read or booked: the steps in order, by its flaw. Texts only.

`{there}` is what the accounting system is called. Whoever reads them may run the company or one store.
"""

from ledger.errors import Flaw

_READ_AGAIN = "Nothing more: it is read again within a minute. Retry reads it at once."
_BY_HAND = "Book it in {there} by hand, and set it aside here with that reason."
_OR_BY_HAND = "Can it not be mended? Then it is booked in {there} by hand, and set aside here with that reason."
_NOT_YET = "Retry cannot help before an update of Daybook knows it; ask the developers for one."

STEPS: dict[Flaw, tuple[str, ...]] = {
    Flaw.TYPE: (
        "Open an event: it names the kind of document, which Daybook does not know. At the till nothing is wrong.",
        _BY_HAND,
        _NOT_YET,
    ),
    Flaw.LINE: (
        "Open an event: it names the kind of line, which Daybook does not know. At the till nothing is wrong.",
        _BY_HAND,
        _NOT_YET,
    ),
    Flaw.JSON: (
        "Press Retry on one event: what came from the till was no document, and it is fetched once more.",
        "Is it still so? Look that number up at the till.",
        _BY_HAND,
    ),
    Flaw.ID: (
        "Open an event: it says which part of the document names its class, tax or payment type in an odd way.",
        "Report it to the developers of Daybook with the number of one event. Retry cannot help before an update.",
        _BY_HAND,
    ),
    Flaw.FORM: (
        "Report it to the developers of Daybook with the number of one event. Retry cannot help before an update.",
        _BY_HAND,
    ),
    Flaw.PARTS: (
        "Open an event: it says whether the lines or the payments did not come along.",
        "See in Heartland Retail that the ticket is whole, and press Retry: its parts are read again.",
        _OR_BY_HAND,
    ),
    Flaw.ITEM: (
        "Open an event: it names the item that was not found.",
        "See in Heartland Retail that the item is there, and that the user of Daybook's token may see it.",
        "Press Retry: the document is read again with its item.",
        _OR_BY_HAND,
    ),
    Flaw.NO_STORE: (
        "Open that ticket in Heartland Retail: it names no store.",
        "Name its store there. It is read again within a minute.",
        _OR_BY_HAND,
    ),
    Flaw.TIME: (
        "Open that ticket in Heartland Retail: is it complete, and has its store a time zone there?",
        "An administrator presses Test on the till's page, which reads the stores again.",
        "Press Retry: the document is read again with its time.",
    ),
    Flaw.TENDER: (
        "Open an event: it names what is wrong with a payment.",
        "Mend it in Heartland Retail: each payment has a payment type, and is complete or voided.",
        _READ_AGAIN,
    ),
    Flaw.AMOUNT: (
        "Open an event: it names the amount that is missing or is no number.",
        "Correct that amount in Heartland Retail.",
        _READ_AGAIN,
        _OR_BY_HAND,
    ),
    Flaw.COST: (
        "Open an event: it names the item that has no unit cost.",
        "Enter the cost of that item in Heartland Retail.",
        "Press Retry: the document is read again with its cost.",
    ),
    Flaw.TOTAL: (
        "Open an event: it shows the total and the parts that do not make it up.",
        "Correct the ticket in Heartland Retail.",
        _READ_AGAIN,
    ),
    Flaw.PAYMENTS: (
        "Open an event: it shows the total, and what was paid.",
        "Correct the payments of the ticket in Heartland Retail.",
        _READ_AGAIN,
    ),
    Flaw.REOPENED: (
        "Open that ticket in Heartland Retail: it was complete before, and is open again.",
        "Complete it, or void it.",
        _READ_AGAIN,
    ),
    Flaw.STORE: (
        "Open the till's page and press Test: it reads the stores.",
        "See that the store feeds this book (on the same page).",
        "Press Retry Failed.",
    ),
    Flaw.ANSWER: (
        "Open an event: it names the entry in {there} that bears its number, and what of it cannot be read.",
        "Correct that entry in {there}; or give it another number there, if it is something else.",
        "Press Retry.",
    ),
}
