"""What is known of the company behind a connection: its name, currency and closing date."""

from integrations import vendors
from integrations.models import Connection
from ledger.clock import database_now
from ledger.models import Book


def read(connection: Connection) -> None:
    """Read the company anew. Raises Unreachable, RateLimited or AuthExpired."""
    company = vendors.accounting(connection).company()
    connection.company_name, connection.answered_at = company.name, database_now()
    connection.save(update_fields=["company_name", "answered_at"])
    Book.objects.filter(connection=connection).update(closed_through=company.closed_through, currency=company.currency)
