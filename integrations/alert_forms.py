"""The forms of the alert pages: the filters of the list, and how a person hears of alerts."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

from integrations import hearing, public_hosts
from integrations.models import Alert, Notice, Subscription
from ledger.errors import Refused
from ledger.models import Book


class AlertFilter(forms.Form):
    """What the list shows; nothing while one of its values cannot be read."""

    OPEN = (("", "Open"), ("closed", "Closed"), ("all", "All"))
    open = forms.ChoiceField(required=False, choices=OPEN, widget=forms.HiddenInput)
    severity = forms.ChoiceField(
        required=False, label="Severity", choices=[("", "Any severity"), *Alert.Severity.choices]
    )
    book = forms.ModelChoiceField(required=False, label="Book", queryset=Book.objects.none(), empty_label="Any book")
    mine = forms.BooleanField(required=False, label="Mine only")

    def __init__(self, data: Mapping[str, Any], *, books: Any, limited: bool) -> None:
        super().__init__(data)
        self.fields["book"].queryset = books  # type: ignore[attr-defined]
        if limited:  # of closed ones, and of who has them, a store manager sees nothing
            del self.fields["book"], self.fields["mine"]
        self.is_valid()

    @property
    def chosen(self) -> dict[str, Any]:
        return self.cleaned_data

    @property
    def which(self) -> str:
        """Empty for the open ones."""
        return str(self.cleaned_data.get("open") or "")

    @property
    def page(self) -> int:
        wanted = str(self.data.get("page", "1"))
        return min(max(1, int(wanted)), 1_000) if wanted.isdecimal() and len(wanted) < 6 else 1

    @property
    def problems(self) -> list[str]:
        """What cannot be read, by the name of its field."""
        return [f"{self[name].label or name}: {' '.join(map(str, said))}" for name, said in self.errors.items()]

    @property
    def narrows(self) -> bool:
        """Whether something besides open or closed is chosen."""
        return any(self.cleaned_data.get(name) for name in ("severity", "book", "mine"))

    def address(self, **changed: str | int) -> str:
        """The list with the same filters and these changed; from the first page on, unless it is said."""
        kept = {name: self.data.get(name, "") for name in ("open", "severity", "book", "mine")}
        query = urlencode({name: value for name, value in {**kept, **changed}.items() if value})
        return f"?{query}"


class HearingForm(forms.ModelForm):
    """When a person hears of what, and by which channel. A stored chat address is never shown again."""

    chat_url = forms.CharField(
        label="Chat address",
        required=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    forget_chat = forms.BooleanField(label="Forget the stored address", required=False)
    time_zone = forms.ChoiceField(label="Your time zone")

    class Meta:
        model = Subscription
        fields = (
            *("email_errors", "email_warnings", "chat_errors", "chat_warnings"),
            *("chat", "digest_at", "quiet_from", "quiet_until", "time_zone"),
        )
        labels = {
            "chat": "Your chat",
            "digest_at": "Send the digest at",
            "quiet_from": "Quiet from",
            "quiet_until": "Quiet until",
        }
        widgets = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
            for name in ("digest_at", "quiet_from", "quiet_until")
        }

    def __init__(self, data: Mapping[str, Any] | None = None, *, instance: Subscription) -> None:
        super().__init__(data, instance=instance)
        self.has_chat = bool(instance.chat_address.get("url"))
        zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix")))
        self.fields["time_zone"].choices = [(zone, zone) for zone in ["UTC", *zones]]  # type: ignore[attr-defined]
        self.fields["chat_url"].help_text = self._help()
        self.fields["quiet_until"].help_text = "Empty: no quiet hours. What happens in them is told at their end."
        for channel, severity in self._matrix():
            label = f"{Alert.Severity(severity).label} by {Notice.Channel(channel).label.lower()}"
            self.fields[f"{channel}_{severity}s"].label = label

    def _help(self) -> str:
        kept = "Stored; it is not shown again. Leave this empty to keep it. " if self.has_chat else ""
        return f"{kept}The address of an incoming webhook (Slack) or of a workflow's webhook (Teams). Keep it secret."

    @staticmethod
    def _matrix() -> Iterable[tuple[str, str]]:
        return (
            (channel, severity) for severity in reversed(Alert.Severity.values) for channel in Notice.Channel.values
        )

    def rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Severity by channel, as it stands on the page."""
        return [
            (str(Alert.Severity(severity).label), [self[f"{channel}_{severity}s"] for channel in Notice.Channel.values])
            for severity in reversed(Alert.Severity.values)
        ]

    def clean_chat_url(self) -> str:
        address = str(self.cleaned_data["chat_url"]).strip()
        try:
            if address:
                public_hosts.check(address)
        except Refused as refused:
            raise ValidationError(refused.sentence) from None
        return address

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if bool(cleaned.get("quiet_from")) != bool(cleaned.get("quiet_until")):
            self.add_error("quiet_until", "Quiet hours have a beginning and an end. Give both, or neither.")
        has_chat = bool(cleaned.get("chat_url") or (self.has_chat and not cleaned.get("forget_chat")))
        if self._uses("chat", cleaned) and not has_chat and "chat_url" not in self.errors:
            self.add_error("chat_url", "Give the address of the chat, or choose “Not at all” for it.")
        if self._uses("email", cleaned) and not self.instance.user.email:
            self.add_error(None, "Your user has no e-mail address. An administrator enters it under Settings > Users.")
        return cleaned

    @staticmethod
    def _uses(channel: str, cleaned: Mapping[str, Any]) -> bool:
        never = hearing.When.NEVER
        return any(cleaned.get(f"{channel}_{severity}s", never) != never for severity in Alert.Severity.values)

    def save(self, commit: bool = True) -> Subscription:
        subscription: Subscription = super().save(commit=False)
        if self.cleaned_data["forget_chat"]:
            subscription.chat_address = {}
        if self.cleaned_data["chat_url"]:
            subscription.chat_address = {"url": self.cleaned_data["chat_url"]}
        if commit:
            subscription.save()
        return subscription
