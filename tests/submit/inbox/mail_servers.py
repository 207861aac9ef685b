"""Servers for mail on loopback: a real dovecot of this machine, a submission server, and a CA of their own that both are certified by.

Dovecot runs in a folder of its own with everybody's password ``PASSWORD``; whatever name logs in has a mailbox.
"""

from __future__ import annotations

import grp
import os
import pwd
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from imap_tools.mailbox import MailBox

HOST = "127.0.0.1"
PASSWORD = "canary-of-the-mailbox"  # noqa: S105
SUBMISSION_PASSWORD = "canary-of-the-submission"  # noqa: S105
DOVECOT = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin") or ""
CONFIG = """\
protocols = imap
listen = {host}
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
ssl_dh =
disable_plaintext_auth = yes
auth_mechanisms = plain
mail_location = maildir:~/Maildir
first_valid_uid = 1
mail_fsync = never
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
default_process_limit = 20
default_client_limit = 50
service imap {{
  service_count = 100
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
  client_limit = 50
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
"""


@dataclass(frozen=True)
class Certified:
    """Files in PEM: the CA's certificate, and the server's certificate with its key."""

    ca: Path
    server: Path

    def context(self) -> ssl.SSLContext:
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.load_cert_chain(self.server)
        return made


def certified(folder: Path, host: str = HOST) -> Certified:
    """A CA of its own, and what it certifies: a server under this address."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)

    def certificate(subject: x509.Name, of: ec.EllipticCurvePrivateKey, *, is_ca: bool) -> bytes:
        made = (
            x509.CertificateBuilder(ca_name, subject, of.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if not is_ca:
            made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        return made.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    found = Certified(folder / f"ca.{host}.pem", folder / f"server.{host}.pem")
    found.ca.write_bytes(certificate(ca_name, ca_key, is_ca=True))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    found.server.write_bytes(certificate(name, key, is_ca=False) + private)
    return found


@dataclass(frozen=True)
class Dovecot:
    """One that runs. ``port`` is that of IMAP over TLS."""

    folder: Path
    port: int
    pki: Certified

    @contextmanager
    def mailbox(self, user: str, folder: str = "INBOX") -> Iterator[MailBox]:
        """Somebody's mailbox, as a mail program sees it."""
        tls = ssl.create_default_context(cafile=str(self.pki.ca))
        with MailBox(HOST, self.port, timeout=20, ssl_context=tls).login(user, PASSWORD, initial_folder=None) as found:
            if not found.folder.exists(folder):
                found.folder.create(folder)
            found.folder.set(folder)
            yield found

    def deliver(self, user: str, *messages: bytes) -> None:
        with self.mailbox(user) as mailbox:
            for one in messages:
                mailbox.append(one)

    def messages(self, user: str, folder: str = "INBOX") -> list[tuple[str, tuple[str, ...]]]:
        """Subjects and flags of what lies in a folder."""
        with self.mailbox(user, folder) as mailbox:
            return [(one.subject, tuple(sorted(one.flags))) for one in mailbox.fetch(mark_seen=False)]

    def subjects(self, user: str, folder: str = "INBOX") -> list[str]:
        return [subject for subject, _ in self.messages(user, folder)]


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A dovecot of its own, ended by its process id. Its folder is short, for the names of sockets may not be long."""
    folder = Path(tempfile.mkdtemp(prefix="dovecot."))
    folder.chmod(0o755)
    pki = certified(folder)
    shutil.copy(pki.server, folder / "server.pem")
    (folder / "mail").mkdir()
    mine = pwd.getpwuid(os.getuid())
    owner, internal, login = mine, mine.pw_name, mine.pw_name
    if mine.pw_uid == 0:  # it refuses to serve mail as root
        owner, internal, login = pwd.getpwnam("nobody"), "dovecot", "dovenull"
        os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    port = free_port()
    (folder / "dovecot.conf").write_text(
        CONFIG.format(
            host=HOST,
            folder=folder,
            port=port,
            internal=internal,
            login=login,
            group=internal if mine.pw_uid == 0 else grp.getgrgid(mine.pw_gid).gr_name,
            password=PASSWORD,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen([DOVECOT, "-F", "-c", str(folder / "dovecot.conf")], env={"PATH": os.environ["PATH"]})
    try:
        _until_answered(port, process)
        yield Dovecot(folder, port, pki)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as found:
        return int(found.getsockname()[1])


def _until_answered(port: int, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        assert process.poll() is None, f"dovecot ended with {process.returncode}"
        try:
            with socket.create_connection((HOST, port), timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, "dovecot did not answer"
            time.sleep(0.02)


@dataclass
class Outbox:
    """A submission server (RFC 6409): STARTTLS first, then a login, then mail from whom it knows. ``says`` is its answer to a
    message; what is taken is kept, and ``meanwhile`` happens before the answer. ``passwords`` are those it was told."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    passwords: list[bytes] = field(default_factory=list)
    says: str = "250 taken"
    meanwhile: Callable[[], None] = lambda: None

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        if self.says.startswith("250"):
            self.raw.append(content)
            parsed = message_from_bytes(content, policy=default)
            assert isinstance(parsed, EmailMessage)
            self.messages.append(parsed)
        self.meanwhile()
        return self.says

    def lets_in(self, server: Server, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.passwords.append(data.password)
        good = (data.login, data.password) == (b"denpyo@desk.example", SUBMISSION_PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("gone@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def outbox(pki: Certified, *, starttls: bool = True, port: int = 0) -> Iterator[Outbox]:
    """On port 465 it speaks TLS from the first byte (RFC 8314). Without STARTTLS it takes passwords and mail from everybody, as somebody
    on the line would who hides that the server has it."""
    found = Outbox(port or free_port())
    implicit = port == 465
    upgrades = starttls and not implicit
    controller = Controller(
        found,
        hostname=HOST,
        port=found.port,
        server_hostname="outbox.example",
        ssl_context=pki.context() if implicit else None,
        tls_context=pki.context() if upgrades else None,
        require_starttls=upgrades,
        auth_required=upgrades,
        authenticator=found.lets_in,
        auth_require_tls=upgrades,  # aiosmtpd does not see that such a line is secure: a login is taken, and cannot be demanded
        decode_data=False,
    )
    controller.start()
    try:
        yield found
    finally:
        controller.stop()


@dataclass
class Accepting:
    """Takes connections one after another, until it is left."""

    port: int = 0
    _listening: socket.socket = field(default_factory=lambda: socket.create_server((HOST, 0)))
    _thread: threading.Thread | None = None

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        if self._thread:
            self._thread.join(20)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(20)
                self.serve(connection)


@dataclass
class Impostor(Accepting):
    """A server with a certificate that nobody here trusts. ``heard`` is what it was told in spite of that."""

    pki: Certified | None = None
    heard: bytes = b""

    def serve(self, connection: socket.socket) -> None:
        assert self.pki
        with self.pki.context().wrap_socket(connection, server_side=True) as secure:
            secure.sendall(b"* OK welcome\r\n")
            self.heard += secure.recv(1000)


@dataclass
class Cutter(Accepting):
    """A line to ``to`` that is cut once ``after`` bytes have come back over it, in all; ``passed`` did."""

    to: int = 0
    after: int = 0
    passed: int = 0

    def serve(self, connection: socket.socket) -> None:
        with socket.create_connection((HOST, self.to), timeout=20) as there:
            while self.passed < self.after:
                for one in select.select([connection, there], [], [], 20)[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    if one is there:
                        data = data[: self.after - self.passed]
                        self.passed += len(data)
                    (connection if one is there else there).sendall(data)
