"""Bodies of issues parted at their headings: as GitHub writes them, as people mend them, and where nobody can be sure."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.issue_answer import given as given_as
from generators.issue_body import Parted, lines_of, part
from generators.issue_fields import Element, Field
from schema.answers import Given, Where

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "issue_bodies"
FILE = Where("issue #12")


def asks(key: str, label: str, element: Element, *options: str, several: bool = False) -> Field:
    return Field(key, label, element, {one: one for one in options}, several)


NAME, TEXT, MORE = asks("name", "名前", "input"), asks("text", "Text", "textarea"), asks("more", "More", "textarea")
COUNT = asks("count", "Count", "input")
COLOUR = asks("colour", "Colour", "dropdown", "red", "blue")
MANY = asks("many", "Many", "dropdown", "a", "b", "a, b", "c, d", several=True)
BOXES = asks("boxes", "Boxes", "checkboxes", "one, two", "three", several=True)


def parted(body: str, *fields: Field) -> Parted:
    return part(lines_of(body), fields, FILE)


def answers(found: Parted) -> dict[str, Given | None]:
    assert found.problems == ()
    return {one.field.key: given_as(one.field, one.text) for one in found.sections}


def lines(found: Parted) -> list[str]:
    return [one.line("en") for one in found.problems]


def test_headings_in_other_letters_than_latin_are_told_apart() -> None:
    other = asks("other", "場所", "input")
    assert answers(parted("### 名前\n\nwine\n\n### 場所\n\ntokyo", NAME, other)) == {"name": "wine", "other": "tokyo"}


def test_nothing_answered_is_empty_and_none_is_so_only_where_something_could_be_chosen() -> None:
    body = "### 名前\n\nNone\n\n### Colour\n\nNone\n\n### Text\n\n_No response_"
    assert answers(parted(body, NAME, COLOUR, TEXT)) == {"name": "None", "colour": "", "text": ""}


def test_a_heading_of_its_own_form_in_an_answer_is_text_where_only_one_reading_fits() -> None:
    body = "### Text\n\nsee\n\n### Count\n\nnot this\nbut that\n\n### Count\n\n3"
    found = answers(parted(body, TEXT, COUNT))
    assert found == {"text": "see\n\n### Count\n\nnot this\nbut that", "count": "3"}


def test_a_heading_that_could_begin_an_answer_in_two_places_is_asked_about() -> None:
    body = "### Text\n\nsee\n\n### More\n\nthis\n\n### More\n\nthat"
    assert lines(parted(body, TEXT, MORE)) == [
        "issue #12:9: ### More: “### More” stands here and in line 5, so it cannot be told where its answer begins. "
        "Write “> ” in front of the one that is not meant as the heading. [issue_heading_twice]"
    ]


def test_doing_what_the_problem_says_settles_it() -> None:
    body = "### Text\n\nsee\n\n> ### More\n\nthis\n\n### More\n\nthat"
    assert answers(parted(body, TEXT, MORE)) == {"text": "see\n\n> ### More\n\nthis", "more": "that"}


def test_headings_in_a_fence_are_text() -> None:
    body = "### Text\n\n```sh\n### Count\n# 4\n```\n\n### Count\n\n3"
    assert answers(parted(body, TEXT, COUNT)) == {"text": "```sh\n### Count\n# 4\n```", "count": "3"}


def test_a_fence_that_is_never_closed_hides_no_answer() -> None:
    body = "### Text\n\n```\nlost\n\n### Count\n\n3"
    assert answers(parted(body, TEXT, COUNT)) == {"text": "```\nlost", "count": "3"}


def test_a_fence_in_an_edited_body_hides_headings_and_a_longer_one_the_shorter() -> None:
    body = "Hello\n\n````\n```\n### Count\n\n4\n```\n````\n\n### Count\n\n3"
    found = parted(body, TEXT, COUNT)
    assert answers(found) == {"count": "3"}
    assert found.beside == 1


def test_line_ends_of_windows_are_line_ends() -> None:
    body = "### Text\n\none\n\ntwo\n\n### Count\n\n3"
    assert parted(body.replace("\n", "\r\n"), TEXT, COUNT) == parted(body, TEXT, COUNT)


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("a", ("a",)),
        ("a, c, d", ("a", "c, d")),
        ("c, d, b", ("b", "c, d")),
        ("_No response_", ""),
        ("None", ""),
        ("- [x] a\n- [ ] b\n- [X] c, d", ("a", "c, d")),
        ("- a\n- c, d", ("a", "c, d")),
        ("- [] a", ""),
        ("a and b", "a and b"),
    ],
)
def test_several_choices_are_read_though_options_hold_commas(answer: str, read: Given) -> None:
    assert answers(parted(f"### Many\n\n{answer}", MANY)) == {"many": read}


def test_choices_that_can_be_read_in_two_ways_are_no_answer() -> None:
    found = parted("### Many\n\na, b", MANY)
    assert given_as(MANY, found.sections[0].text) is None


def test_boxes_hold_one_option_a_line() -> None:
    body = "### Boxes\n\n- [x] one, two\n- [ ] three\n\n### Count\n\n3"
    assert answers(parted(body, BOXES, COUNT)) == {"boxes": ("one, two",), "count": "3"}


def test_a_heading_that_somebody_changed_is_asked_about_with_what_was_meant() -> None:
    found = parted("### 名前\n\nwine\n\n### Colours\n\nred", NAME, COLOUR)
    assert [one.field.key for one in found.sections] == ["name"]
    assert lines(found) == [
        "issue #12:5: ### Colours: There is no question named “Colours” here. Remove it or mend the name. "
        "Did you mean “### Colour”? [unknown_question]"
    ]


def test_width_capitals_blanks_and_closing_hashes_of_a_heading_do_not_matter() -> None:
    body = "###   ＣＯＬＯＵＲ ##  \nred\n### 名前\nwine"
    assert answers(parted(body, NAME, COLOUR)) == {"colour": "red", "name": "wine"}


def test_a_heading_of_nobody_below_a_text_belongs_to_the_text() -> None:
    found = parted("### Text\n\none\n\n### Steps of my own\n\ntwo", TEXT, COUNT)
    assert answers(found) == {"text": "one\n\n### Steps of my own\n\ntwo"}


def test_an_edited_body_with_a_heading_twice_is_asked_about() -> None:
    found = parted("### Count\n\n3\n\n### Count\n\n4", NAME, COUNT)
    assert lines(found) == [
        "issue #12:5: ### Count: “### Count” stands here and in line 1, so it cannot be told where its answer begins. "
        "Write “> ” in front of the one that is not meant as the heading. [issue_heading_twice]"
    ]


@pytest.mark.parametrize(
    "body",
    [
        "### More\n\n" * 6_000,
        "### Text\n\n" + "### More\n\n" * 199,
        "".join(f"### Count {number}\n" for number in range(4_000)),
        "```\n" * 16_000,
        "### Text\n\n" + "`" * 65_000,
        "### Many\n\n" + "a, " * 20_000 + "a",
        "### Many\n\n" + ", ".join(["a, b"] * 10_000),
    ],
    ids=["headings", "as many as may be", "strange headings", "fences", "a long fence", "choices", "commas"],
)
def test_the_longest_bodies_are_read_within_a_second(body: str) -> None:
    start = time.process_time()
    for one in parted(body, TEXT, MORE, COUNT, MANY).sections:
        given_as(one.field, one.text)
    assert time.process_time() - start < 1


HEADINGS = [
    "### Text",
    "### More",
    "### Count",
    "### Boxes",
    "#### Count",
    "```",
    "~~~~",
    "- [x] three",
    "7",
    "",
    "> ### More",
]
ANSWERS = st.lists(st.sampled_from(HEADINGS), max_size=6).map("\n".join)


@settings(max_examples=300)
@given(
    text=ANSWERS,
    more=ANSWERS,
    count=st.sampled_from(["", "7", "### More", "### Count"]),
    boxes=st.sets(st.sampled_from(BOXES.options)),
)
def test_whatever_is_answered_is_read_as_it_was_or_asked_about(
    text: str, more: str, count: str, boxes: set[str]
) -> None:
    ticked = "\n".join(f"- [{'x' if one in boxes else ' '}] {one}" for one in BOXES.options)
    entered = ((TEXT, text), (MORE, more), (COUNT, count), (BOXES, ticked))
    written = {one.label: answer if answer.strip() else "_No response_" for one, answer in entered}
    found = parted(
        "\n\n".join(f"### {label}\n\n{answer}" for label, answer in written.items()), *(one for one, _ in entered)
    )
    if found.problems:
        assert [one.code for one in found.problems] == ["issue_heading_twice"]
        return
    read = {one.field.key: given_as(one.field, one.text) for one in found.sections}
    assert read == {
        "text": text.strip("\n"),
        "more": more.strip("\n"),
        "count": count,
        "boxes": tuple(one for one in BOXES.options if one in boxes) or "",
    }


WRITTEN: dict[str, dict[str, Given]] = {
    "a-blank": {},
    "a-full-example": {
        "contact": "me@me.com",
        "what_happened": "A bug happened!",
        "version": "1.0.0",
        "browsers": "Chrome, Safari",
        "anything_else": ("Never give up",),
        "second_anything_else": ("Hot Dog is a Sandwich", "Another item"),
        "Checkbox without an id?": "",
    },
    "a-mismatched-parsing": {},
    "a-multiple-paragraphs": {
        "textarea-one": "1st paragraph\n\n2nd paragraph",
        "textarea-two": "1st paragraph\n2nd paragraph",
    },
    "a-paragraph-confusing-----": {"textarea-one": "Textarea input text 1 ####"},
    "a-paragraph-ignore----": {"textarea-one": "Textarea input text 1\n\n```\n### To be ignored tag\n```"},
    "a-paragraph-ignore----sh": {"textarea-one": "Textarea input text 1\n\n```sh\n### To be ignored tag\n```"},
    "a-readme-example": {"favorite_dish": "Pizza", "favorite_color": ("Red", "Blue")},
    "b-blank": {},
    "b-extra": {
        "name": "",
        "description": "who's molecule is this? (we don't know)",
        "id": "",
        "code": "",
        "license": "",
    },
    "b-header": {},
    "b-invalid": {},
    "b-missing": {
        "name": "",
        "description": "who's molecule is this? (we don't know)",
        "id": "",
        "publication": "The following link is just an example:\n\n`www.example.com`",
        "code": "",
        "license": "",
    },
}
EXAMPLE: tuple[Given, ...] = (
    "this-thing",
    "thing",
    "blue",
    "square",
    ("re", "mi"),
    "",
    "This is a description.\n\nIt has multiple lines.\n\nIt's pretty cool!",
    "- Note\n- Another note\n- Lots of notes",
    "const thing = new Thing()\nthing.doThing()",
    "thing.toString()",
    ("Yes",),
    ("Sometimes",),
    "IssueOps-Demo-Readers",
    "IssueOps-Demo-Writers",
)
ASKED = {
    "a-mismatched-parsing": ["unknown_question"] * 7,
    "b-extra": ["unknown_question"],
}


def corpus_fields(folder: Path) -> list[Field]:
    found = []
    for one in yaml.safe_load((folder / "form.yml").read_text(encoding="utf-8"))["body"]:
        about: dict[str, Any] = one["attributes"]
        options = [option["label"] if isinstance(option, dict) else option for option in about.get("options", [])]
        if one["type"] != "markdown":
            several = one["type"] == "checkboxes" or about.get("multiple", False)
            key = one.get("id", about["label"])
            found.append(asks(key, about["label"].strip(), one["type"], *options, several=several))
    return found


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora lie beside the project where there are any")
@pytest.mark.parametrize("folder", sorted(CORPUS.iterdir()) if CORPUS.is_dir() else [], ids=lambda one: one.name)
def test_bodies_that_nobody_here_wrote(folder: Path) -> None:
    written = folder / "issue-body.md"
    fields = corpus_fields(folder)
    found = part(lines_of(written.read_text(encoding="utf-8") if written.is_file() else ""), fields, FILE)
    read = {one.field.key: given_as(one.field, one.text) for one in found.sections}
    if folder.name in ("b-example", "b-no-ids"):
        assert tuple(read.values()) == EXAMPLE
    else:
        assert read == WRITTEN[folder.name]
    assert [one.code for one in found.problems] == ASKED.get(folder.name, [])
