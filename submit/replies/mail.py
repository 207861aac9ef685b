"""What people hear by mail: which requests were accepted, what to correct and where, and their sheet back, marked.

An answer says that a program wrote it (RFC 3834) and belongs to the thread of what it answers. Text from people stands in it as plain
text only; a header takes nothing that could begin another.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from schema.problem import Problem, shown
from schema.words import languages, text
from submit import standing
from submit.desk import Desk, DeskError, Mail, now, secret
from submit.inbox import SourceDownError
from submit.judging import Outcome
from submit.replies import foot
from submit.replies.channel import PutOffError, RefusedError
from submit.replies.news import WAITS, places_in_queue
from submit.terminal import changes

PASSWORD = "mail"  # noqa: S105
IMPLICIT_TLS = 465
SECONDS = 60
MOST = 50
"""Lines of one sort that an answer lists; the marked copies have all of them."""
SHEET = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BY_RULES = (
    "no_policy",
    "not_allowed",
    *(f"over_{one}" for one in ("gpus", "hours", "gpu_hours", "month", "open")),
    "was_rejected",
)
"""Problems that no cell is to blame for."""
REFUSALS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
IDS = ("message-id", "in-reply-to", "references")


class UndeliverableError(RefusedError):
    """An answer that the mail server will never take for this person: one line for the operator."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, before it is spelled as a message. ``id`` and ``references`` are message ids; ``copies`` are names and bytes of
    workbooks, ``pages`` of pages in HTML. ``automatic`` says in what way no person wrote it (RFC 3834, section 5)."""

    to: str
    subject: str
    body: str
    id: str
    references: Sequence[str] = ()
    copies: Sequence[tuple[str, bytes]] = ()
    pages: Sequence[tuple[str, bytes]] = ()
    automatic: str = "auto-replied"


def body(desk: Desk, outcome: Outcome, *, copied: bool) -> str:
    """What became of what was handed in, in the language of whoever filled it in. ``copied``: whether marked copies come along."""
    language = next((one.language for one in outcome.responses if one.language), desk.config.language)
    good = not outcome.problems
    said = [text("mail_good" if good else "mail_bad", language)]
    if copied:
        said.append(text("mail_receipt" if good else _to_do(outcome), language))
    problems = [f"{_place(one)}: {one.message(language)}" for one, _ in outcome.problems]
    warnings = [f"{_place(one)}: {one.message(language)}" for one, _ in outcome.warnings]
    return _paragraphs(
        *said,
        _listed("excel_marked_problems", problems, language),
        _listed("excel_marked_requests", [*_requests(desk, outcome, language), *_refused(outcome, language)], language),
        _listed("excel_marked_warnings", warnings, language),
        _listed("excel_marked_changes", [*changes(desk, outcome)], language),
        signature(desk, language, asks=any(one.id for one in outcome.responses)),
    )


def _to_do(outcome: Outcome) -> str:
    """The text that says what to do with a marked copy: no cell is red where only the rules are against it."""
    red = any(one.code not in BY_RULES for one, _ in outcome.problems)
    return "mail_correct" if red else "mail_correct_other"


def _refused(outcome: Outcome, language: str) -> list[str]:
    """The numbers under which what was refused can be asked about."""
    kept = {one.id for one in outcome.requests}
    refused = {one.id: one for one in outcome.responses if one.id and one.problems and one.id not in kept}
    return [f"{id}  {text('receipt_refused', language)}  {shown(str(one.where), 200)}" for id, one in refused.items()]


def signature(desk: Desk, language: str, *, asks: bool = True) -> str:
    """The end of every answer, with the newest checkpoint. It asks for the number only where there is one."""
    footer = "mail_footer" if asks else "mail_footer_plain"
    return "\n".join(["-- ", text(footer, language), *foot.lines_of(foot.newest_checkpoint(desk))])


def body_without_forms(desk: Desk, problem: Problem) -> str:
    """What is wrong with a message as a whole, in every language: nothing tells which one its writer reads."""
    first = desk.config.language
    inorder = sorted(languages(), key=lambda one: one != first)
    return _paragraphs(*(problem.message(one) for one in inorder), signature(desk, first, asks=False))


def _requests(desk: Desk, outcome: Outcome, language: str) -> list[str]:
    """Each request with its number and how it stands; with the address of its run where there is one."""
    found = standing.standings(desk, [one.id for one in outcome.requests[:MOST]])
    places = places_in_queue(desk, [one.run.run for one in found.values() if one.run and one.run.state in WAITS])
    lines = []
    for one in outcome.requests:
        now_stands = found.get(one.id)
        state = text(now_stands.receipt, language) if now_stands else ""
        url = (now_stands.run.url if now_stands and now_stands.run else "") or ""
        place = places.get(now_stands.run.run) if now_stands and now_stands.run else None
        state += text("receipt_place", language, place=str(place)) if place else ""
        link = f"\n  {url}" if url.startswith(("https://", "http://")) else ""
        lines.append(f"{one.id}  {state}  {shown(str(one.where), 200)}{link}")
    return lines


def _place(problem: Problem) -> str:
    return shown(str(problem.where), 200)


def _listed(heading: str, lines: Sequence[str], language: str) -> str:
    if not lines:
        return ""
    more = [text("excel_marked_more", language, count=str(len(lines) - MOST))] if len(lines) > MOST else []
    return "\n".join([text(heading, language), *(f"- {one}" for one in lines[:MOST]), *more])


def _paragraphs(*said: str) -> str:
    return "\n\n".join(one for one in said if one) + "\n"


class _Policy(EmailPolicy):
    """RFC 5322 with CRLF. Message ids stay whole: Python would encode those that are longer than a line (RFC 2047), and no mail program
    knows them again."""

    def fold(self, name: str, value: str) -> str:
        if name.lower() in IDS:
            return f"{name}: {(self.linesep + ' ').join(value.split())}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii") if name.lower() in IDS else super().fold_binary(name, value)


def message(sender: str, reply: Reply) -> bytes:
    """The answer as it goes over the wire."""
    made = EmailMessage(policy=_Policy(linesep="\r\n", cte_type="7bit"))
    made["From"] = sender
    made["To"] = reply.to
    made["Subject"] = shown(reply.subject, 200)
    made["Date"] = format_datetime(now())
    made["Message-ID"] = reply.id
    if reply.references:
        made["In-Reply-To"] = reply.references[-1]
        made["References"] = " ".join(reply.references)
    made["Auto-Submitted"] = reply.automatic
    made.set_content(reply.body)
    for name, data in reply.copies:
        made.add_attachment(data, maintype="application", subtype=SHEET, filename=name)
    for name, data in reply.pages:
        made.add_attachment(data, maintype="text", subtype="html", filename=name)
    return made.as_bytes()


def refuse_unready(desk: Desk) -> None:
    """DeskError where denpyo.toml names no server for answers, or its password or certificates cannot be read."""
    mail = _settings(desk)
    _password(desk)
    context(desk, mail.ca)


def sender(desk: Desk) -> str:
    """The address that answers are from."""
    return _settings(desk).sender


def send(desk: Desk, reply: Reply) -> None:
    """Hand an answer to the mail server. UndeliverableError where it will never take it for this person, SourceDownError where it does not
    do as it should; neither says more of the server's words than their code."""
    mail = _settings(desk)
    try:
        server = _connected(mail, context(desk, mail.ca))
        try:
            if PASSWORD in desk.config.secrets:
                server.login(mail.user or mail.sender, _password(desk))
            _handed_over(server, mail, reply)
            with suppress(smtplib.SMTPException, OSError):  # it has the message: what it says now changes nothing
                server.quit()
        finally:
            server.close()
    except smtplib.SMTPException as error:
        code = _code(error)
        if isinstance(error, REFUSALS) and code >= 500:
            raise UndeliverableError(f"{mail.host} does not take the answer to {reply.to} ({code})") from error
        if isinstance(error, REFUSALS):
            raise PutOffError(f"{mail.host}: {type(error).__name__} ({code})") from error
        raise SourceDownError(f"{mail.host}: {type(error).__name__}{f' ({code})' if code else ''}") from error
    except (OSError, DeskError) as error:
        raise SourceDownError(f"{mail.host}: {error}") from error


def _handed_over(server: smtplib.SMTP, mail: Mail, reply: Reply) -> None:
    """PutOffError where the server hangs up over this message, as what looks into messages on the way does: others may go through."""
    try:
        server.sendmail(mail.sender, [reply.to], message(mail.sender, reply))
    except smtplib.SMTPServerDisconnected as error:
        if isinstance(error.__context__, TimeoutError):
            raise
        raise PutOffError(f"{mail.host}: {type(error).__name__}") from error


def _connected(mail: Mail, tls: ssl.SSLContext) -> smtplib.SMTP:
    """The server, reached over TLS. What does not offer it hears nothing more."""
    if mail.port == IMPLICIT_TLS:
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=SECONDS, context=tls)
    server = smtplib.SMTP(mail.host, mail.port, timeout=SECONDS)
    try:
        server.starttls(context=tls)
    except BaseException:
        server.close()
        raise
    return server


def _code(error: smtplib.SMTPException) -> int:
    """What the server answered (RFC 5321, section 4.2); 0 where it did not."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max(code for code, _ in error.recipients.values())
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def _settings(desk: Desk) -> Mail:
    if desk.config.mail is None:
        raise DeskError("a source that is a mailbox needs [mail] in denpyo.toml, to answer people")
    return desk.config.mail


def _password(desk: Desk) -> str:
    return secret(desk, PASSWORD) if PASSWORD in desk.config.secrets else ""


def context(desk: Desk, ca: str) -> ssl.SSLContext:
    """TLS as Python has it by default: certificate and host name are checked, against the system's CAs or those in the file ``ca``."""
    try:
        return ssl.create_default_context(cafile=str(desk.folder / ca) if ca else None)
    except OSError as error:
        raise DeskError(f"{desk.folder / ca}: no certificates can be read there") from error
