"""A request as the page has it: plain JSON values, every text that we write in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schema import words
from schema.answered import questions, said
from schema.history import form_at
from schema.kinds import Kind
from schema.question import Form, Question
from schema.words import Words
from submit.engines import engines
from submit.ledger import RunRow
from submit.review.records import Record, result_of
from submit.review.stored import Stored

Pair = str | tuple[str, str]
"""A text in English and Japanese, or one that is the same in both."""
RULINGS = ("held", "approved", "rejected", "expired", "denied", "stopped")
ABSENT = (None, object())
RESULT = ("warnings", "dataset_sha256", "seed", "commit", "lock_sha256", "denpyo", "python", "started_at", "ended_at")


def card(one: Record, kinds: Mapping[str, Kind], marks: Mapping[int, str]) -> dict[str, Any]:
    """``marks`` says by number which entries are wrong, or come after one that is."""
    plain = ("id", "kind", "version", "state", "language", "at", "who", "subject", "erased", "trust", "door")
    more = ("source", "source_sha256", "where", "again", "slip", "slip_is", "follows", "next", "previous")
    form = form_of(one, kinds)
    return {
        **{name: getattr(one, name) for name in (*plain, *more)},
        "answers": sections(one, form),
        "changes": [_change(each, form) for each in one.changes],
        "problems": [_problem(each, form) for each in one.problems],
        "codes": [(code, of_code(code)) for code in one.codes],
        "rulings": [ruling(each) for each in one.history if is_ruling(each)],
        "runs": [run(each) for each in one.runs],
        "metrics": one.metrics,
        "difference": difference(one, form),
        "history": [entry(each, marks.get(each.seq, "")) for each in one.history],
    }


def form_of(one: Record, kinds: Mapping[str, Kind]) -> Form | None:
    """The Form that a request's answers were given to; None where its kind, or that version of it, is no longer known."""
    kind = kinds.get(one.kind)
    if kind is None:
        return None
    return form_at(kind.job, kind.form, one.version) if one.version else kind.form


def pair(text: Words) -> Pair:
    english, japanese = text.say("en"), text.say("ja")
    return english if english == japanese else (english, japanese)


def label(form: Form | None, name: str) -> Pair:
    found = form.question(name) if form else None
    return pair(found.label) if found else name


def value(question: Question | None, given: Any) -> Pair:
    if question is None:
        return "" if given is None else str(given)
    english, japanese = said(question, given, "en"), said(question, given, "ja")
    return english if english == japanese else (english, japanese)


def sections(one: Record, form: Form | None) -> list[tuple[Pair, list[tuple[Pair, Pair, bool]]]]:
    """Every answer with its label, by section; the last is whether it is the one that stands there by itself."""
    if form is None:
        return [("", [(name, value(None, given), False) for name, given in one.answers.items()])] if one.answers else []
    found: dict[Pair, list[tuple[Pair, Pair, bool]]] = {}
    for each in questions(form, one.answers):
        given = one.answers[each.name]
        found.setdefault(pair(each.section), []).append((pair(each.label), value(each, given), given == each.default))
    return list(found.items())


def difference(one: Record, form: Form | None) -> list[tuple[Pair, Pair | None, Pair | None]]:
    """Field by field, where the answers are others than those of the request before: label, before, now; None where it was not asked."""
    if not one.previous:
        return []
    now, before = _asked(one.answers, form), _asked(one.previous_answers, form)
    changed = [name for name in {**now, **before} if now.get(name, ABSENT)[1] != before.get(name, ABSENT)[1]]
    return [(label(form, name), _told(before, name), _told(now, name)) for name in changed]


def _told(asked: Mapping[str, tuple[Question | None, Any]], name: str) -> Pair | None:
    return value(*asked[name]) if name in asked else None


def _asked(answers: Mapping[str, Any], form: Form | None) -> dict[str, tuple[Question | None, Any]]:
    """What was asked with its answer, by name, in the order of the form; what the form does not know last."""
    known = {each.name: (each, answers[each.name]) for each in questions(form, answers)} if form else {}
    return known | {name: (None, given) for name, given in answers.items() if name not in known}


def _change(one: Mapping[str, Any], form: Form | None) -> dict[str, Any]:
    name, why = str(one.get("question", "")), one.get("why")
    question = form.question(name) if form else None
    told = {part: _chosen(question, str(one.get(part, ""))) for part in ("before", "after")}
    en, ja = (str(why.get(language, "")) if isinstance(why, dict) else "" for language in ("en", "ja"))
    return {"label": label(form, name), **told, "why": (en, ja)}


def _chosen(question: Question | None, text: str) -> Pair:
    choice = question.choice(text) if question else None
    return pair(choice.label) if choice else text


def _problem(one: Mapping[str, Any], form: Form | None) -> dict[str, Any]:
    name = str(one.get("question", ""))
    plain = {part: str(one.get(part, "")) for part in ("spot", "code", "message")}
    return {**plain, "label": label(form, name) if name else ""}


def is_ruling(one: Stored) -> bool:
    """Whether an entry says that somebody may, or may not; what waits for its earlier version alone is no ruling."""
    action = one.text("action")
    by_person = action != "stopped" or "by" in one.written()
    return action in RULINGS and by_person and "after" not in one.detail


def ruling(one: Stored) -> dict[str, Any]:
    told, detail = one.written(), one.detail
    return {
        "action": one.text("action"),
        "at": one.text("at"),
        "seq": one.seq,
        "by": str(told.get("by", "")),
        "why": str(told.get("why", "") or detail.get("reason", "")),
        "rule": detail.get("rule"),
        "expires": detail.get("expires"),
        "over": [*_exceeded(detail.get("over"))],
        "erased": one.beside is None,
    }


def of_code(code: str) -> Pair:
    """What a code of the policy's no means; "" for one of the check, whose words lie beside its entry."""
    for name in (f"news_limit_{code}", f"review_code_{code}"):
        if name in words.table(words.FALLBACK)["texts"]:
            return pair(words.both(name))
    return ""


def _exceeded(over: Any) -> Iterator[Pair]:
    """What was over a limit, by its code, or over a threshold, with what was asked for."""
    if isinstance(over, list):
        yield from (of_code(str(code)) or str(code) for code in over)
    for name, asked in over.items() if isinstance(over, dict) else ():
        text = f"news_over_{name}"
        known = text in words.table(words.FALLBACK)["texts"]
        yield (
            pair(words.both(text, asked=f"{asked:g}" if isinstance(asked, int | float) else "")) if known else str(name)
        )


def run(one: RunRow) -> dict[str, Any]:
    """A run with its end, in the words of both languages, and its pages elsewhere."""
    result = result_of(one)
    plain = ("run", "engine", "queue", "max_hours", "state", "engine_id")
    reasons = result.get("reasons") if isinstance(result.get("reasons"), dict) else {}
    reason = str(result.get("reason") or "")
    model = result.get("model")
    return {
        **{name: getattr(one, name) for name in plain},
        **{name: result[name] for name in RESULT if result.get(name) not in (None, [], "")},
        "passed": result.get("passed"),
        "reason": (str(reasons.get("en") or reason), str(reasons.get("ja") or reason)) if reasons else reason,
        "model": str(model.get("id", "")) if isinstance(model, dict) else "",
        "links": list(links(one)),
    }


def links(one: RunRow) -> Iterator[tuple[str, str]]:
    """Addresses in the web alone: where a run's page lies on this machine leads nobody anywhere."""
    url = one.url or ""
    engine = engines().get(one.engine)
    if url.startswith(("https://", "http://")):
        yield from (engine.links(url).items() if engine else ()) or (("page", url),)


def entry(one: Stored, mark: str) -> tuple[int, str, str, str | None, str]:
    """Number, hash, body, what lies beside, and what is to be said of it: ``wrong``, ``unproven`` or ""."""
    return one.seq, one.hash, one.body, one.beside, mark


def texts(one: Record) -> Sequence[str]:
    """What people wrote, for whoever searches."""
    given = [each for each in one.answers.values() if isinstance(each, str)]
    told = [str(each.get("message", "")) for each in one.problems]
    by = [str(each.written().get(part, "")) for each in one.history if is_ruling(each) for part in ("by", "why")]
    return [
        one.who,
        one.subject,
        one.source,
        one.source_sha256[:12],
        one.where,
        one.again,
        *given,
        *told,
        *one.codes,
        *by,
    ]
