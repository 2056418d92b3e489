"""The ways out for a message: e-mail, Slack, Microsoft Teams. What leaves, in which form, and what an answer means.

Slack: an incoming webhook takes {"text", "blocks"} (docs.slack.dev, "Sending messages using incoming webhooks").
Teams: a workflow's webhook takes a message whose attachment is an Adaptive Card (learn.microsoft.com, "Create incoming
webhooks with Workflows"). The address of either is a secret: whoever has it can write there.
"""

import json
import smtplib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from integrations import public_hosts
from integrations.deadlines import Call, OutOfTime, within
from integrations.http import Http, retry_after
from integrations.models import Notice, Subscription
from integrations.secrets import Sealed
from ledger.errors import DaybookError, OutcomeUnknown

TIMEOUT = 15.0
"""Seconds for a whole message, whatever trickles in meanwhile."""
MOST_LINES = 100
SLACK_TEXT, SLACK_BLOCKS = 2900, 45
"""Slack takes 3,000 characters in a section and 50 blocks in a message."""
TEAMS_BYTES = 24_000
"""Teams takes 28 KB in a message."""
SEALED = (
    "The stored address of the chat cannot be decrypted: CREDENTIAL_KEYS does not hold its key any more. Put that key "
    "back, or enter the address again."
)
CARD = "application/vnd.microsoft.card.adaptive"


@dataclass(frozen=True)
class Line:
    """One thing told: a word for what happened, the sentence, where and how much, and its page."""

    word: str
    sentence: str
    detail: str = ""
    link: str = ""


@dataclass(frozen=True)
class Message:
    """What one person reads at once. `key` stays the same when it is sent again."""

    key: str
    subject: str
    intro: str
    lines: tuple[Line, ...] = ()
    link: str = ""

    @property
    def shown(self) -> tuple[Line, ...]:
        return self.lines[:MOST_LINES]

    @property
    def left_out(self) -> int:
        return max(0, len(self.lines) - MOST_LINES)


class NotDelivered(Exception):
    """Why a message did not go through. `surely`: nothing arrived. `final`: trying again changes nothing."""

    def __init__(
        self, sentence: str, *, surely: bool = True, final: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.surely = surely
        self.final = final
        self.retry_after = retry_after


def deliver(message: Message, *, subscription: Subscription, channel: str, seconds: float | None = None) -> None:
    """Send now, in so many seconds at most, or raise NotDelivered."""
    if channel == Notice.Channel.EMAIL:
        _send_email(message, to=subscription.user.email, seconds=seconds or TIMEOUT)
        return
    if isinstance(subscription.chat_address, Sealed):
        raise NotDelivered(SEALED, final=True)
    address = str(subscription.chat_address.get("url", ""))
    _send_chat(FORMATS[subscription.chat](message), address=address, seconds=seconds or TIMEOUT)


# --- E-mail ---------------------------------------------------------------------------------------


def message_id(key: str) -> str:
    """The same for the same message: a mail system that has it already can drop the second copy."""
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{key}@{host or 'daybook.invalid'}>"


def _send_email(message: Message, *, to: str, seconds: float) -> None:
    context = {"message": message}
    mail = EmailMultiAlternatives(
        subject=" ".join(message.subject.split())[:200],
        body=render_to_string("integrations/mail/message.txt", context),
        to=[to],
        headers={"Message-ID": message_id(message.key), "Auto-Submitted": "auto-generated"},
        connection=get_connection(fail_silently=False, timeout=seconds),
    )
    mail.attach_alternative(render_to_string("integrations/mail/message.html", context), "text/html")
    try:
        within(seconds, lambda _: mail.send())  # the mail server is our own: it ends by its own timeout
    except OutOfTime:
        raise NotDelivered(f"The mail server gave no answer within {seconds:g} seconds.", surely=False) from None
    except (smtplib.SMTPException, OSError, ValueError) as failure:
        raise _mail_failure(failure) from None


def _mail_failure(failure: Exception) -> NotDelivered:
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(failure.recipients.values()))
        return NotDelivered(f"The mail server refused the address: {_words(code, words)}", final=code >= 500)
    if isinstance(failure, smtplib.SMTPAuthenticationError):
        return NotDelivered("The mail server refused our user or password (EMAIL_URL).")
    if isinstance(failure, smtplib.SMTPDataError | smtplib.SMTPSenderRefused):
        said = _words(failure.smtp_code, failure.smtp_error)
        return NotDelivered(f"The mail server refused the message: {said}", final=failure.smtp_code >= 500)
    if isinstance(failure, smtplib.SMTPConnectError | ConnectionRefusedError | socket.gaierror):
        return NotDelivered("The mail server cannot be reached (EMAIL_URL).")
    if isinstance(failure, ValueError):
        return NotDelivered("The e-mail address of this person cannot be written in a message. Correct it.", final=True)
    return NotDelivered(f"The mail server gave no answer ({type(failure).__name__}).", surely=False)


def _words(code: int, words: bytes | str) -> str:
    said = words.decode(errors="replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(said.split())[:200]}"


# --- Chat -----------------------------------------------------------------------------------------


def slack(message: Message) -> dict[str, Any]:
    """The body for an incoming webhook: `text` is what a notification shows, `blocks` is what one reads."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:150], "emoji": False}},
        _section(_slack_text(message.intro)),
    ]
    shown = [_slack_line(line) for line in message.shown[: SLACK_BLOCKS - len(blocks)]]
    blocks += [_section(line) for line in shown]
    left_out = len(message.lines) - len(shown)
    closing = [f"and {left_out} more"] if left_out else []
    closing += [f"<{message.link}|Open Daybook>"] if message.link else []
    if closing:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": ". ".join(closing)}]})
    return {"text": _slack_text(message.subject), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SLACK_TEXT]}}


def _slack_line(line: Line) -> str:
    detail = "\n".join(filter(None, [_slack_text(line.detail), f"<{line.link}|What to do>" if line.link else ""]))
    return f"*{line.word}*: {_slack_text(line.sentence)[: SLACK_TEXT - 600]}\n{detail}".strip()


def _slack_text(text: str) -> str:
    """These three begin commands in Slack (docs.slack.dev, "Formatting message text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(message: Message) -> dict[str, Any]:
    """The body for a workflow's webhook: a message that holds one Adaptive Card."""
    subject, intro = _teams_text(message.subject), _teams_text(message.intro)
    body = [_block(subject, weight="Bolder", size="Medium"), _block(intro)]
    room = TEAMS_BYTES - len(json.dumps(body))
    shown = 0
    for line in message.shown:
        blocks = [
            _block(_teams_text(f"{line.word}: {line.sentence}"), separator=True),
            _block(_linked(line), isSubtle=True),
        ]
        room -= len(json.dumps(blocks))
        if room < 0:
            break
        body += blocks
        shown += 1
    if shown < len(message.lines):
        body.append(_block(f"and {len(message.lines) - shown} more", isSubtle=True))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open Daybook", "url": message.link}]
    return {"type": "message", "attachments": [{"contentType": CARD, "contentUrl": None, "content": card}]}


def _block(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}


def _teams_text(text: str) -> str:
    """A block is read as Markdown: what a vendor said becomes no link of its own."""
    return text.replace("](", "] (")


def _linked(line: Line) -> str:
    link = f"[What to do]({line.link})" if line.link else ""
    return " ".join(filter(None, [_teams_text(line.detail), link])) or "-"


FORMATS: dict[str, Callable[[Message], dict[str, Any]]] = {
    Subscription.Chat.SLACK: slack,
    Subscription.Chat.TEAMS: teams,
}


def _send_chat(body: dict[str, Any], *, address: str, seconds: float | None = None) -> None:
    limit = seconds or TIMEOUT
    try:
        status, headers = within(limit, lambda call: _post(body, address=address, call=call, seconds=limit))
    except (OutOfTime, OutcomeUnknown):
        raise NotDelivered("The chat gave no definite answer.", surely=False) from None
    except DaybookError as refused:
        raise NotDelivered(f"The chat cannot be reached. {refused.sentence}") from None
    _judge(status, headers)


def _post(body: dict[str, Any], *, address: str, call: Call, seconds: float) -> tuple[int, Mapping[str, str]]:
    """The status and headers of the answer; its body is a stranger's, and nobody reads it."""
    public_hosts.check(address)
    with public_hosts.session(call) as session:
        # The whole address is the base: what stands in a path is logged.
        with Http(address, timeout=seconds, session=session).guarded("POST", "", write=True):
            answer = session.post(
                address,
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
                timeout=seconds,
                allow_redirects=False,
                stream=True,
            )
        answer.close()
    return answer.status_code, answer.headers


def _judge(status: int, headers: Mapping[str, str]) -> None:
    """Slack answers 200, Teams 202. What else a host says is shown to nobody: it need not be a chat at all."""
    if status in {200, 201, 202, 204}:
        return
    if status == 429:
        raise NotDelivered("The chat asks us to slow down.", retry_after=retry_after(headers.get("Retry-After")))
    if status >= 500:
        raise NotDelivered(f"The chat gave no definite answer (HTTP {status}).", surely=False)
    what = "Make a new webhook there and enter its address." if status in {401, 403, 404, 410} else ""
    raise NotDelivered(f"The chat refused the message: HTTP {status}. {what}".strip(), final=status not in {408, 425})
