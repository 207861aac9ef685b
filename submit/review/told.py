"""``denpyo show``: one request in lines, in the language it was asked in. Whatever people wrote is one harmless line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schema import words
from schema.problem import shown
from submit.desk import LEDGER, Desk
from submit.review import cards, stored
from submit.review.cards import Pair
from submit.review.figures import local
from submit.review.records import Record, record

LONGEST = 500
SIGN = {"approved": "✓", "rejected": "✕", "denied": "✕", "expired": "✕"}


def about(desk: Desk, request: str) -> Iterator[str]:
    """Who asked, when and how, the answers with their labels, what was changed for the person, and who said yes or no."""
    with stored.opened(desk.folder / LEDGER) as db:
        found = record(db, desk.folder / LEDGER, request)
    if found is not None:
        told = cards.card(found, desk.kinds, {})
        language = found.language if found.language in words.languages() else desk.config.language
        yield from _asked(found, desk, language)
        yield from _answers(told, language)
        yield from _changes(told, language)
        yield from _rulings(told, language)


def _say(name: str, language: str, **facts: str) -> str:
    return words.text(f"review_{name}", language, **facts)


def _said(pair: Pair, language: str) -> str:
    return shown(pair if isinstance(pair, str) else pair[language == "ja"], LONGEST)


def _word(sort: str, name: str, language: str) -> str:
    found = words.table(language)["texts"].get(f"review_{sort}_{name}")
    return str(found) if found else shown(name)


def _asked(one: Record, desk: Desk, language: str) -> Iterator[str]:
    kind = desk.kinds.get(one.kind)
    title = f"{kind.form.title.say(language)} ({one.kind})" if kind else shown(one.kind)
    trust = f" ({_word('trust', one.trust, language)})" if one.trust else ""
    facts = {
        "card_who": f"{shown(one.who, LONGEST)}{trust}" if one.who else _say("erased", language) if one.erased else "",
        "card_subject": shown(one.subject),
        "card_at": f"{local(one.at)} ({one.at})",
        "card_kind": title + (f" v{one.version}" if one.version else ""),
        "card_door": _word("door", one.door, language) if one.door else "",
        "card_source": " ".join(shown(each, 200) for each in (one.source, one.where) if each),
        "card_source_sha256": one.source_sha256,
        "card_again": shown(one.again, LONGEST) if one.again else "",
        "card_follows": one.follows,
        "card_next": one.next,
    }
    yield f"{shown(one.id)}  {_word('state', one.state, language)}"
    yield from (f"  {_say(name, language)}: {shown(fact, LONGEST)}" for name, fact in facts.items() if fact)


def _answers(told: Mapping[str, Any], language: str) -> Iterator[str]:
    for section, lines in told["answers"]:
        yield _said(section, language) if section else _say("show_unknown_form", language)
        for label, value, is_default in lines:
            mark = f"  ({_say('card_default', language)})" if is_default else ""
            yield f"  {_said(label, language)}: {_said(value, language)}{mark}"


def _changes(told: Mapping[str, Any], language: str) -> Iterator[str]:
    if told["changes"]:
        yield _say("card_changes", language)
    for one in told["changes"]:
        before, after = (_said(one[part], language) or _say("empty", language) for part in ("before", "after"))
        yield f"  {_said(one['label'], language)}: {before} → {after} ({_said(one['why'], language)})"


def _rulings(told: Mapping[str, Any], language: str) -> Iterator[str]:
    if told["rulings"]:
        yield _say("card_rulings", language)
    for one in told["rulings"]:
        sign = SIGN.get(one["action"], "…")
        by = shown(one["by"]) if one["by"] else _say("erased", language) if one["erased"] else ""
        more = [each for each in (local(one["at"]), by, shown(one["why"], LONGEST) if one["why"] else "") if each]
        yield f"  {sign} {_say('ruling_' + one['action'], language)}  {'  '.join(more)}"
