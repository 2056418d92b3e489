"""The tables of the doors, by subject: connections, working together, alerts, people."""

from integrations.models.alerts import Alert, Notice, Subscription
from integrations.models.connections import AccountCreation, AccountImport, Capture, Connection
from integrations.models.deeds import BulkDeed, BulkItem
from integrations.models.people import (
    ApiToken,
    ApiUse,
    AuthenticatorApp,
    OAuthRequest,
    OneTimePassword,
    SignInPolicy,
)
from integrations.models.working import CallLog, Circuit, Cleared, Heartbeat, Lease

__all__ = [
    "AccountCreation",
    "AccountImport",
    "Alert",
    "ApiToken",
    "ApiUse",
    "AuthenticatorApp",
    "BulkDeed",
    "BulkItem",
    "CallLog",
    "Capture",
    "Circuit",
    "Cleared",
    "Connection",
    "Heartbeat",
    "Lease",
    "Notice",
    "OAuthRequest",
    "OneTimePassword",
    "SignInPolicy",
    "Subscription",
]
