"""What Microsoft Forms imports, and the page for the rest."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import docx
import pytest

from generators.microsoft import Mark, in_brackets, mark_in, page, quick_import, tags, tags_of
from generators.microsoft.asked import asked
from generators.microsoft.branching import Branch, branches
from schema.job import Choice
from schema.kinds import Kind
from schema.question import Form
from schema.words import Words
from tests.kinds_for_tests import KINDS, SHIPPED

INFERENCE = SHIPPED["inference"].form
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def lines(data: bytes) -> list[str]:
    return [one.text for one in docx.Document(io.BytesIO(data)).paragraphs]


class Page(HTMLParser):
    """The texts of a page by the class of the element around them, and every element's name."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.copies: list[str] = []
        self.rows: list[list[str]] = []
        self.inside: list[list[str]] = []
        self.texts: list[str] = []
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        if "copy" in str(dict(attrs).get("class")):
            self.copies.append("")
        self.inside.append([tag, str(dict(attrs).get("class"))])

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.inside:
            return
        tag, classes = self.inside[-1]
        self.texts.append(data)
        if "copy" in classes:
            self.copies[-1] += data
        if tag == "td":
            self.rows[-1][-1] += data


def test_the_document_is_plain_paragraphs_numbered_by_hand() -> None:
    assert lines(quick_import.write(INFERENCE, "en")) == [
        "1. Which model? [t274]",
        "",
        "2. Which dataset? [vhpu]",
        "",
        "3. In which format do you want the predictions? [s7kq]",
        "A. CSV",
        "B. Excel (xlsx)",
        "C. JSON",
        "",
        "4. Note [f6l7]",
        "",
        "5. Which queue? [vev5]",
        "",
        "6. How many GPUs? [yyau]",
        "",
        "7. At most how many hours may it run? [xdvr]",
        "",
        "8. Run again because [inference 1 en]",
    ]


def test_the_japanese_document_has_the_same_tags() -> None:
    english, japanese = (lines(quick_import.write(INFERENCE, language)) for language in ("en", "ja"))
    assert japanese[0] == "1. どのモデルを使いますか [t274]"
    assert [in_brackets(one)[:1] for one in japanese[:-1]] == [in_brackets(one)[:1] for one in english[:-1]]
    assert japanese[-1] == "8. 再実行の理由 [inference 1 ja]"


@EVERY_KIND
def test_import_meets_nothing_that_it_does_not_take(kind: Kind) -> None:
    data = quick_import.write(kind.form, "ja")
    document = docx.Document(io.BytesIO(data))
    assert document.tables == []
    assert document.inline_shapes._inline_lst == []
    assert {str(one.style.name) for one in document.paragraphs if one.style} == {"Normal"}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        body = archive.read("word/document.xml").decode()
        assert not [name for name in archive.namelist() if name.endswith((".jpeg", ".png"))]
    assert "numPr" not in body
    assert "<w:br" not in body
    blocks = "\n".join(lines(data)).split("\n\n")
    assert len(blocks) == len(kind.form.questions) + 1
    for number, block in enumerate(blocks, 1):
        title, *options = block.split("\n")
        assert re.fullmatch(rf"{number}\. \S.* \[[^\]]+\]", title)
        assert all(re.match(rf"{letter}\. \S", one) for letter, one in zip("ABCDEFGH", options, strict=False))


def test_the_document_is_the_same_bytes_each_time_and_names_no_person() -> None:
    one, two = (quick_import.write(INFERENCE, "ja") for _ in range(2))
    assert one == two
    about = docx.Document(io.BytesIO(one)).core_properties
    assert (about.author, about.last_modified_by, str(about.created)) == (
        "denpyo",
        "denpyo",
        "1980-01-01 00:00:00+00:00",
    )
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@EVERY_KIND
def test_a_tag_follows_from_the_name_and_not_from_the_place(kind: Kind) -> None:
    form = kind.form
    turned = replace(form, questions=tuple(reversed(form.questions)))
    reworded = replace(form, questions=tuple(replace(one, label=Words("x", ja="い")) for one in form.questions))
    assert tags_of(form) == tags_of(turned) == tags_of(reworded)
    assert len(set(tags_of(form).values())) == len(form.questions)


def test_two_keys_whose_short_tags_are_the_same_get_long_ones() -> None:
    keys = [f"q{number}" for number in range(3000)]
    found = tags("many", keys)
    assert len(set(found.values())) == 3000
    assert {len(tag) for tag in found.values()} == {4, 10}


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("Run again because [train_supervised 1 en]", Mark("train_supervised", 1, "en")),
        ("再実行の理由［train_supervised　12　ja］2", Mark("train_supervised", 12, "ja")),
        ("Run again because [Inference 1 EN ]", Mark("inference", 1, "en")),
        ("Why [now]? [inference 2 en dmy paris]", Mark("inference", 2, "en", ("dmy", "paris"))),
        ("Which dataset? [wzye]", None),
        ("[inference one en]", None),
    ],
)
def test_the_mark_of_a_form_is_read_out_of_a_title(title: str, meant: Mark | None) -> None:
    assert mark_in(title) == meant


def test_the_form_of_a_mark_stays_the_same_with_another_version_and_order_of_dates() -> None:
    assert (
        Mark("inference", 2, "en", ("dmy", "paris")).form
        == "inference.en.paris"
        == Mark("inference", 3, "en", ("paris",)).form
    )
    assert Mark("inference", 2, "en", ("dmy", "mdy")).dates == ""


def test_people_go_past_the_settings_of_other_algorithms() -> None:
    questions = asked(SHIPPED["train_supervised"].form, "en")
    ways = branches(questions)
    assert [one.title for one in questions if one.number in ways.deciding] == ["Which algorithm? [belc]"]
    assert ways.all == (
        Branch(4, 1, 9),
        Branch(4, 2, 13),
        Branch(4, 3, 17),
        Branch(4, 4, 19),
        Branch(8, None, 20),
        Branch(12, None, 20),
        Branch(16, None, 20),
        Branch(18, None, 20),
    )


def walked(form: Form, answers: dict[str, object]) -> list[str]:
    """The keys of the questions that somebody meets who gives these answers where a way on hangs on them."""
    questions = asked(form, "en")
    ways, met, number = branches(questions), [], 1
    while number <= len(questions):
        one = questions[number - 1]
        met.append(one.key)
        values: list[object] = [choice.value for choice in one.question.choices] if one.question else []
        option = (values or [True, False]).index(answers[one.key]) if number in ways.deciding else None
        found = [each.to for each in ways.all if each.number == number and each.option in (None, option)]
        number = found[0] if found else number + 1
    return met


def test_conditions_in_conditions_lead_each_to_their_own_questions() -> None:
    form = KINDS["conditions"].form
    answers: dict[str, object] = {"mode": "careful", "alert": False, "engine": "big", "settings.early@big": False}
    met = walked(form, {**answers, "settings.scheme": "decay"})
    assert met[:3] == ["mode", "rounds", "care"]
    assert "whom" not in met
    assert met[met.index("engine") :] == [
        "engine",
        "settings.steps@big",
        "settings.budget",
        "settings.early@big",
        "settings.scheme",
        "settings.pace.step@decay",
        "settings.pace.half_life",
        "settings.memory.gigabytes",
        "resources.queue",
        "resources.gpus",
        "resources.max_hours",
        "request.again",
    ]
    assert "settings.budget" not in walked(form, {"mode": "quick", "alert": False, "engine": "nothing"})


def test_what_hangs_on_several_choices_is_shown_to_all_and_says_when_it_counts() -> None:
    form = KINDS["conditions"].form
    ways = branches(asked(form, "en"))
    style = next(one for one in asked(form, "en") if one.key == "style")
    assert style.number not in ways.sure | ways.deciding
    shown = Page(page.write(form, "en"))
    assert "Only if “Which outputs?” is “Chart”. For tests. If left empty: none." in shown.copies


@EVERY_KIND
@pytest.mark.parametrize("language", ["ja", "en"])
def test_branches_lead_forward_and_nothing_that_is_required_is_met_by_others(kind: Kind, language: str) -> None:
    ways = branches(asked(kind.form, language))
    assert all(one.to > one.number for one in ways.all)
    assert ways.deciding <= ways.sure


def test_the_page_says_what_to_click_at_each_question() -> None:
    shown = Page(page.write(KINDS["every_field"].form, "en"))
    said = [one.strip() for one in shown.texts if one.strip()]
    assert "“…” → “Restrictions” → “Between” 1 and 1000000" in said
    assert "“…” → “Restrictions” → “Greater than or equal to” -273.15" in said
    assert said.count("Switch “Multiple answers” on.") == 2
    assert said.count("Switch “Long answer” on.") == 1
    assert said.count("Switch “Required” on.") == 5
    assert len([one for one in said if one.startswith("Import cannot make a question for a date")]) == 2
    assert (
        "For tests. Allowed: number, more than 0%, less than 100%. Write it as 50%. 50% may be typed as 0.5 or 50%. If left empty: 50%."
        in (shown.copies)
    )


def test_the_page_speaks_japanese() -> None:
    shown = Page(page.write(SHIPPED["train_supervised"].form, "ja"))
    assert "Microsoft Formsで「正解つきデータでモデルを学習する」を用意する" in shown.texts
    assert "train_supervised.ja.docx" in shown.copies
    assert ["4. アルゴリズム", "XGBoost", "9. 木の数（本）"] in shown.rows


def test_options_beyond_the_letters_are_added_by_hand() -> None:
    first = INFERENCE.questions[0]
    choices = tuple(Choice(f"c{number}", f"Choice {number}", ja=f"選択{number}") for number in range(1, 29))
    form = replace(INFERENCE, questions=(replace(first, widget="choice", choices=choices), *INFERENCE.questions[1:]))
    assert "Z. Choice 26" in lines(quick_import.write(form, "en"))
    assert "Choice 27" not in "\n".join(lines(quick_import.write(form, "en")))
    assert "Choice 27\nChoice 28" in Page(page.write(form, "en")).copies


HOSTILE = "<script>alert(1)</script> {{ 7*7 }} \" ' & \x07 </style>\n1. new [wzye] [inference 9 en]"


def test_words_of_a_kind_are_text_in_the_page_and_one_line_in_the_document() -> None:
    words = Words(HOSTILE, ja=HOSTILE)
    first = replace(INFERENCE.questions[0], label=words, help=words, section=words)
    form = replace(INFERENCE, title=words, about=words, questions=(first, *INFERENCE.questions[1:]))
    shown = Page(page.write(form, "en"))
    assert "script" not in shown.names
    assert any("<script>alert(1)</script> {{ 7*7 }}" in one for one in shown.copies)
    assert len(lines(quick_import.write(form, "en"))) == len(lines(quick_import.write(INFERENCE, "en")))


def test_the_page_loads_and_runs_nothing() -> None:
    for name, kind in KINDS.items():
        data = page.write(kind.form, "ja")
        assert not re.search(rb" (?:src|href|action)\s*=|url\(|@import|<(?:script|iframe|object)", data), name
        assert b'content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;' in data
        assert data == page.write(kind.form, "ja")
