"""A desk with Google's forms, from the command line: real processes, their credentials, and kills in the worst moments."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from schema.check import Checked, check
from schema.job import Choice
from submit import doors, google_forms, online_forms, standing, watch
from submit.desk import CONFIG, LEDGER, POLICY, Desk, DeskError, open_desk
from submit.inbox import SourceDownError
from submit.inbox.google import Google
from submit.inbox.google_pull import GoogleInbox
from submit.inbox.google_sign_in import sign_in
from submit.inbox.published import Published, forms_of
from submit.judging import Outcome
from submit.ledger import verify
from submit.sources import AnySource
from tests.desks import denpyo, desk_in
from tests.generators.google_respondent import person
from tests.kinds_for_tests.versions import AT
from tests.submit.inbox.google_desks import credentials_file, google, published, shared
from tests.submit.inbox.google_service import RefusedError
from tests.submit.inbox.google_stand_in import DOWN, PERSON, QUOTA, SCOPE, Fault, StandIn
from tests.submit.inbox.test_google_pull import HANAKO, KIND, form_of, wants

CANARIES = ("canary", "PRIVATE KEY", "Bearer ")
KINDS_OF_CREDENTIALS = ("service_account", "authorized_user", "external_account")


@pytest.fixture
def desk(tmp_path: Path, there: StandIn) -> Desk:
    """A desk as its operator sets it up."""
    desk = desk_in(tmp_path / "desk")
    credentials_file(desk.folder, there)
    with (desk.folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(
            '\n[secrets]\ngoogle = "service_account.json"\n\n'
            f'[sources.forms]\nkind = "google"\ncredentials = "google"\nsubject = "{PERSON}"\n'
            f'responders = ["domain:example.jp"]\nendpoint = "{there.url}"\nevery = 0.2\n'
        )
    with (desk.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write("- who: ['mail:*@example.jp']\n  kinds: ['*']\n  queues: ['*']\n")
    return open_desk(desk.folder)


def states(desk: Desk) -> list[str]:
    assert verify(desk.folder / LEDGER).ok
    return [one.request.state for one in standing.all_standing(desk)]


def test_publish_and_pull_from_the_command_line(desk: Desk, there: StandIn) -> None:
    done = denpyo("forms", "publish", "google", KIND, "--lang", "en", desk=desk.folder)
    lines = done.stdout.splitlines()
    assert lines[0] == "create the form “Count starts”"
    assert lines[-2] == "share it with example.jp"
    assert lines[-1] == f"google count_starts en: https://docs.google.com/forms/d/e/{form_of(there)}/viewform"
    again = denpyo("forms", "publish", "google", KIND, "--lang", "en", "--dry-run", "--json", desk=desk.folder)
    assert json.loads(again.stdout) == {
        "form": form_of(there),
        "url": f"https://docs.google.com/forms/d/e/{form_of(there)}/viewform",
        "steps": [],
        "done": False,
    }
    response = there.service.answer(form_of(there), wants(desk, "one"), HANAKO)
    read = denpyo("forms", "pull", "google", KIND, desk=desk.folder).stdout.splitlines()
    assert read[0].startswith(f"forms: response {response}: ")
    assert read[0].endswith(" accepted")
    assert read[1] == "google count_starts: 1 responses"
    there.faults += [Fault("forms.get", RefusedError(403, "PERMISSION_DENIED", "No.\nNo."))]
    down = denpyo("forms", "pull", "google", KIND, desk=desk.folder, code=3)
    assert down.stderr == "denpyo: count_starts (en): Google does not allow it: No. No.\n"


def test_all_that_there_is_can_be_read_again_and_is_known(desk: Desk, there: StandIn) -> None:
    google_forms.publish(desk, KIND, "en")
    there.service.answer(form_of(there), wants(desk, "one"), HANAKO)
    heard: list[bool] = []

    def told(source: str, outcome: Outcome) -> None:
        heard.extend(one.known for one in outcome.responses)

    counts = [google_forms.pull(desk, KIND, told, everything=everything) for everything in (False, False, True)]
    assert (counts, heard) == ([1, 0, 1], [False, True])
    assert states(desk) == ["queued"]


def test_what_an_operator_gets_wrong_is_one_line(desk: Desk, there: StandIn) -> None:
    source = desk.config.sources["forms"]
    elsewhere = replace(desk, config=desk.config.model_copy(update={"sources": {}}))
    strangers = source.model_copy(update={"responders": ("everybody",)})
    nobody = source.model_copy(update={"credentials": "gogle"})
    lines = {
        "there is no kind nothing: `denpyo kinds` lists those there are": (desk, "nothing"),
        f"{desk.folder}/ needs one source of the kind google in denpyo.toml; it has 0": (elsewhere, KIND),
        "responders: write anyone, domain:…, group:… or user:…, not 'everybody'": (with_source(desk, strangers), KIND),
        "sources.forms: credentials is not the name of an entry of [secrets]": (with_source(desk, nobody), KIND),
    }
    for line, (wrong, kind) in lines.items():
        with pytest.raises(DeskError) as error:
            google_forms.publish(wrong, kind, "en")
        assert str(error.value) == line
    with pytest.raises(DeskError, match=r"^no form of count_starts is published: `denpyo forms publish google"):
        google_forms.pull(desk, KIND, lambda source, outcome: None)
    (desk.folder / "service_account.json").chmod(0o644)
    with pytest.raises(DeskError, match="must be a regular file of your own with mode 0600"):
        google_forms.publish(desk, KIND, "en")
    assert there.asked == {}


def with_source(desk: Desk, source: AnySource) -> Desk:
    return replace(desk, config=desk.config.model_copy(update={"sources": {"forms": source}}))


def begun(work: Callable[[], object]) -> int:
    """The id of a process of its own that does this, and has nothing to do with the stand-in's thread, of which later Pythons warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        with suppress(BaseException):
            work()
        os._exit(0)
    return process


@pytest.mark.parametrize("method", ["forms.create", "batchUpdate", "setPublishSettings", "permissions.create"])
def test_killed_after_any_step_of_publishing_there_is_one_form_and_the_next_try_finishes_it(
    desk: Desk, there: StandIn, method: str
) -> None:
    there.faults.append(Fault(method, then=lambda: os.kill(process, signal.SIGKILL)))
    process = begun(lambda: google_forms.publish(desk, KIND, "en"))
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    google_forms.publish(desk, KIND, "en")
    assert len(there.service.forms) == 1
    there.service.answer(form_of(there), wants(desk, "one"), HANAKO)
    google_forms.pull(desk, KIND, lambda source, outcome: None)
    assert states(desk) == ["queued"]


def test_watch_reads_each_response_once_however_often_it_is_killed(desk: Desk, there: StandIn) -> None:
    google_forms.publish(desk, KIND, "en")
    there.service.page = 3
    for number in range(3):
        for one in range(5):
            there.service.answer(form_of(there), wants(desk, f"n{number}-{one}"), HANAKO)
        process = begun(lambda: watch.watch(desk, lambda source, outcome: None))
        deadline = time.monotonic() + 60
        while len(standing.all_standing(desk)) <= 5 * number and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    watch.watch(desk, lambda source, outcome: None, once=True)
    assert states(desk) == ["queued"] * 15


@pytest.mark.parametrize("kind", KINDS_OF_CREDENTIALS)
def test_each_sort_of_credentials_gets_a_token_for_the_one_scope(desk: Desk, there: StandIn, kind: str) -> None:
    with google(desk.folder, there, kind) as client:
        assert client.find("nothing") == []
    assert len(there.tokens) == 1


def test_a_login_as_googles_own_tool_saves_it_is_taken(tmp_path: Path, there: StandIn) -> None:
    file = credentials_file(tmp_path, there, "authorized_user")
    saved = json.loads(file.read_text(encoding="utf-8")) | {"token": "old", "scopes": [SCOPE]}
    file.write_text(json.dumps({name: value for name, value in saved.items() if name != "type"}), encoding="utf-8")
    with Google(file, endpoint=there.url) as client:
        assert client.find("nothing") == []


def application(folder: Path, there: StandIn) -> Path:
    """An application for limited-input devices, as Google's console gives it."""
    file = folder / "google.json"
    held = {"client_id": "app", "client_secret": "app-canary", "token_uri": f"{there.url}/token"}
    file.write_text(json.dumps({"installed": held}), encoding="utf-8")
    file.chmod(0o600)
    return file


def test_somebody_signs_in_with_a_code_once_and_the_desk_may_go_on(tmp_path: Path, there: StandIn) -> None:
    file, said, slept = application(tmp_path, there), list[str](), list[float]()
    there.typing = ["authorization_pending", "slow_down", "authorization_pending"]
    sign_in(file, said.append, slept.append)
    assert said == ["Open https://www.google.com/device and type the code GQVQ-JKEC"]
    assert slept == [5, 5, 10, 10]
    assert (file.stat().st_mode & 0o777, [one.name for one in tmp_path.iterdir()]) == (0o600, ["google.json"])
    with Google(file, endpoint=there.url) as client:
        assert client.find("nothing") == []
    assert not [canary for canary in CANARIES if canary in "".join(said)]


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (["access_denied"], "nobody signed in to Google: access_denied"),
        (["authorization_pending"] * 99, "nobody signed in to Google: authorization_pending"),
    ],
    ids=["they said no", "they never came"],
)
def test_who_does_not_sign_in_leaves_the_file_as_it_was(
    tmp_path: Path, there: StandIn, answers: list[str], line: str
) -> None:
    file = application(tmp_path, there)
    before, there.typing = file.read_bytes(), answers
    with pytest.raises(SourceDownError) as nobody:
        sign_in(file, lambda _: None, lambda _: None)
    assert (str(nobody.value), file.read_bytes()) == (line, before)
    assert not [canary for canary in CANARIES if canary in "".join(traceback.format_exception(nobody.value))]


def test_only_a_source_that_somebody_signs_in_for_is_signed_in_for(desk: Desk) -> None:
    with pytest.raises(DeskError, match=r"is not the file of an application for limited-input devices$"):
        online_forms.sign_in(desk, "forms", lambda _: None)


def test_a_file_that_is_no_application_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "google.json"
    file.write_text('{"installed": "canary"}', encoding="utf-8")
    with pytest.raises(DeskError, match=r"is not the file of an application for limited-input devices$"):
        sign_in(file, lambda _: None)


WRONG: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "is not a whole file of Google credentials"),
    "no mapping": ("[]", "is not a whole file of Google credentials"),
    "a key that is none": (
        '{"type": "service_account", "client_email": "a", "token_uri": "b", "private_key": "canary"}',
        "is not a whole file of Google credentials",
    ),
    "half an application": (
        '{"type": "authorized_user", "refresh_token": "canary"}',
        "is not a whole file of Google credentials",
    ),
    "a command that gets a token": (
        '{"type": "external_account", "credential_source": {"executable": {"command": "canary"}}}',
        "holds no credentials of a service account, a workload identity (external_account) or an installed app",
    ),
    "an application that nobody let in": (
        '{"installed": {"client_id": "app", "client_secret": "canary"}}',
        "nobody has signed in with this application: run `denpyo forms sign-in`",
    ),
    "an API key": (
        '{"key": "canary"}',
        "holds no credentials of a service account, a workload identity (external_account) or an installed app",
    ),
}


@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG)
def test_credentials_that_are_none_are_one_line_without_what_is_in_them(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DeskError) as wrong:
        Google(file).find("x")
    assert str(wrong.value) == f"{file}: {line}"
    assert "canary" not in "".join(traceback.format_exception(wrong.value))


@pytest.mark.parametrize(
    "endpoint", ["http://forms.example.com", "ftp://127.0.0.1", "forms.googleapis.com", "http://127.0.0.1.evil.example"]
)
def test_a_token_is_never_sent_in_the_open(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(DeskError, match="must begin with https://"):
        Google(tmp_path / "credentials.json", endpoint=endpoint)


@pytest.mark.parametrize("kind", KINDS_OF_CREDENTIALS)
def test_no_secret_is_said_anywhere_whatever_goes_wrong(
    desk: Desk, there: StandIn, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    published(desk, there, KIND)
    said = []
    for faults in (
        [Fault("forms.get", DOWN)] * 20,
        [Fault("forms.get", QUOTA)] * 20,
        [Fault("forms.get", short=True)] * 9,
    ):
        there.faults = faults
        with pytest.raises(SourceDownError) as down:
            [*GoogleInbox(desk, google(desk.folder, there, kind)).look("")]
        said.append("".join(traceback.format_exception(down.value)))
    there.faults.clear()
    file = credentials_file(desk.folder, there, kind)
    file.write_text(file.read_text(encoding="utf-8").replace(there.url, "http://127.0.0.1:9"), encoding="utf-8")
    with pytest.raises(SourceDownError) as down:
        Google(file, PERSON, there.url, lambda _: None).find("x")
    said += ["".join(traceback.format_exception(down.value)), caplog.text]
    said += [one.read_text(encoding="latin-1") for one in (desk.folder / LEDGER).rglob("*") if one.is_file()]
    assert not [canary for canary in CANARIES for text in said if canary in text]


def test_a_grant_that_is_not_accepted_is_one_line(desk: Desk, there: StandIn) -> None:
    with pytest.raises(SourceDownError) as down, Google(credentials_file(desk.folder, there), "", there.url) as client:
        client.find("x")
    assert str(down.value) == (
        "Google does not accept the credentials: RefreshError invalid_grant: The grant is not accepted."
    )


def test_responses_to_the_form_as_it_was_are_brought_up_to_date(desk: Desk, there: StandIn) -> None:
    """Published as version 2, answered, published as version 3: what was answered before is read as version 2 asked it."""
    old, new = (replace_kinds(desk, version) for version in (2, 3))
    published(old, there, "growing")
    form = old.kinds["growing"].form
    keys = {id: one.key for id, one in forms(old)[0].questions.items()}
    values = {"data": "wine", "method": "forest", "careful": False, "learning_rate": 0.3, "wait": 3}
    there.service.answer(form_of(there), person(form, keys, values, "en"), HANAKO)
    there.service.answer(form_of(there), person(form, keys, {**values, "note": "kept"}, "en"), HANAKO)
    published(new, there, "growing")
    (delivery,) = GoogleInbox(new, shared(there.url)[0]).look("")
    first, second = (doors.read(one.data, one.name, new.kinds, through="google")[1][0] for one in delivery.sources)
    checked = check(first.answers, new.kinds)
    assert isinstance(checked, Checked), checked
    assert (first.answers.version, checked.job.answers()["optimizer"]) == (2, {"learning_rate": 0.3})
    problems = check(second.answers, new.kinds)
    assert isinstance(problems, list)
    assert [(one.code, one.where.spot, one.facts["text"]) for one in problems] == [("removed_question", "Note", "kept")]


def test_a_choice_stays_readable_when_its_option_is_worded_anew(desk: Desk, there: StandIn) -> None:
    """No new version: the same choice under another label. Who answered before saw the old one."""
    published(desk, there, "train_supervised")
    form = desk.kinds["train_supervised"].form
    keys = {id: one.key for id, one in forms(desk)[0].questions.items()}
    values = {"dataset_id": "wine", "algorithm": "linear_regression"}
    there.service.answer(form_of(there), person(form, keys, values, "en"), HANAKO)
    new = reworded(desk, "Linear regression (ridge)", "Straight line")
    published(new, there, "train_supervised")
    (delivery,) = GoogleInbox(desk, shared(there.url)[0]).look("")
    source = delivery.sources[0]
    (read,), problems = doors.read(source.data, source.name, new.kinds, through="google")[1:]
    assert (problems, read.answers.given["algorithm"].value) == ([], "linear_regression")


def reworded(desk: Desk, before: str, after: str) -> Desk:
    kind = desk.kinds["train_supervised"]
    questions = tuple(
        replace(
            one,
            choices=tuple(
                Choice(two.value, after, ja=after, when=two.when) if two.label.en == before else two
                for two in one.choices
            ),
        )
        for one in kind.form.questions
    )
    changed = replace(kind, form=replace(kind.form, questions=questions))
    return replace(desk, kinds={**desk.kinds, kind.name: changed})


def replace_kinds(desk: Desk, version: int) -> Desk:
    return Desk(desk.folder, desk.config, AT[version])


def forms(desk: Desk) -> list[Published]:
    with desk.ledger() as ledger:
        return forms_of(ledger, "google")


def test_every_row_of_the_table_of_faults_names_its_tests() -> None:
    root = Path(__file__).parents[3]
    table = (root / "docs" / "google.md").read_text(encoding="utf-8").partition("## Faults survived")[2]
    files = [*Path(__file__).parent.glob("test_google_*.py"), root / "tests/generators/test_google_form.py"]
    tests = set(re.findall(r"^def (test_\w+)", "\n".join(one.read_text(encoding="utf-8") for one in files), re.M))
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`(test_\w+)`", row) for row in rows]
    assert len(rows) == 18
    assert all(named)
    assert {one for row in named for one in row} <= tests
