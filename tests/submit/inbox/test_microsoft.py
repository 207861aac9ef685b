"""Workbooks of responses in SharePoint: real msal and real Graph calls, against a stand-in that keeps the service's rules."""

from __future__ import annotations

import io
import json
import logging
import stat
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from openpyxl import load_workbook

from generators.excel.template import Filled, write
from schema.kinds import Kind
from submit import inbox, journey, online_forms, standing
from submit.desk import CONFIG, POLICY, Desk, DeskError, open_desk
from submit.inbox import Delivery, SourceDownError, microsoft
from submit.judging import Outcome
from submit.response import Wishes
from submit.sources import Microsoft
from tests.desks import denpyo, desk_in
from tests.generators.microsoft.workbooks import Value, exported
from tests.submit.inbox.microsoft_service import (
    CLIENT,
    DRIVE,
    FILES,
    GRAPH,
    LOGIN,
    SECRET,
    TENANT,
    Answer,
    Loopback,
    Request,
    Service,
    document,
    problem,
    served,
)

SETTINGS = f"""
[secrets]
graph = "graph.pem"

[sources.forms]
kind = "microsoft"
tenant = "{TENANT}"
client = "{CLIENT}"
sign_in = "secret"
secret = "graph"
drive = "{DRIVE}"
path = "Responses"
"""
RULES = "- who: ['mail:*@example.co.jp']\n  kinds: ['*']\n  queues: ['*']\n"


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    service.put("root", "", parent="")
    service.put("folder", "Responses", parent="root")
    service.put("other", "Other", parent="root")
    with served(service):
        yield service


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = desk_in(tmp_path / "desk")
    secret = desk.folder / "graph.pem"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    secret.chmod(0o600)
    for name, more in ((CONFIG, SETTINGS), (POLICY, RULES)):
        with (desk.folder / name).open("a", encoding="utf-8") as file:
            file.write(more)
    return open_desk(desk.folder)


@pytest.fixture
def kind(desk: Desk) -> Kind:
    return desk.kinds["count_starts"]


def settings(desk: Desk, **other: str) -> Microsoft:
    found = desk.config.sources["forms"]
    assert isinstance(found, Microsoft)
    return found.model_copy(update=other)


class Source:
    """A source with what it keeps: where it stands, and how long it was told to wait."""

    def __init__(self, desk: Desk, service: Service, **other: str) -> None:
        self.desk, self.service, self.place = desk, service, ""
        self.waited: list[float] = []
        self.opened(**other)

    def opened(self, **other: str) -> None:
        """As after a restart."""
        self.inbox = microsoft.open_inbox(self.desk, "forms", settings(self.desk, **other), Loopback(self.service.port))
        self.inbox.drive.sleep = self.waited.append

    def look(self) -> list[Delivery]:
        """One look, each delivery taken: its place is kept."""
        found = []
        for one in self.inbox.look(self.place):
            found.append(one)
            self.place = one.place
        return found

    def submitted(self) -> list[Outcome]:
        found = []
        for one in self.inbox.look(self.place):
            outcome = journey.hand_over(self.desk, journey.keep(self.desk, one.sources, Wishes(), queue=True))
            one.settle(outcome)
            found.append(outcome)
            self.place = one.place
        return found


def names(deliveries: list[Delivery]) -> list[str]:
    return [source.name for one in deliveries for source in one.sources]


def asks(desk: Desk, name: str, **more: Value) -> dict[str, Value]:
    return {"name": name, "file": str(desk.folder / "starts"), **more}


def test_what_forms_writes_into_a_workbook_becomes_requests_of_whom_it_recorded(
    desk: Desk, service: Service, kind: Kind
) -> None:
    service.put("w1", "count_starts.xlsx", exported(kind.form, "en", asks(desk, "a")))
    source = Source(desk, service)
    (outcome,) = source.submitted()
    assert outcome.problems == []
    service.put("w1", "count_starts.xlsx", exported(kind.form, "en", asks(desk, "b"), asks(desk, "c")))
    (outcome,) = source.submitted()
    edited, new = outcome.responses
    assert edited.follows == next(
        one.request.id for one in standing.all_standing(desk) if one.request.state == "superseded"
    )
    assert sorted(one.request.state for one in standing.all_standing(desk)) == ["queued", "queued", "superseded"]
    (slip,) = desk.folder.glob(f"ledger/slips/**/{new.id}.yaml")
    assert 'name: "hanako@example.co.jp"\n  trust: verified\n' in slip.read_text(encoding="utf-8")
    assert "door: microsoft" in slip.read_text(encoding="utf-8")


def test_the_policy_is_asked_for_each_sender_and_not_for_the_machine(desk: Desk, service: Service, kind: Kind) -> None:
    book = load_workbook(io.BytesIO(exported(kind.form, "en", asks(desk, "a"), asks(desk, "b"), asks(desk, "c"))))
    page = book.active
    assert page is not None
    page["D3"], page["D4"] = "mallory@elsewhere.example", "anonymous"
    data = io.BytesIO()
    book.save(data)
    service.put("w1", "count_starts.xlsx", data.getvalue())
    (outcome,) = Source(desk, service).submitted()
    assert sorted((one.where.spot, one.code) for one, _ in outcome.problems) == [
        ("Sheet1!3", "not_allowed"),
        ("Sheet1!4", "no_sender"),
    ]
    assert [one.request.state for one in standing.all_standing(desk) if one.request.state == "queued"] == ["queued"]


def test_a_template_in_the_folder_is_no_response_whatever_it_says_of_its_sender(
    desk: Desk, service: Service, kind: Kind
) -> None:
    values = {key: str(value) for key, value in asks(desk, "a").items()}
    service.put("w1", "forged.xlsx", write(kind.form, "en", "form", [Filled(values, "boss@example.co.jp")]))
    (outcome,) = Source(desk, service).submitted()
    assert [one.code for one, _ in outcome.problems] == ["not_responses"]
    assert standing.all_standing(desk) == [] or all(
        one.request.state == "refused" for one in standing.all_standing(desk)
    )


def test_a_form_that_nobody_has_answered_yet_is_no_refusal(desk: Desk, service: Service, kind: Kind) -> None:
    service.put("w1", "count_starts.xlsx", exported(kind.form, "en"))
    (outcome,) = Source(desk, service).submitted()
    assert (outcome.problems, outcome.responses) == ([], [])


def test_only_workbooks_of_the_folder_that_changed_are_read(desk: Desk, service: Service) -> None:
    for number in range(5):
        service.put(f"w{number}", f"{number}.xlsx", b"x")
    service.put("w9", "elsewhere.xlsx", b"x", parent="other")
    service.put("t1", "~$0.xlsx", b"x")
    service.put("t2", "notes.docx", b"x")
    source = Source(desk, service)
    assert names(source.look()) == ["0.xlsx", "1.xlsx", "2.xlsx", "3.xlsx", "4.xlsx"]
    assert source.look() == []
    service.put("w3", "3.xlsx", b"y")
    service.put("w9", "elsewhere.xlsx", b"y", parent="other")
    service.remove("w4")
    source.opened()
    assert names(source.look()) == ["3.xlsx"]
    assert source.look() == []


def test_a_single_workbook_is_followed_also_when_another_takes_its_place(desk: Desk, service: Service) -> None:
    service.put("w1", "one.xlsx", b"x")
    service.put("w2", "two.xlsx", b"x")
    source = Source(desk, service, path="Responses/one.xlsx")
    assert names(source.look()) == ["one.xlsx"]
    service.remove("w1")
    service.put("w3", "one.xlsx", b"z")
    service.put("w2", "two.xlsx", b"y")
    assert [one.sources[0].data for one in source.look()] == [b"z"]


def test_killed_between_two_workbooks_the_second_is_not_skipped_and_the_first_not_read_again(
    desk: Desk, service: Service
) -> None:
    source = Source(desk, service)
    assert source.look() == []
    for name in ("a", "b", "c"):
        service.put(name, f"{name}.xlsx", b"x")
    going = source.inbox.look(source.place)
    source.place = next(going).place
    source.opened()
    assert names(source.look()) == ["b.xlsx", "c.xlsx"]
    assert source.look() == []


def test_a_link_that_the_service_has_forgotten_starts_anew_without_reading_twice(desk: Desk, service: Service) -> None:
    for name in ("a", "b"):
        service.put(name, f"{name}.xlsx", b"x")
    source = Source(desk, service)
    assert names(source.look()) == ["a.xlsx", "b.xlsx"]
    service.put("b", "b.xlsx", b"y")
    service.put("c", "c.xlsx", b"y")
    service.forget()
    assert names(source.look()) == ["b.xlsx", "c.xlsx"]
    service.put("a", "a.xlsx", b"y")
    assert names(source.look()) == ["a.xlsx"]


def test_a_workbook_that_changes_while_it_is_read_is_read_again(desk: Desk, service: Service) -> None:
    service.put("w1", "one.xlsx", b"old")

    def torn(_: Request) -> Answer:
        service.put("w1", "one.xlsx", b"new")
        return 200, {}, b"torn"

    service.fail(f"{FILES}/download.aspx", torn)
    source = Source(desk, service)
    (delivery,) = source.look()
    assert delivery.sources[0].data == b"new"
    assert source.look() == []


def test_a_workbook_that_never_stands_still_is_left_for_later(desk: Desk, service: Service) -> None:
    service.put("w1", "one.xlsx", b"old")

    def changes(_: Request) -> None:
        service.put("w1", "one.xlsx", b"new")

    service.fail(f"{FILES}/download.aspx", changes, times=10)
    source = Source(desk, service)
    with pytest.raises(SourceDownError, match=r"^one\.xlsx: changes all the time; it is read again later$"):
        source.look()
    service.faults.clear()
    assert [one.sources[0].data for one in source.look()] == [b"new"]


def test_a_workbook_that_is_gone_before_it_is_read_is_passed_over(desk: Desk, service: Service) -> None:
    for name in ("a", "b"):
        service.put(name, f"{name}.xlsx", b"x")
    service.fail("items/a/content", lambda _: problem(404, "itemNotFound"))
    assert names(Source(desk, service).look()) == ["b.xlsx"]


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [("3", [3.0, 3.0]), ("", [1.0, 2.0]), ("nonsense", [1.0, 2.0]), ("Wed, 21 Oct 2015 07:28:00 GMT", [0.0, 0.0])],
)
def test_a_service_that_throttles_is_given_the_time_it_asks_for(
    desk: Desk, service: Service, retry_after: str, waits: list[float]
) -> None:
    service.put("w1", "one.xlsx", b"x")
    source = Source(desk, service)
    service.fail("root/delta", lambda _: problem(429, "activityLimitReached", {"Retry-After": retry_after}), times=2)
    assert names(source.look()) == ["one.xlsx"]
    assert source.waited == waits


def test_a_service_that_wants_a_long_rest_gets_it_without_holding_up_the_look(desk: Desk, service: Service) -> None:
    source = Source(desk, service)
    service.fail("root/delta", lambda _: problem(429, "activityLimitReached", {"Retry-After": "315"}))
    with pytest.raises(SourceDownError, match="HTTP 429 activityLimitReached: asks to be left alone for 315 s"):
        source.look()
    asked = len(service.log)
    with pytest.raises(SourceDownError, match="asked to be left alone for a while"):
        source.look()
    assert len(service.log) == asked
    assert source.waited == []


def test_a_service_that_stays_busy_is_asked_four_times_and_then_left(desk: Desk, service: Service) -> None:
    source = Source(desk, service)
    service.fail("root/delta", lambda _: problem(503, "serviceNotAvailable"), times=4)
    with pytest.raises(SourceDownError, match=r"^graph\.microsoft\.com: HTTP 503 serviceNotAvailable$"):
        source.look()
    assert source.waited == [1.0, 2.0, 4.0]
    assert source.look() == []


def test_answers_that_break_off_are_asked_for_again(desk: Desk, service: Service) -> None:
    service.put("w1", "one.xlsx", b"x" * 1000)
    source = Source(desk, service)
    service.fail("root/delta", lambda _: (200, {"Content-Length": "500"}, b'{"value": ['))
    service.fail("root:/Responses", lambda _: (200, {}, b'{"id":'))
    service.fail(f"{FILES}/download.aspx", lambda _: (200, {"Content-Length": "1000"}, b"x" * 10))
    (delivery,) = source.look()
    assert delivery.sources[0].data == b"x" * 1000
    assert source.waited == [1.0, 1.0, 1.0]


def test_a_token_that_was_revoked_is_asked_for_anew_once(desk: Desk, service: Service) -> None:
    source = Source(desk, service)
    assert source.look() == []
    service.tokens.clear()
    service.put("w1", "one.xlsx", b"x")
    assert names(source.look()) == ["one.xlsx"]
    service.fail(GRAPH, lambda _: problem(401, "InvalidAuthenticationToken"), times=2)
    with pytest.raises(SourceDownError, match="HTTP 401 InvalidAuthenticationToken: the sign-in is not accepted"):
        source.look()


def test_what_the_application_may_not_see_is_said_with_where_to_look_it_up(desk: Desk, service: Service) -> None:
    with pytest.raises(SourceDownError, match=r"HTTP 404 itemNotFound: there is no such drive, file or folder"):
        Source(desk, service, path="Nowhere").look()
    with pytest.raises(
        SourceDownError, match=r"HTTP 403 accessDenied: the application may not read this drive; docs/microsoft"
    ):
        Source(desk, service, drive="b!another").look()


def test_a_link_that_leads_away_from_graph_gets_no_token(desk: Desk, service: Service) -> None:
    source = Source(desk, service)
    service.fail("root/delta", lambda _: document({"value": [], "@odata.nextLink": "https://evil.example/v1.0"}))
    with pytest.raises(SourceDownError, match=r"answers without an @odata\.nextLink of its own"):
        source.look()
    service.put("w1", "one.xlsx", b"x")
    service.fail("content", lambda _: (302, {"Location": "http://contoso.sharepoint.com/x"}, b""))
    with pytest.raises(SourceDownError, match="names an address that is not https"):
        source.look()
    assert not [one for one in service.log if "evil" in one]


def test_another_path_in_the_settings_is_looked_at_from_the_beginning(desk: Desk, service: Service) -> None:
    service.put("w1", "one.xlsx", b"x")
    service.put("w2", "two.xlsx", b"x", parent="other")
    source = Source(desk, service)
    source.look()
    source.opened(path="Other")
    assert names(source.look()) == ["two.xlsx"]


@cache
def key_and_certificate() -> tuple[str, bytes]:
    """A PEM with a key and its certificate, and the certificate alone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "denpyo")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return (pem + certificate).decode(), certificate


def test_an_application_signs_in_by_its_certificate(desk: Desk, service: Service) -> None:
    pem, service.certificate = key_and_certificate()
    (desk.folder / "graph.pem").write_text(pem, encoding="utf-8")
    service.put("w1", "one.xlsx", b"x")
    assert names(Source(desk, service, sign_in="certificate").look()) == ["one.xlsx"]
    assert len(service.tokens) == 1


def test_tokens_are_kept_for_the_next_process_in_a_file_that_nobody_else_may_read(desk: Desk, service: Service) -> None:
    Source(desk, service).look()
    file = desk.folder / ".forms.tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Source(desk, service).look()
    assert len(service.tokens) == 1
    file.chmod(0o640)
    with pytest.raises(DeskError, match="must be a regular file of your own with mode 0600"):
        Source(desk, service)


def test_a_token_file_that_is_torn_is_written_anew(desk: Desk, service: Service) -> None:
    file = desk.folder / ".forms.tokens.json"
    for torn in ("{", "[]", ""):
        file.write_text(torn, encoding="utf-8")
        file.chmod(0o600)
        assert Source(desk, service).look() == []
    assert json.loads(file.read_text(encoding="utf-8"))


def test_a_person_signs_in_once_with_a_code(desk: Desk, service: Service) -> None:
    with pytest.raises(SourceDownError, match="nobody has signed in: run `denpyo forms sign-in forms`"):
        Source(desk, service, sign_in="device", secret="").look()
    heard: list[str] = []
    microsoft.sign_in(desk, "forms", settings(desk, sign_in="device", secret=""), heard.append, Loopback(service.port))
    assert heard == ["To sign in, open https://microsoft.com/devicelogin and enter the code AB12CD34."]
    service.put("w1", "one.xlsx", b"x")
    source = Source(desk, service, sign_in="device", secret="")
    assert names(source.look()) == ["one.xlsx"]
    service.tokens.clear()
    service.put("w1", "one.xlsx", b"y")
    assert names(source.look()) == ["one.xlsx"]
    service.tokens.clear()
    service.refreshes.clear()
    with pytest.raises(SourceDownError, match=r"the sign-in was refused: invalid_grant \(AADSTS70008\)"):
        source.look()


def test_a_source_that_signs_in_by_itself_asks_nobody(desk: Desk) -> None:
    with pytest.raises(DeskError, match=r"sources\.forms: it signs in by its secret; nobody need do it"):
        microsoft.sign_in(desk, "forms", settings(desk), print)


def test_a_secret_that_is_missing_or_open_to_others_is_not_used(desk: Desk, service: Service) -> None:
    with pytest.raises(DeskError, match=r"sources\.forms: secret is not the name of an entry of \[secrets\]"):
        Source(desk, service, **{"secret": "nothing"})
    (desk.folder / "graph.pem").chmod(0o644)
    with pytest.raises(DeskError, match=r"secrets\.graph: .*must be a regular file of your own with mode 0600"):
        Source(desk, service)


DOWN = {
    "a wrong secret": (
        "secret",
        "wrong-canary-secret",
        {},
        r"the sign-in was refused: invalid_client \(AADSTS7000215\)",
    ),
    "no certificate": (
        "certificate",
        "canary",
        {},
        r"sources\.forms: the tenant is not known or its certificate cannot be used",
    ),
    "another tenant": ("secret", SECRET, {"tenant": "elsewhere.example"}, r"sources\.forms: the tenant is not known"),
}


@pytest.mark.parametrize(("how", "secret", "other", "line"), DOWN.values(), ids=DOWN)
def test_a_sign_in_that_fails_is_one_line_without_the_secret(
    desk: Desk, service: Service, how: str, secret: str, other: dict[str, str], line: str
) -> None:
    (desk.folder / "graph.pem").write_text(secret, encoding="utf-8")
    source = Source(desk, service, sign_in=how, **other)
    with pytest.raises(SourceDownError, match=line) as caught:
        source.look()
    said = "".join(traceback.format_exception(caught.value))
    assert "canary" not in said


@pytest.mark.parametrize("answer", [(500, {}, b"canary"), (200, {}, b'{"access_token": "canary-'), (200, {}, b"[]")])
def test_a_sign_in_that_answers_nonsense_is_a_source_that_is_down(
    desk: Desk, service: Service, answer: tuple[int, dict[str, str], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.fail(f"{LOGIN}/{TENANT}/oauth2", lambda _: answer, times=4)
    with pytest.raises(SourceDownError) as caught:
        Source(desk, service).look()
    assert "canary" not in "".join(traceback.format_exception(caught.value)) + caplog.text


def test_no_secret_token_or_address_that_opens_a_file_is_ever_written(
    desk: Desk, service: Service, kind: Kind, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    said = []
    for fault in (
        lambda _: problem(503, "x"),
        lambda _: problem(403, "x"),
        lambda _: (302, {"Location": "https://["}, b""),
    ):
        service.put("w1", "one.xlsx", exported(kind.form, "en", asks(desk, "a")))
        service.fail("content", fault)
        service.fail(FILES, fault, times=5)
        source = Source(desk, service)
        try:
            source.look()
        except SourceDownError as error:
            said.append("".join(traceback.format_exception(error)))
    service.faults.clear()
    source.submitted()
    assert said
    written = [
        file
        for file in desk.folder.rglob("*")
        if file.is_file() and file.name not in ("graph.pem", ".forms.tokens.json")
    ]
    everything = "".join([*said, caplog.text, *capsys.readouterr(), source.place, repr(source.inbox)])
    assert "canary" not in everything
    assert not [file for file in written if b"canary" in file.read_bytes()]


def test_a_source_whose_libraries_are_missing_says_which_extra_brings_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    monkeypatch.delitem(sys.modules, "submit.inbox.microsoft")
    monkeypatch.delattr(inbox, "microsoft")
    with pytest.raises(DeskError, match=r"^sources\.forms: msal is missing: install denpyo with its extra microsoft$"):
        inbox.open_inbox(desk, "forms", settings(desk))


def test_the_command_line_says_what_is_wrong_with_a_sign_in_in_one_line(desk: Desk) -> None:
    done = denpyo("forms", "sign-in", "forms", desk=desk.folder, code=2)
    assert done.stderr == "denpyo: sources.forms: it signs in by its secret; nobody need do it\n"
    with pytest.raises(DeskError, match=r"^denpyo\.toml has no source named nothing that somebody signs in for$"):
        online_forms.sign_in(desk, "nothing", print)
