"""Signing in: guessing is locked out, a second factor is asked for before anything else, idle sessions end."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from axes.models import AccessAttempt
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config import devices, first_password
from integrations.models import ApiToken, OneTimePassword
from integrations.sign_in import has_second_factor
from ledger import guards
from ledger.errors import Refused
from ledger.models import AuditRecord
from tests.config.signing_in import (
    HOME,
    PASSWORD,
    a_while_ago,
    demands,
    forget_used_codes,
    phone,
    shown_key,
    sign_in,
    somebody,
    with_phone,
)
from tests.integrations.api_people import token_of

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Holder:
    """Somebody with an authenticator app: its key, and the recovery codes."""

    person: User
    key: str
    codes: list[str]


@pytest.fixture
def maria(client: Client) -> Holder:
    """Maria, signed in as `client`, who has just set up her app."""
    person = somebody("maria")
    sign_in(client, "maria")
    return Holder(person, *with_phone(client))


def elsewhere(name: str, password: str = PASSWORD) -> Client:
    """Another browser, in which somebody has typed the password."""
    other = Client()
    sign_in(other, name, password)
    return other


def chosen_password(present: str = PASSWORD) -> dict[str, str]:
    chosen = "my very own password"
    return {"old_password": present, "new_password1": chosen, "new_password2": chosen}


def guess(client: Client, name: str, *, times: int, address: str = HOME) -> Any:
    answers = [sign_in(client, name, f"guess number {n}", address=address) for n in range(times)]
    return answers[-1]


def is_in(client: Client) -> bool:
    return bool(client.get("/admin/").status_code == 200)


# --- Guessing ------------------------------------------------------------------------------------


def test_the_fifth_wrong_password_locks_the_name_for_that_address(client: Client) -> None:
    somebody("maria")
    assert guess(client, "maria", times=4).status_code == 200
    locked = guess(client, "maria", times=1)
    assert locked.status_code == 429
    assert "Wait 15 minutes" in locked.content.decode()
    assert sign_in(client, "maria").status_code == 429, "the right password is not even looked at"
    assert not is_in(client)


def test_another_address_and_another_name_are_not_locked(client: Client) -> None:
    somebody("maria"), somebody("sam")
    guess(client, "maria", times=5)
    assert sign_in(Client(), "sam").status_code == 302
    assert sign_in(Client(), "maria", address="198.51.100.9").status_code == 302


def test_the_lock_ends_by_itself_though_somebody_goes_on_guessing(client: Client) -> None:
    somebody("maria")
    guess(client, "maria", times=5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14, seconds=50))
    assert guess(client, "maria", times=3).status_code == 429
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(seconds=20))
    assert sign_in(client, "maria").status_code == 302


def test_a_right_password_forgets_the_wrong_ones(client: Client) -> None:
    somebody("maria")
    for _ in range(3):
        guess(client, "maria", times=4)
        assert sign_in(Client(), "maria").status_code == 302


def test_wrong_passwords_and_the_lock_stand_in_the_log_without_the_password(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    somebody("maria")
    with caplog.at_level(logging.INFO):
        guess(client, "maria", times=5)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert said.count("login failure by") == 5 and "maria" in said and HOME in said
    assert "Locking out" in said
    assert "guess number" not in said
    assert "guess number" not in str(AccessAttempt.objects.values())


def test_behind_a_proxy_its_own_word_counts_and_not_what_a_guesser_says(client: Client, settings: Any) -> None:
    somebody("maria")
    settings.BEHIND_PROXY = True
    for n in range(5):
        forged = f"192.0.2.{n}, {HOME}"
        answer = sign_in(client, "maria", "wrong", address="127.0.0.1", headers={"X-Forwarded-For": forged})
    assert answer.status_code == 429
    settings.BEHIND_PROXY = False
    assert sign_in(client, "maria", address="127.0.0.1", headers={"X-Forwarded-For": HOME}).status_code == 302


# --- The second factor ---------------------------------------------------------------------------


def test_a_person_sets_up_an_app_and_is_asked_for_its_code_from_then_on(client: Client) -> None:
    maria = somebody("maria", role="Accountant")
    sign_in(client, "maria")
    page = client.get("/admin/second-factor/").content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    key, codes = with_phone(client)
    assert len(set(codes)) == 10
    assert is_in(client), "who has just shown the code need not show it again"
    forget_used_codes(maria)
    other = elsewhere("maria")
    led = other.get("/admin/ledger/posting/?state=error")
    assert led.status_code == 302 and led["Location"].startswith("/admin/second-factor/verify/?next=%2Fadmin%2Fledger")
    answer = other.post("/admin/second-factor/verify/", {"code": phone(key), "next": "/admin/ledger/posting/"})
    assert answer.status_code == 302 and answer["Location"] == "/admin/ledger/posting/"
    assert is_in(other)


def test_a_wrong_code_at_the_set_up_keeps_nothing(client: Client) -> None:
    maria = somebody("maria")
    sign_in(client, "maria")
    client.get("/admin/second-factor/")
    answer = client.post("/admin/second-factor/set-up/", {"code": "000000"})
    assert answer.status_code == 422 and "not the code the app shows now" in answer.content.decode()
    assert not has_second_factor(maria) and not AuditRecord.objects.exists()


def test_before_the_code_nothing_opens_not_even_the_change_of_the_password(client: Client) -> None:
    somebody("ines", role="Administrator")
    sign_in(client, "ines")
    with_phone(client)
    other = elsewhere("ines")
    for address in ("/admin/", "/admin/password_change/", "/admin/second-factor/", "/admin/auth/user/"):
        assert "/admin/second-factor/verify/" in other.get(address)["Location"], address
    for address in ("/admin/second-factor/remove/", "/admin/second-factor/codes/", "/admin/second-factor/set-up/"):
        assert "/admin/second-factor/verify/" in other.post(address, {"code": "1"})["Location"], address
    said = other.get("/api/v1/events/")
    assert said.status_code == 403 and said.json()["problem"] == "Sign in with your second factor first."
    said = other.get("/api/v1/events/", headers={"Authorization": "Anything at all"})
    assert said.status_code == 403, "a header does not lift what the session lacks"


def test_a_wrong_code_is_refused_and_makes_the_next_one_wait(maria: Holder) -> None:
    forget_used_codes(maria.person)
    other = elsewhere("maria")
    wrong = f"{(int(phone(maria.key)) + 1) % 1_000_000:06d}"
    assert "not right" in other.post("/admin/second-factor/verify/", {"code": wrong}).content.decode()
    answer = other.post("/admin/second-factor/verify/", {"code": phone(maria.key)})
    assert answer.status_code == 422 and "Too many wrong codes. Wait" in answer.content.decode()
    forget_used_codes(maria.person)
    assert other.post("/admin/second-factor/verify/", {"code": phone(maria.key)}).status_code == 302


def test_a_code_of_the_app_works_once(maria: Holder) -> None:
    forget_used_codes(maria.person)
    first, second = Client(), Client()
    sign_in(first, "maria"), sign_in(second, "maria")
    code = phone(maria.key)
    assert first.post("/admin/second-factor/verify/", {"code": code}).status_code == 302
    assert second.post("/admin/second-factor/verify/", {"code": code}).status_code == 422


def test_a_recovery_code_works_once_and_only_its_hash_is_kept(maria: Holder) -> None:
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert len(kept) == 10 and not kept & {code.replace("-", "") for code in maria.codes}
    for expected in (302, 422):
        other = elsewhere("maria")
        typed = maria.codes[0].upper().replace("-", " ")
        assert other.post("/admin/second-factor/verify/", {"code": typed}).status_code == expected
    used = AuditRecord.objects.get(deed="signed in with a recovery code")
    assert used.after == {"codes left": 9}


def test_the_secret_of_the_app_cannot_be_read_in_the_database(maria: Holder) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT d.key, a.secret FROM otp_totp_totpdevice d, integrations_authenticatorapp a")
        decoy, kept = cursor.fetchone()
    assert maria.key not in (decoy, kept) and len(kept) > 80
    assert TOTPDevice.objects.get().verify_token(phone(maria.key)) is False, "what django-otp keeps takes no code"


def test_keys_rotate_and_a_second_factor_without_its_key_takes_no_code(maria: Holder, settings: Any) -> None:
    old, new = settings.CREDENTIAL_KEYS, Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new]
    forget_used_codes(maria.person)
    for code in (phone(maria.key), f"{totp(b''):06d}"):
        answer = elsewhere("maria").post("/admin/second-factor/verify/", {"code": code})
        assert answer.status_code == 422 and "not right" in answer.content.decode()
        forget_used_codes(maria.person)
    settings.CREDENTIAL_KEYS = [new, *old]
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = [new]
    answer = elsewhere("maria").post("/admin/second-factor/verify/", {"code": phone(maria.key)})
    assert answer.status_code == 302


def test_apps_that_were_kept_in_clear_are_encrypted_by_the_migration(client: Client) -> None:
    migration = import_module("integrations.migrations.0003_encrypted_second_factor")
    person, secret = somebody("maria"), devices.new_secret()
    TOTPDevice.objects.create(user=person, name="Authenticator app", key=secret, confirmed=True)
    migration.encrypt(apps, None)
    assert TOTPDevice.objects.get().key != secret
    answer = elsewhere("maria").post("/admin/second-factor/verify/", {"code": phone(secret)})
    assert answer.status_code == 302
    migration.decrypt(apps, None)
    assert TOTPDevice.objects.get().key == secret


def test_the_way_back_without_the_key_is_refused_before_anything_is_changed(maria: Holder, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match=r"Put the old key .* or reset the second factor of: maria\."):
        call_command("migrate", "integrations", "0002", verbosity=0)
    assert not guards.missing(database)


def test_an_app_whose_secret_is_missing_locks_nobody_out(client: Client) -> None:
    person = somebody("maria")
    TOTPDevice.objects.create(user=person, name="Authenticator app", confirmed=True)
    sign_in(client, "maria")
    assert is_in(client)
    with_phone(client)
    assert TOTPDevice.objects.count() == 1


def test_one_persons_recovery_codes_are_no_use_to_another(client: Client) -> None:
    somebody("maria"), somebody("sam")
    sign_in(client, "maria")
    _, codes = with_phone(client)
    other = elsewhere("sam")
    with_phone(other)
    again = Client()
    sign_in(again, "sam")
    assert again.post("/admin/second-factor/verify/", {"code": codes[0]}).status_code == 422


def test_a_role_that_asks_for_a_second_factor_leads_to_the_set_up(client: Client) -> None:
    demands("Accountant", second_factor=True)
    somebody("maria", role="Accountant"), somebody("lee", role="Auditor")
    sign_in(client, "maria")
    led = client.get("/admin/ledger/posting/")
    assert led["Location"] == "/admin/second-factor/"
    assert "Your role asks for it" in client.get("/admin/second-factor/").content.decode()
    assert client.get("/api/v1/events/").status_code == 403
    with_phone(client)
    assert is_in(client)
    lee = Client()
    sign_in(lee, "lee")
    assert is_in(lee), "a role that does not ask is not asked"


def test_a_superuser_is_held_to_what_administrators_must_do(client: Client) -> None:
    demands("Administrator", second_factor=True)
    User.objects.create_superuser("root", password="a long enough password")
    sign_in(client, "root")
    assert client.get("/admin/")["Location"] == "/admin/second-factor/"


def test_a_one_time_password_and_a_required_second_factor_do_not_stand_in_each_others_way(client: Client) -> None:
    demands("Accountant", second_factor=True)
    password = first_password.issue(somebody("maria", role="Accountant"))
    sign_in(client, "maria", password)
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/admin/password_change/"
    assert client.post("/admin/password_change/", chosen_password(password)).status_code == 302
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/admin/second-factor/"
    with_phone(client)
    assert is_in(client)


def first_sign_in(client: Client, *, wanted: str = "/admin/") -> str:
    """A one-time password typed on the way to a page, and changed; where that leads."""
    password = first_password.issue(User.objects.get(username="maria"))
    typed = {"username": "maria", "password": password}
    client.post("/admin/login/", {**typed, "next": wanted}, follow=True)
    answer = client.post("/admin/password_change/", chosen_password(password), follow=True)
    assert "Your password is changed." in answer.content.decode()
    return str(answer.request["PATH_INFO"])


@pytest.mark.parametrize("wanted", ["/admin/", "/admin/ledger/posting/"])
def test_the_first_sign_in_ends_where_somebody_wanted_to_go(client: Client, wanted: str) -> None:
    somebody("maria", role="Accountant")
    assert first_sign_in(client, wanted=wanted) == wanted


@pytest.mark.parametrize("wanted", ["/admin/", "/admin/ledger/posting/?q=T1"])
def test_a_first_sign_in_with_a_second_factor_ends_where_somebody_wanted_to_go(client: Client, wanted: str) -> None:
    demands("Accountant", second_factor=True)
    somebody("maria", role="Accountant")
    assert first_sign_in(client, wanted=wanted) == "/admin/second-factor/"
    key = shown_key(client.get("/admin/second-factor/").content.decode())
    answer = client.post("/admin/second-factor/set-up/", {"code": phone(key)})
    assert f'href="{wanted}">I have kept them' in answer.content.decode()
    assert client.get(wanted).status_code == 200


def test_whoever_changes_the_password_later_is_back_on_the_overview(client: Client) -> None:
    somebody("maria", role="Accountant")
    first_sign_in(client, wanted="/admin/ledger/posting/")
    typed = {**chosen_password("my very own password"), "new_password1": "another one of mine"}
    answer = client.post("/admin/password_change/", {**typed, "new_password2": "another one of mine"})
    assert answer["Location"] == "/admin/", "what was wanted once is forgotten"


def test_what_a_script_fetches_or_a_file_is_not_where_somebody_wanted_to_go(client: Client) -> None:
    demands("Accountant", second_factor=True)
    somebody("maria", role="Accountant")
    sign_in(client, "maria")
    client.get("/admin/ledger/posting/?q=T1")
    client.get("/admin/search/?s=ab", headers={"HX-Request": "true"})
    client.get("/admin/search/?s=ab", headers={"Sec-Fetch-Mode": "cors"})
    client.get("/admin/ledger/posting/export.csv", headers={"Sec-Fetch-Mode": "navigate"})
    key = shown_key(client.get("/admin/second-factor/").content.decode())
    answer = client.post("/admin/second-factor/set-up/", {"code": phone(key)})
    assert 'href="/admin/ledger/posting/?q=T1">I have kept them' in answer.content.decode()


def test_a_one_time_password_does_not_pass_by_the_second_factor(maria: Holder) -> None:
    forget_used_codes(maria.person)
    password = first_password.issue(User.objects.get(username="maria"))
    other = elsewhere("maria", password)
    assert "/verify/" in other.get("/admin/password_change/")["Location"]
    other.post("/admin/second-factor/verify/", {"code": phone(maria.key)})
    assert other.get("/admin/")["Location"] == "/admin/password_change/"
    assert other.get("/api/v1/events/").status_code == 403


@pytest.mark.parametrize("with_app", [False, True])
def test_a_one_time_password_ends_after_a_week_and_a_new_one_begins_anew(client: Client, with_app: bool) -> None:
    maria = somebody("maria")
    if with_app:
        sign_in(client, "maria")
        with_phone(client)
    password = first_password.issue(User.objects.get(username="maria"))
    for days, led in ((6, "/admin/password_change/"), (8, "/admin/login/")):
        OneTimePassword.objects.update(issued_at=timezone.now() - timedelta(days=days))
        other = elsewhere("maria", password)
        path = other.get("/admin/password_change/", follow=True).request["PATH_INFO"]
        assert path == ("/admin/second-factor/verify/" if with_app and days == 6 else led)
    other = elsewhere("maria", password)
    answer = other.post("/admin/password_change/", chosen_password(password), follow=True)
    assert User.objects.get(pk=maria.pk).check_password(password), "too late to change it"
    assert with_app or "ended 7 days after it was made" in answer.content.decode()
    password = first_password.issue(User.objects.get(username="maria"))
    assert sign_in(other, "maria", password)["Location"] == "/admin/"
    assert "/login/" not in other.get("/admin/password_change/", follow=True).request["PATH_INFO"]


def test_removing_it_needs_a_code_once_more(client: Client, maria: Holder) -> None:
    client.post("/admin/second-factor/remove/", {"code": "123"})
    assert has_second_factor(maria.person)
    forget_used_codes(maria.person)
    client.post("/admin/second-factor/remove/", {"code": phone(maria.key)})
    assert not has_second_factor(maria.person) and not StaticToken.objects.exists()
    deeds = list(AuditRecord.objects.order_by("id").values_list("actor_name", "deed"))
    assert deeds == [("maria", "set up a second factor"), ("maria", "removed the second factor of")]


def test_an_unattended_screen_gives_no_recovery_codes_away(client: Client, maria: Holder) -> None:
    kept = set(StaticToken.objects.values_list("token", flat=True))
    for typed in ({"code": maria.codes[0]}, {}, {"code": "000000"}):
        forget_used_codes(maria.person)
        answer = client.post("/admin/second-factor/codes/", typed, follow=True)
        assert "<li><code" not in answer.content.decode() and "Nothing was changed." in answer.content.decode(), typed
    assert set(StaticToken.objects.values_list("token", flat=True)) == kept
    assert not AuditRecord.objects.filter(deed="made new recovery codes").exists()


def test_a_lost_phone_is_replaced_by_who_kept_the_recovery_codes(maria: Holder) -> None:
    other = elsewhere("maria")
    other.post("/admin/second-factor/verify/", {"code": maria.codes[0]})
    other.post("/admin/second-factor/remove/", {"code": maria.codes[1]})
    assert not has_second_factor(maria.person)
    with_phone(other)
    assert has_second_factor(maria.person) and is_in(other)


def test_an_app_that_was_set_up_meanwhile_is_not_replaced(maria: Holder) -> None:
    """Two forms at once: both pages were opened before there was an app."""
    late = devices.new_secret()
    with pytest.raises(Refused, match="set up meanwhile"):
        devices.set_up(maria.person, secret=late, code=phone(late))
    app = devices.app_of(maria.person)
    assert app is not None and app.bin_key.hex() == maria.key and devices.codes_left(maria.person) == len(maria.codes)


def test_no_recovery_codes_are_made_for_an_app_that_was_removed_meanwhile() -> None:
    with pytest.raises(Refused, match="removed meanwhile"):
        devices.renew_codes(somebody("maria"))
    assert not StaticToken.objects.exists()


def test_a_picture_that_was_shown_long_ago_sets_nothing_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    maria = somebody("maria")
    sign_in(client, "maria")
    old = shown_key(client.get("/admin/second-factor/").content.decode())
    assert shown_key(client.get("/admin/second-factor/").content.decode()) == old, "looking again changes nothing"
    later = time.time() + 16 * 60
    monkeypatch.setattr("config.second_factor_pages.time", SimpleNamespace(time=lambda: later))
    answer = client.post("/admin/second-factor/set-up/", {"code": phone(old)})
    assert answer.status_code == 422 and "shown too long ago" in answer.content.decode()
    new = shown_key(answer.content.decode())
    assert new != old and not has_second_factor(maria)
    assert client.post("/admin/second-factor/set-up/", {"code": phone(new)}).status_code == 200


def test_new_recovery_codes_end_the_old_ones(client: Client, maria: Holder) -> None:
    forget_used_codes(maria.person)
    fresh = client.post("/admin/second-factor/codes/", {"code": phone(maria.key)}).content.decode()
    assert fresh.count('<li><code class="db-code">') == 10 and maria.codes[0] not in fresh
    other = elsewhere("maria")
    assert other.post("/admin/second-factor/verify/", {"code": maria.codes[0]}).status_code == 422


def test_the_way_on_leads_nowhere_else(maria: Holder) -> None:
    forget_used_codes(maria.person)
    other = elsewhere("maria")
    answer = other.post("/admin/second-factor/verify/", {"code": phone(maria.key), "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"


# --- Sessions ------------------------------------------------------------------------------------


def test_signing_in_and_showing_the_code_each_give_the_session_a_new_key(maria: Holder) -> None:
    forget_used_codes(maria.person)
    other = Client()
    other.get("/admin/login/")
    keys = [other.session.session_key]
    sign_in(other, "maria")
    keys.append(other.session.session_key)
    other.post("/admin/second-factor/verify/", {"code": phone(maria.key)})
    keys.append(other.session.session_key)
    assert len(set(keys)) == 3


def test_whoever_clicked_nothing_for_too_long_is_signed_out(client: Client, settings: Any) -> None:
    settings.IDLE_MINUTES = 30
    somebody("maria", role="Accountant")
    sign_in(client, "maria")
    assert is_in(client)
    a_while_ago(client, minutes=29)
    assert is_in(client)
    a_while_ago(client, minutes=31)
    answer = client.get("/admin/ledger/posting/?q=1", follow=True)
    assert answer.redirect_chain[-1][0] == "/admin/login/?next=%2Fadmin%2Fledger%2Fposting%2F%3Fq%3D1"
    assert "nothing was clicked for 30 minutes" in answer.content.decode()
    assert not is_in(client)


@pytest.mark.parametrize("watches", ["/admin/?watch=1", "/admin/integrations/connections/1/status.json"])
def test_a_page_that_looks_by_itself_does_not_count_as_a_click(client: Client, settings: Any, watches: str) -> None:
    settings.IDLE_MINUTES = 30
    somebody("maria", role="Accountant")
    sign_in(client, "maria")
    is_in(client)
    a_while_ago(client, minutes=20)
    clicked = client.session["clicked_at"]
    client.get(watches)
    client.get("/admin/", headers={"X-Daybook-Watch": "1"})
    assert client.session["clicked_at"] == clicked
    is_in(client)
    assert client.session["clicked_at"] > clicked
    a_while_ago(client, minutes=31)
    assert client.get(watches).status_code == 401


def test_a_session_that_only_watches_is_signed_out(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IDLE_MINUTES = 30
    somebody("maria", role="Accountant")
    sign_in(client, "maria")
    assert client.get("/admin/overview.json").status_code == 200
    later = time.time() + 31 * 60
    monkeypatch.setattr("config.idle.time", SimpleNamespace(time=lambda: later))
    assert client.get("/admin/overview.json").status_code == 401


def test_a_session_ends_twelve_hours_after_the_sign_in_however_much_is_clicked(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    maria = somebody("maria", role="Accountant")
    sign_in(client, "maria")
    with_phone(client)
    began = timezone.now()
    for hours in range(1, 12):
        monkeypatch.setattr("django.utils.timezone.now", lambda hours=hours: began + timedelta(hours=hours))
        a_while_ago(client, minutes=1)
        assert is_in(client), f"after {hours} hours"
    client.post("/admin/password_change/", chosen_password())
    assert is_in(client), "a new key of the session"
    monkeypatch.setattr("django.utils.timezone.now", lambda: began + timedelta(hours=12, seconds=1))
    assert not is_in(client)
    forget_used_codes(maria)
    sign_in(client, "maria", "my very own password")
    assert "/verify/" in client.get("/admin/")["Location"], "the next session begins anew"


def test_the_strictest_role_counts_and_a_role_may_allow_more_than_the_setting(client: Client, settings: Any) -> None:
    settings.IDLE_MINUTES = 30
    demands("Accountant", idle_minutes=60)
    maria = somebody("maria", role="Accountant")
    sign_in(client, "maria")
    is_in(client)
    a_while_ago(client, minutes=45)
    assert is_in(client)
    demands("Auditor", idle_minutes=10)
    maria.groups.add(*maria.groups.model.objects.filter(name="Auditor"))
    a_while_ago(client, minutes=11)
    assert not is_in(client)


def test_a_changed_password_ends_the_other_sessions(client: Client) -> None:
    somebody("maria")
    other = Client()
    sign_in(client, "maria"), sign_in(other, "maria")
    client.post("/admin/password_change/", chosen_password())
    assert is_in(client) and not is_in(other)


def test_a_changed_password_ends_the_api_tokens_and_stands_in_the_audit(client: Client) -> None:
    person = somebody("maria")
    _, token = token_of(person)
    others, _ = token_of(somebody("lee"))
    sign_in(client, "maria")
    client.post("/admin/password_change/", {**chosen_password(), "old_password": "wrong"})
    assert ApiToken.objects.count() == 2 and not AuditRecord.objects.exists()
    said = client.post("/admin/password_change/", chosen_password(), follow=True).content.decode()
    assert "Your API tokens have ended" in said
    assert Client().get("/api/v1/books/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert list(ApiToken.objects.all()) == [others]
    told = AuditRecord.objects.order_by("id").values_list("actor_name", "deed", "subject")
    assert list(told) == [
        ("maria", "changed the own password", "maria"),
        ("maria", "revoked an API token of", "maria"),
    ]


def test_a_refused_change_ends_no_token_though_the_old_password_is_hashed_anew(client: Client, settings: Any) -> None:
    person = somebody("maria")
    token_of(person)
    sign_in(client, "maria")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    typed = {"old_password": PASSWORD, "new_password1": "too short", "new_password2": "too short"}
    assert client.post("/admin/password_change/", typed).status_code == 200
    assert User.objects.get().password != person.password
    assert ApiToken.objects.count() == 1 and not AuditRecord.objects.exists()


def test_the_page_after_a_change_tells_nobody_of_a_change_that_was_not(client: Client) -> None:
    somebody("maria", role="Accountant")
    sign_in(client, "maria")
    answer = client.get("/admin/password_change/done/", follow=True)
    assert answer.request["PATH_INFO"] == "/admin/" and "is changed" not in answer.content.decode()


def test_the_form_says_what_a_password_must_be_and_refuses_a_short_one(client: Client) -> None:
    somebody("maria")
    sign_in(client, "maria")
    assert "at least 12 characters" in client.get("/admin/password_change/").content.decode()
    typed = {"old_password": "a long enough password", "new_password1": "too short", "new_password2": "too short"}
    assert "too short" in client.post("/admin/password_change/", typed).content.decode()


def test_the_last_way_in_is_a_command_on_the_machine(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    somebody("ines", role="Administrator")
    sign_in(client, "ines")
    with_phone(client)
    other = Client()
    guess(other, "ines", times=5)
    token_of(User.objects.get(username="ines"))
    call_command("let_in", "ines")
    password = capsys.readouterr().out.split()[-1]
    assert sign_in(other, "ines", password).status_code == 302
    assert other.get("/admin/")["Location"] == "/admin/password_change/"
    told = AuditRecord.objects.filter(actor_name="Daybook").order_by("id").values_list("deed", flat=True)
    assert list(told) == ["removed the second factor of", "revoked an API token of", "gave a one-time password to"]
