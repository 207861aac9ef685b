"""docs/doors.md: one kind as each door asks it, question by question, read from the forms themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from generators import google_form
from generators.excel import read, template
from generators.excel.cells import read_cells
from generators.excel.template import Filled
from generators.issue_fields import fields
from generators.markdown import code, literal
from generators.microsoft.asked import asked
from schema import words
from schema.answers import Where
from schema.kinds import Kind
from schema.parameters import places
from schema.question import RESOURCES, Form, Question
from schema.words import Words

TITLE = Words("One class, every door", ja="1つの定義から、すべての入口へ")
INTRO = Words(
    "The kind “{title}” (`{kind}`) as each door asks it. All of it is generated from one class; a field that is changed there "
    "changes in every form, and in nothing else by hand. A test gives the same answers through every door, in both languages, and "
    "demands the same `job`, byte for byte (`test_the_same_answers_are_the_same_job_byte_for_byte_through_every_door`).",
    ja="依頼の種類「{title}」（`{kind}`）を、それぞれの入口がどう尋ねるかの一覧です。すべて1つのクラスから作られます。そこで項目を1つ変えれば"
    "すべてのフォームが変わり、ほかに手で直すところはありません。同じ答えをどの入口から、どちらの言語で出しても、スリップの`job`は"
    "1バイトも違いません（`test_the_same_answers_are_the_same_job_byte_for_byte_through_every_door`）。",
)
HEADS = (
    Words("Question", ja="質問"),
    Words("Excel: cell", ja="Excel：セル"),
    Words("Google: shown as", ja="Google：表示"),
    Words("Microsoft: number and tag", ja="Microsoft：番号とタグ"),
    Words("GitHub: element and heading", ja="GitHub：要素と見出し"),
    Words("ClearML: section and parameter", ja="ClearML：セクションとパラメータ"),
    Words("YAML: name", ja="YAML：名前"),
)
ON_PAGE = Words("{sort}, page {page}", ja="{sort}（{page}ページ）")
GOOGLE_SORTS = {
    "textQuestion": Words("text", ja="記述式"),
    "dateQuestion": Words("date", ja="日付"),
    "timeQuestion": Words("time", ja="時刻"),
    "scaleQuestion": Words("scale", ja="均等目盛"),
    "ratingQuestion": Words("rating", ja="評価"),
}
CHOICES = {
    "RADIO": Words("one choice", ja="ラジオボタン"),
    "DROP_DOWN": Words("drop-down", ja="プルダウン"),
    "CHECKBOX": Words("several choices", ja="チェックボックス"),
}
AFTER = Words(
    "What an administrator does for each: [google.md](google.md), [microsoft.md](microsoft.md), [github.md](github.md), "
    "[clearml.md](clearml.md), [mail.md](mail.md), and the folder in [operate.md](operate.md). "
    "Each page ends with the faults that were put into it and what became of them. The forms themselves lie in "
    "`excel_templates/` and `forms/`.",
    ja="管理者の手順：[google.md](google.md)、[microsoft.md](microsoft.md)、[github.md](github.md)、[clearml.md](clearml.md)、[mail.md](mail.md)、フォルダーは[operate.md](operate.md)"
    "（いずれも英語）。各ページの終わりに、試した障害とその結果の表があります。フォームは`excel_templates/`と`forms/`にあります。",
)


def doors_page(kind: Kind, language: str) -> str:
    """Markdown: a row for each question, in the order of the form."""
    form = kind.form
    columns = (
        _excel(kind, language),
        _google(form, language),
        _microsoft(form, language),
        _github(form, language),
        _clearml(form),
    )
    rows = [
        (_label(one, language), *(column.get(one.key, "–") for column in columns), _yaml(one)) for one in form.questions
    ]
    intro = words.fill(INTRO.say(language), language, {"title": form.title, "kind": form.kind})
    table = [_line(one.say(language) for one in HEADS), _line("---" for _ in HEADS), *map(_line, rows)]
    return "\n".join([f"# {TITLE.say(language)}", "", intro, "", *table, "", AFTER.say(language), ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _label(question: Question, language: str) -> str:
    return literal(question.label.say(language))


def _excel(kind: Kind, language: str) -> Mapping[str, str]:
    """The cell of each answer in the form layout, as its reader finds it. One answer is given, because a blank form is none."""
    chosen = next(one for one in kind.form.questions if one.choices)
    filled = template.write(kind.form, language, "form", [Filled({chosen.name: chosen.choices[0].value})])
    sheets = read_cells(filled)
    if not isinstance(sheets, tuple):
        raise ValueError(f"our own template is refused: {sheets.code}")
    (one,), _ = read.answers_of(sheets, Where(""), {kind.name: kind})
    return {key: literal(where.spot) for key, where in one.answers.places.items()}


def _google(form: Form, language: str) -> Mapping[str, str]:
    """How the service shows each question, and on which page."""
    found, page = {}, 1
    for one in json.loads(google_form.write(form, language))["items"]:
        page += "pageBreakItem" in one["item"]
        if one["key"]:
            sort = _google_sort(one["item"]["questionItem"]["question"])
            found[one["key"]] = literal(words.fill(ON_PAGE.say(language), language, {"sort": sort, "page": str(page)}))
    return found


def _google_sort(question: Mapping[str, Any]) -> Words:
    choice = question.get("choiceQuestion")
    return CHOICES[choice["type"]] if choice else next(one for name, one in GOOGLE_SORTS.items() if name in question)


def _microsoft(form: Form, language: str) -> Mapping[str, str]:
    """Number and tag of each question."""
    return {one.key: literal(f"{one.number}. [{one.title.rpartition('[')[2]}") for one in asked(form, language)}


def _clearml(form: Form) -> Mapping[str, str]:
    """Section and name of each parameter."""
    return {key: f"{literal(section)}: {code(name)}" for key, (section, name) in places(form).items()}


def _github(form: Form, language: str) -> Mapping[str, str]:
    """The element of each question, and its heading in the body of the issue."""
    return {one.key: f"{code(one.element)} {literal('### ' + one.label)}" for one in fields(form, language)}


def _yaml(question: Question) -> str:
    return code(question.name if question.name.startswith(f"{RESOURCES}.") else f"job.{question.name}")
