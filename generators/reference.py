"""Two pages of the documentation, from the words and the kinds: every Problem there is, and every question of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from string import Formatter
from typing import Any

from generators.markdown import code, literal
from schema import words
from schema.question import Condition, Form, Question, Widget
from schema.refusals import count, said_bound, share_spellings
from schema.words import Fact, Words

PROBLEMS = Words("Problems", ja="問題の一覧")
PROBLEMS_INTRO = Words(
    "What denpyo may say about a file or an answer, by the code that stands in brackets at the end of each message. "
    "“…” stands for what was written, or for what belongs there.",
    ja="ファイルや答えについてdenpyoが伝えることの一覧です。コードは各メッセージの末尾の角括弧の中にあります。"
    "「…」には、書かれた内容や書くべき内容が入ります。",
)
CODE, WHAT, DO = Words("Code", ja="コード"), Words("What is wrong", ja="内容"), Words("What to do", ja="直し方")

KINDS = Words("Kinds of jobs", ja="依頼の種類")
KINDS_INTRO = Words(
    "Every kind of job and every question that its forms ask. The name is what stands in a YAML document.",
    ja="依頼の種類と、その依頼票で尋ねる質問の一覧です。名前はYAMLで書くときに使います。",
)
KIND, VERSION = Words("Kind", ja="種類"), Words("version", ja="版")
NAME, QUESTION, ANSWER, EMPTY, HELP = (
    Words("Name", ja="名前"),
    Words("Question", ja="質問"),
    Words("Answer", ja="答え"),
    Words("If left empty", ja="空欄のとき"),
    Words("Help", ja="説明"),
)
REQUIRED = Words("must be answered", ja="必須")
YES, NO = Words("yes", ja="はい"), Words("no", ja="いいえ")
NOTHING = Words("—", ja="－")
WIDGETS: Mapping[Widget, Words] = {
    "text": Words("text", ja="文字"),
    "identifier": Words("name: a to z, 0 to 9 and hyphens", ja="名前（半角の英小文字・数字・ハイフン）"),
    "whole_number": Words("whole number", ja="整数"),
    "number": Words("number", ja="数値"),
    "yes_no": Words("yes or no", ja="はい・いいえ"),
    "choice": Words("one of", ja="次から1つ"),
    "many_choice": Words("any of", ja="次からいくつでも"),
    "date": Words("date", ja="日付"),
    "duration": Words("length of time", ja="時間の長さ"),
}
BOUNDS = {
    "least": Words("{bound} or more", ja="{bound}以上"),
    "above": Words("more than {bound}", ja="{bound}より大きい"),
    "greatest": Words("{bound} or less", ja="{bound}以下"),
    "below": Words("less than {bound}", ja="{bound}より小さい"),
    "shortest": Words("at least {bound}", ja="{bound}以上"),
    "longest": Words("at most {bound}", ja="{bound}以下"),
}
DATE_BOUNDS = {
    "least": Words("{bound} or later", ja="{bound}以降"),
    "above": Words("after {bound}", ja="{bound}より後"),
    "greatest": Words("{bound} or earlier", ja="{bound}以前"),
    "below": Words("before {bound}", ja="{bound}より前"),
}
FORM_OF = Words("like {example}", ja="例の形：{example}")
ONLY_WHEN = Words("Only asked when “{on}” is {values}.", ja="「{on}」が{values}のときだけ尋ねます。")


def problems_page(language: str) -> str:
    """Markdown: every code of a Problem, what it means and what to do, in the order of the word file."""
    entries: Any = words.table(language)["problems"]
    rows = [(code(name), _blanked(entry["what"]), _blanked(entry["do"])) for name, entry in entries.items()]
    return _page(PROBLEMS, PROBLEMS_INTRO, _table((CODE, WHAT, DO), rows, language), language)


def kinds_page(forms: Iterable[Form], language: str) -> str:
    """Markdown: every kind with its questions, section by section, in the order of its forms."""
    inorder = sorted(forms, key=lambda one: one.kind)
    return _page(KINDS, KINDS_INTRO, "\n".join(_kind(one, language) for one in inorder), language)


def _page(title: Words, intro: Words, body: str, language: str) -> str:
    return f"# {literal(title.say(language))}\n\n{literal(intro.say(language))}\n\n{body}"


def _kind(form: Form, language: str) -> str:
    named = f"{KIND.say(language)} {code(form.kind)}, {VERSION.say(language)} {form.version}"
    head = [f"## {literal(form.title.say(language))}\n", f"{named}. {literal(form.about.say(language))}\n"]
    sections = groupby(form.questions, key=lambda one: one.section)
    return "\n".join([*head, *(_section(form, title, tuple(members), language) for title, members in sections)])


def _section(form: Form, title: Words, questions: tuple[Question, ...], language: str) -> str:
    """A heading, what all its questions hang on, and a row for each."""
    shared = tuple(one for one in questions[0].conditions if all(one in other.conditions for other in questions))
    above = "".join(f"{said}\n\n" for said in _conditions(form, shared, language))
    rows = [_row(form, one, shared, language) for one in questions]
    table = _table((NAME, QUESTION, ANSWER, EMPTY, HELP), rows, language)
    return f"### {literal(title.say(language))}\n\n{above}{table}"


def _row(form: Form, question: Question, shared: tuple[Condition, ...], language: str) -> tuple[str, ...]:
    own = [one for one in question.conditions if one not in shared]
    helps = (question.help, *share_spellings(question))
    return (
        code(question.name),
        literal(question.label.say(language)),
        _answer(question, language),
        _empty(question, language),
        " ".join([*(literal(one.say(language)) for one in helps), *_conditions(form, own, language)]),
    )


def _answer(question: Question, language: str) -> str:
    parts = [literal(WIDGETS[question.widget].say(language)), *_limits(question, language)]
    if question.unit:
        parts[0] += f" [{literal(question.unit.say(language))}]"
    chosen = [f"{code(one.value)} {literal(one.label.say(language))}" for one in question.choices]
    return words.said((*parts, *chosen), language)


def _limits(question: Question, language: str) -> Iterator[str]:
    if question.limits.pattern:  # that of an identifier is said by its widget
        example = {"example": code(question.example)}
        yield from [words.fill(FORM_OF.say(language), language, example)] * (question.widget == "text")
    for name, said in (BOUNDS | DATE_BOUNDS if question.widget == "date" else BOUNDS).items():
        bound = getattr(question.limits, name)
        if bound is not None:
            yield literal(words.fill(said.say(language), language, {"bound": _bound(question, name, bound)}))


def _bound(question: Question, name: str, bound: int) -> Fact:
    counted = "members" if question.widget == "many_choice" else "characters"
    return count(bound, counted) if name in ("shortest", "longest") else said_bound(question, bound)


def _empty(question: Question, language: str) -> str:
    if question.required:
        return f"**{literal(REQUIRED.say(language))}**"
    if question.blank:
        return literal(question.blank.say(language))
    values = question.default if isinstance(question.default, tuple) else (question.default,)
    return words.said(
        tuple(_value(question, one, language) for one in values if one is not None) or (NOTHING,), language
    )


def _value(question: Question, value: object, language: str) -> str:
    if isinstance(value, bool):
        return literal((YES if value else NO).say(language))
    choice = question.choice(value)
    return literal(choice.label.say(language) if choice else words.said(said_bound(question, value), language))


def _conditions(form: Form, conditions: Iterable[Condition], language: str) -> Iterator[str]:
    for condition in conditions:
        yield literal(words.fill(ONLY_WHEN.say(language), language, _deciding(form, condition)))


def _deciding(form: Form, condition: Condition) -> dict[str, Fact]:
    on = form.by_name[condition.on][0]
    labels = [choice.label if (choice := on.choice(value)) else _yes_no(value) for value in condition.values]
    return {"on": on.label, "values": tuple(Words(f"“{one.en}”", ja=f"「{one.ja}」") for one in labels)}


def _yes_no(value: object) -> Words:
    return (YES if value else NO) if isinstance(value, bool) else Words(str(value), ja=str(value))


def _table(heads: tuple[Words, ...], rows: Iterable[tuple[str, ...]], language: str) -> str:
    lines = [tuple(literal(head.say(language)) for head in heads), ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _blanked(template: str) -> str:
    """A text of ours with ``…`` in its blanks."""
    return literal(
        "".join(text + ("…" if name is not None else "") for text, name, _, _ in Formatter().parse(template))
    )
