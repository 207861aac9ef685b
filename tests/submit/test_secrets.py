"""Secrets are planted wherever a desk has some, its services work and fail, and everything that was written is looked through."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import threading
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from submit.desk import CONFIG, POLICY, Desk, open_desk
from tests.canaries import leaks, spellings
from tests.desks import clearml_desk_in, command, counting, environment
from tests.standins.clearml import ClearML
from tests.submit.inbox.github_desks import DENPYO, HANAKO
from tests.submit.inbox.github_desks import counting as issue_that_counts
from tests.submit.inbox.github_service import Service, serving
from tests.submit.inbox.google_stand_in import PERSON, stand_in
from tests.submit.inbox.mail_servers import HOST, Accepting, Certified, certified

TOKEN, MAILBOX, MAIL, GRAPH = (
    "canary-github-9f3a51",
    "canary-mailbox-77b0e2",
    "canary-mail-51d0aa",
    "canary-graph-b81c3d",
)
HOOK, TEAMS = "canary-slackhook-e0f9b3", "canary-teamshook-64d2c1"
CONF, AROUND, SIGNED = "canary-clearmlconf-0c55e1", "canary-environment-31f8d4", "canary-signature-a02b7c"
PLANTED = (TOKEN, MAILBOX, MAIL, GRAPH, HOOK, TEAMS, CONF, AROUND, SIGNED)
TENANT = "11111111-2222-3333-4444-555555555555"
SOURCES = """
[mail]
host = "127.0.0.1"
port = {smtp}
sender = "denpyo@desk.example"
ca = "ca.pem"
[sources.folder]
kind = "folder"
path = "in"
[sources.issues]
kind = "github"
repository = "example/jobs"
token = "github"
url = "{github}"
[sources.letters]
kind = "mail"
host = "127.0.0.1"
port = {imap}
user = "forms@desk.example"
password = "mailbox"
authserv_id = "mx.desk.example"
ca = "ca.pem"
[sources.forms]
kind = "google"
credentials = "google"
subject = "{person}"
endpoint = "{google}"
[sources.sheets]
kind = "microsoft"
tenant = "{tenant}"
client = "{tenant}"
sign_in = "secret"
secret = "graph"
drive = "d"
path = "Responses"
[sources.page]
kind = "clearml"
[replies.slack]
webhook = "slack"
events = ["accepted", "refused"]
[replies.teams]
webhook = "teams"
events = ["accepted", "refused"]
[secrets]
slack = "secrets/slack"
teams = "secrets/teams"
github = "secrets/github"
mailbox = "secrets/mailbox"
mail = "secrets/mail"
google = "secrets/google"
graph = "secrets/graph"
"""


class Echo(BaseHTTPRequestHandler):
    """Refuses everything and repeats what it was sent, as careless servers do in their error texts."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        heard = f"{dict(self.headers)} {self.path} {body}"
        said = json.dumps(
            {"message": heard, "error": {"code": 403, "message": heard, "status": heard}, "meta": {"result_msg": heard}}
        )
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said.encode())))
        self.end_headers()
        self.wfile.write(said.encode())

    do_GET = do_POST = do_PUT = do_PATCH = answer

    def log_message(self, format: str, *args: object) -> None:
        pass


class EchoingMail(Accepting):
    """A mail server that takes no password and repeats it; IMAP, and SMTP where it is asked so."""

    pki: Certified

    def serve(self, connection: socket.socket) -> None:
        with self.pki.context().wrap_socket(connection, server_side=True) as secure:
            secure.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
            while heard := secure.recv(10_000):
                tag, _, rest = heard.strip().partition(b" ")
                good = rest.upper().startswith((b"CAPABILITY", b"LOGOUT"))
                secure.sendall(
                    b"* CAPABILITY IMAP4rev1\r\n" + tag + (b" OK done\r\n" if good else b" NO wrong: " + rest + b"\r\n")
                )


@contextmanager
def echoing() -> Iterator[str]:
    server = ThreadingHTTPServer((HOST, 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def desk_with_secrets(folder: Path, signs_in: Mapping[str, object], **where: object) -> Desk:
    made = clearml_desk_in(folder)
    (made.folder / "secrets").mkdir(mode=0o700)
    (made.folder / "in").mkdir()
    held = {"github": TOKEN, "mailbox": MAILBOX, "mail": MAIL, "graph": GRAPH, "google": json.dumps(signs_in)}
    held |= {name: f"{where['chats']}/{hook}" for name, hook in (("slack", HOOK), ("teams", TEAMS))}
    for name, secret in held.items():
        (made.folder / "secrets" / name).write_text(f"{secret}\n", encoding="utf-8")
        (made.folder / "secrets" / name).chmod(0o600)
    with (made.folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(SOURCES.format(tenant=TENANT, person=PERSON, **where))
    with (made.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write("- who: ['github:583231']\n  kinds: ['*']\n  queues: ['*']\n")
    return open_desk(made.folder)


def work_of_a_day(desk: Desk, more: Mapping[str, str]) -> str:
    """What an operator does, and all that is printed by it, tracebacks too. Nothing outside this machine is reached."""
    nowhere = {"HTTPS_PROXY": f"http://{HOST}:9", "NO_PROXY": f"{HOST},localhost", "PYTHONFAULTHANDLER": "1"}
    around = environment(desk.folder) | {"AWS_SECRET_ACCESS_KEY": AROUND, "GITHUB_TOKEN": AROUND} | nowhere | dict(more)
    signed = desk.folder / "in" / "signed.yaml"
    address = f"https://b.s3.example.com/x?X-Amz-Signature={SIGNED}"
    asked = f'kind: train_supervised\njob: {{dataset_id: "{address}", algorithm: svm}}\n'
    day: list[list[str | Path]] = [
        ["submit", counting(desk.folder.parent, "one")],
        ["watch", "--once"],
        ["status", "--inbox"],
        ["forms", "publish", "google", "count_starts", "--lang", "en"],
        ["clearml", "sync", "count_starts"],
        ["audit", "backup", "-o", desk.folder / "backup"],
        ["status", "--json"],
    ]
    signed.write_text(asked, encoding="utf-8")
    said = []
    for words in day:
        done = subprocess.run(command(*words), env=around, capture_output=True, text=True, check=False, timeout=120)
        said.append(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    for dropped in (desk.folder / "in").rglob("signed.*"):
        dropped.unlink()  # the person's own file and its marked copy: their answers, for nobody else
    return "\n".join(said)


def conf(folder: Path, api: str) -> Path:
    file = folder / "clearml.conf"
    credentials = f'credentials {{ access_key = "ACCESS", secret_key = "{CONF}" }}'
    file.write_text(
        f'api {{ api_server = "{api}", web_server = "{api}", files_server = "{api}", {credentials} }}\n',
        encoding="utf-8",
    )
    file.chmod(0o600)
    return file


def nothing_leaked(desk: Desk, said: str, canaries: tuple[str, ...]) -> None:
    key = desk.folder / "audit.key"
    held = [*(desk.folder / "secrets").iterdir(), desk.folder.parent / "clearml.conf", key]
    (desk.folder / "said.txt").write_text(said, encoding="utf-8")
    assert leaks(desk.folder, [*canaries, key.read_text(encoding="utf-8").strip()[-40:]], held) == []
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.untraced
def test_where_every_service_refuses_and_repeats_what_it_heard_no_secret_is_written(tmp_path: Path) -> None:
    pki = certified(tmp_path)
    mail = EchoingMail()
    mail.pki = pki
    with echoing() as echo, mail, stand_in() as google:
        credentials = google.credentials("authorized_user", tmp_path) | {"token_uri": f"{echo}/token"}
        where = {"github": echo, "google": echo, "chats": echo, "imap": mail.port, "smtp": mail.port}
        desk = desk_with_secrets(tmp_path / "desk", credentials, **where)
        (desk.folder / "ca.pem").write_bytes(pki.ca.read_bytes())
        said = work_of_a_day(desk, {"CLEARML_CONFIG_FILE": str(conf(tmp_path, echo))})
    assert "denpyo: " in said
    nothing_leaked(desk, said, (*PLANTED, "refresh-canary", "app-canary"))


@pytest.mark.slow
@pytest.mark.untraced
def test_where_services_work_no_secret_is_written_nor_sent_to_another(tmp_path: Path, clearml_server: ClearML) -> None:
    service = Service("example/jobs", {TOKEN: DENPYO})
    with serving(service), stand_in() as google:
        desk = desk_with_secrets(
            tmp_path / "desk",
            google.credentials("authorized_user", tmp_path),
            github=service.url,
            chats="http://127.0.0.1:9",
            google=google.url,
            imap=9,
            smtp=9,
        )
        (desk.folder / "ca.pem").write_bytes(certified(tmp_path).ca.read_bytes())
        issue = service.opened(HANAKO, issue_that_counts(desk), "denpyo")
        around = {**clearml_server.environment(), "CLEARML_CONFIG_FILE": str(tmp_path / "none.conf")}
        said = work_of_a_day(desk, around)
    assert "queued" in said
    canaries = (*PLANTED, "refresh-canary", "app-canary", around["CLEARML_API_SECRET_KEY"], *google.tokens)
    nothing_leaked(desk, said, canaries)
    sent = json.dumps([*clearml_server.tasks.values()], default=str) + json.dumps([one.body for one in issue.comments])
    assert len(clearml_server.tasks) > 1
    assert [canary for canary in canaries if any(one in sent.encode() for one in spellings(canary))] == []


@pytest.mark.parametrize(
    "how", ["plain", "base64", "authorization", "hexadecimal", "percent", "utf-16", "name", "sqlite", "xlsx"]
)
def test_what_looks_for_secrets_finds_those_that_are_there(how: str, tmp_path: Path) -> None:
    canary, file = "canary-%/secret-5d2c", tmp_path / "deep" / "file"
    file.parent.mkdir()
    spelt = {
        "plain": canary.encode(),
        "base64": b64encode(canary.encode()),
        "authorization": b64encode(f"desk:{canary}".encode()),
        "hexadecimal": canary.encode().hex().encode(),
        "percent": b"?x=canary-%25%2Fsecret-5d2c&",
        "utf-16": canary.encode("utf-16"),
    }
    if how in spelt:
        file.write_bytes(b"before" + spelt[how] + b"after")
    elif how == "name":
        (tmp_path / "canary-5d2c.txt").write_bytes(b"")
        canary = "canary-5d2c"
    elif how == "sqlite":
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("CREATE TABLE t (x TEXT)")
            db.executemany(
                "INSERT INTO t VALUES (?)", [("x" * 3000 + canary + "y" * number,) for number in range(0, 4000, 500)]
            )
    else:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/sharedStrings.xml", canary * 10)
    assert leaks(tmp_path, [canary])
    assert leaks(tmp_path, ["another-canary"]) == []
    assert leaks(tmp_path, [canary], [file, tmp_path / "canary-5d2c.txt"]) == []
