"""Who asks for what, for those who decide: how far the name is known, whom the rules see in it, and the answers that matter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from schema.answered import flat, questions, said
from schema.problem import shown
from schema.question import RESOURCES, Question
from schema.slip import Request, SlipError
from schema.words import text
from submit import asked, policy
from submit.desk import Desk
from submit.kept_slip import read_slip
from submit.ledger import Ledger, LedgerDamaged
from submit.response import USER
from submit.standing import Standing

MOST, LONGEST = 15, 200
ALWAYS = (f"{RESOURCES}.gpus", f"{RESOURCES}.max_hours")
"""What an approver hears of also where it is as it stands there by itself."""
MAIL = "mail:"


def who(ledger: Ledger, rules: policy.Policy | None, at: Standing, language: str) -> Iterator[tuple[str, str]]:
    """The name that is given, marked with how far it is known; and whom the rules see, where that is another."""
    name = at.asked.get("requested_by", "")
    if name:
        yield text("news_who", language), _marked(shown(name, 100), trust(ledger, at.request.id), language)
    found = asked.asked(ledger, (at.request.id,)).get(at.request.id)
    known = (rules.person(found.subject) if rules else found.subject) if found else ""
    if known and known.casefold() not in {f"{one}{name}".casefold() for one in ("", MAIL, USER)}:
        yield text("news_known_as", language), shown(known, 100)


def trust(ledger: Ledger, request: str) -> str:
    """How far whoever asks is known: ``machine``, ``verified`` or ``claimed``; "" where it was never accepted."""
    said = (one.detail.get("trust") for one in ledger.entries(request))
    return str(next((one for one in said if one), ""))


def _marked(name: str, trust: str, language: str) -> str:
    return text(f"news_trust_{trust}", language, who=name) if trust in ("claimed", "verified", "machine") else name


def answers(desk: Desk, ledger: Ledger, at: Standing, language: str) -> list[tuple[str, str]]:
    """What has to be answered, what was answered otherwise than it stands there by itself, and what it takes; in the words of the
    form. Nothing where the slip was erased or is damaged."""
    kind = desk.kinds.get(at.request.kind)
    if kind is None or at.request.slip is None:
        return []
    with suppress(SlipError, LedgerDamaged, OSError, KeyError):
        given = _given(read_slip(desk, ledger, at.request))
        matter = (one for one in questions(kind.form, given) if _matters(one, given[one.name]))
        return [(one.label.say(language), shown(said(one, given[one.name], language), LONGEST)) for one in matter][
            :MOST
        ]
    return []


def _given(request: Request) -> dict[str, object]:
    return {**flat(request.job.answers()), **flat({RESOURCES: request.resources.answers()})}


def _matters(question: Question, value: object) -> bool:
    return question.name in ALWAYS or (value is not None and value != question.default)
