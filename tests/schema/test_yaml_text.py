"""YAML read into text with places, and YAML written so that every reader takes it for the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schema.answers import Where
from schema.problem import Problem
from schema.yaml_text import DEEPEST, LARGEST, Node, dump, load, scalar
from tests.schema import plain_yaml, yaml_12


def plain(node: Node) -> Any:
    """A node as dicts, lists and texts, without its places."""
    if isinstance(node.value, dict):
        return {name: plain(member) for name, member in node.value.items()}
    return [plain(one) for one in node.value] if isinstance(node.value, list) else node.value


def documents(text: str) -> list[Any]:
    found = load(text.encode(), "a.yaml")
    nodes = [one for one in found if isinstance(one, Node)]
    assert len(nodes) == len(found), found
    return [plain(one) for one in nodes]


def problem(data: str | bytes) -> Problem:
    (found,) = load(data.encode() if isinstance(data, str) else data, "a.yaml")
    assert isinstance(found, Problem), found
    assert found.line("en")
    assert found.line("ja")
    return found


TYPED = [
    "no",
    "off",
    "y",
    "true",
    "010",
    "0o10",
    "0x1F",
    "1:30",
    "1_000",
    "2026-11-21",
    "1e3",
    ".5",
    ".inf",
    "1.0",
    "=",
    "<",
]


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize(
    "written", ["a: {}", "a: '{}'", 'a: "{}"', "{{a: {}}}"], ids=["plain", "single", "double", "flow"]
)
def test_a_scalar_stays_the_text_that_was_typed(typed: str, written: str) -> None:
    assert documents(written.format(typed)) == [{"a": typed}]


@pytest.mark.parametrize("typed", ["", "~", "null", "Null", "NULL"])
def test_a_plain_null_is_an_empty_text_and_a_quoted_one_is_itself(typed: str) -> None:
    assert documents(f"a: {typed}\nb: '{typed}'") == [{"a": "", "b": typed}]


def test_block_texts_lists_and_several_documents_are_read() -> None:
    assert documents("# hello\na:\n  - 1\n  - [x, y]\n---\nb: |\n  two\n  lines\nc: >\n  one\n  line\n") == [
        {"a": ["1", ["x", "y"]]},
        {"b": "two\nlines\n", "c": "one line\n"},
    ]


def test_an_empty_file_holds_no_document() -> None:
    assert documents("") == []
    assert documents("# only a remark\n") == []


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert load("\ufeffa: 1".encode(), "a.yaml")[0] == Node(
        Where("a.yaml", "1:1"), {"a": Node(Where("a.yaml", "1:4"), "1")}, {"a": Where("a.yaml", "1:1")}
    )


def test_every_node_and_every_name_knows_its_line_and_column() -> None:
    (node,) = load("job:\n  名前: [赤, 青]\n  x:   5\n".encode(), "a.yaml")
    assert isinstance(node, Node)
    job = node.get("job")
    assert job
    names = job.get("名前")
    assert names
    assert isinstance(names.value, list)
    assert [one.where.spot for one in (job, names, *names.value)] == ["2:3", "2:7", "2:8", "2:11"]
    assert job.keys["x"] == Where("a.yaml", "3:3")


REFUSED: dict[str, tuple[str | bytes, str, str]] = {
    "an anchor": ("a: &x 1", "yaml_forbidden", "1:4"),
    "an anchor on a mapping": ("a:\n  b: &x {c: 1}", "yaml_forbidden", "2:6"),
    "an anchor on a list": ("a: &x [1]", "yaml_forbidden", "1:4"),
    "an anchor on a name": ("&x a: 1", "yaml_forbidden", "1:1"),
    "an alias": ("a: 1\nb: *x", "yaml_forbidden", "2:4"),
    "an alias as a name": ("*x : 1", "yaml_forbidden", "1:1"),
    "a bomb of aliases": ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "yaml_forbidden", "1:4"),
    "a tag": ("a: !!python/object/apply:os.system [ls]", "yaml_forbidden", "1:4"),
    "a tag of one's own": ("a: !x 1", "yaml_forbidden", "1:4"),
    "a tag of the core": ("a: !!str 1", "yaml_forbidden", "1:4"),
    "a tag that says nothing": ("a: ! 1", "yaml_forbidden", "1:4"),
    "a tag on a name": ("!!str a: 1", "yaml_forbidden", "1:1"),
    "a tag on a mapping": ("!!omap {a: 1}", "yaml_forbidden", "1:1"),
    "a directive of version": ("%YAML 1.1\n---\na: 1", "yaml_forbidden", "1:1"),
    "a directive of tags": ("%TAG ! tag:x,2026:\n---\na: 1", "yaml_forbidden", "1:1"),
    "an unknown directive": ("%WINE x\n---\na: 1", "yaml_syntax", "1:6"),
    "a merge key": ("a: {b: 1}\nc:\n  <<: {b: 2}", "yaml_forbidden", "3:3"),
    "a name twice": ("a: 1\nb: 2\na: 3", "yaml_duplicate", "3:1"),
    "a name twice inside": ("x: {a: 1, 'a': 2}", "yaml_duplicate", "1:11"),
    "a list as a name": ("? [a]\n: 1", "yaml_shape", "1:3"),
    "a mapping as a name": ("{a: 1}: 2", "yaml_shape", "1:1"),
    "too deep": ("a: " + "[" * 9 + "]" * 9, "yaml_too_deep", "1:12"),
    "far too deep": ("[" * 100_000, "yaml_too_deep", "1:10"),
    "deep by mappings": ("{a: " * 2000, "yaml_too_deep", "1:37"),
    "too large": (b"a: " + b"x" * LARGEST, "too_large", ""),
    "open quotes": ('a: "x', "yaml_syntax", "1:4"),
    "open quotes far above": ("x: 1\na: 'x\nb：1\nc: 2\n", "yaml_syntax", "2:4"),
    "an escape that is none": ('a: "x\n  \\q"\n', "yaml_syntax", "2:3"),
    "a tab as indent": ("a:\n\tb: 1", "yaml_character", "2:1"),
    "a tab behind blanks": ("a:\n  b: 1\n  \tc: 2", "yaml_character", "3:3"),
    "a full-width blank as indent": ("a:\n\u3000b: 1\nc: 2", "yaml_character", "2:1"),
    "a full-width blank behind a blank": ("a:\n \u3000b: 1\nc: 2", "yaml_character", "2:2"),
    "a full-width blank before what has no colon": ("a: 1\n\u3000b\nc: 2", "yaml_character", "2:1"),
    "a full-width colon": ("a: 1\nb：2\nc: 3\n", "yaml_character", "2:2"),
    "a full-width colon in the last line": ("a: 1\nb：2\n", "yaml_character", "2:2"),
    "a full-width colon over what is inside": ("a：\n  # why\n\n  b: 1\n", "yaml_character", "1:2"),
    "the first of several full-width colons": ("a: 1\nb：2\nc：3\nd: 4\n", "yaml_character", "2:2"),
    "a full-width colon in a list": ("a:\n  - b：2\n    c: 3\n", "yaml_character", "2:6"),
    "a colon without a blank": ("a: 1\nb:2\nc: 3\n", "yaml_character", "2:2"),
    "a colon without a blank inside": ("a:\n  x: 1\n  b_c.d:2\n  c: 3\n", "yaml_character", "3:8"),
    "a colon without a blank before quotes": ('b:"2"\nc: 3\n', "yaml_character", "1:2"),
    "a full-width colon in a value is none of the matter": ("t: 10：30\na: b: c", "yaml_syntax", "2:5"),
    "an address is no colon without a blank": ("- https://x\na: 1", "yaml_syntax", "2:1"),
    "a stray colon": ("a: b: c", "yaml_syntax", "1:5"),
    "a control character": ("a: 1\nb: x\x07", "hidden_character", "2:5"),
    "a control character after wide ones": ("名: 1\n前: 赤\x00", "hidden_character", "2:5"),
    "a byte order mark inside": ("a: 1\nb: \ufeff2", "hidden_character", "2:4"),
    "not UTF-8": (b"a: 1\nb: \xe6\xb0", "yaml_syntax", "2:4"),
    "not UTF-8 after a byte order mark": (b"\xef\xbb\xbfa: 1\nb: \xe6\xb0", "yaml_syntax", "2:4"),
    "Shift JIS": ("a: 1\n名前: 2".encode("shift_jis"), "yaml_syntax", "2:1"),
    "UTF-16": ("a: 1".encode("utf-16"), "yaml_syntax", "1:1"),
}


@pytest.mark.parametrize(("data", "code", "spot"), REFUSED.values(), ids=REFUSED)
def test_what_a_slip_never_needs_is_refused_at_its_line_and_column(data: str | bytes, code: str, spot: str) -> None:
    found = problem(data)
    assert (found.code, found.where) == (code, Where("a.yaml", spot))


def test_what_is_refused_is_named_in_the_language_of_the_person() -> None:
    assert (
        problem("a: &x 1").message("en")
        == "Anchors and aliases (& and *) are not accepted in a slip. Write the values out."
    )
    assert problem("a: !x 1").message("ja") == "伝票ではタグ（!）を使えません。値をそのまま書いてください。"


@pytest.mark.parametrize(
    ("text", "en", "ja"),
    [
        pytest.param(
            "a: 1\nb：2\nc: 3",
            "The full-width colon “：” has no meaning here. Write “: ” (a colon and a blank) instead.",
            "ここでは全角のコロン「：」は使えません。代わりに「: 」（半角のコロンと空白）を書いてください。",
            id="a full-width colon",
        ),
        pytest.param(
            "a:\n\tb: 1",
            "A tab has no meaning here. Write blanks instead.",
            "ここではタブは使えません。代わりに半角の空白を書いてください。",
            id="a tab",
        ),
        pytest.param(
            "a:\n\u3000b: 1",
            "A full-width blank has no meaning here. Write blanks instead.",
            "ここでは全角の空白は使えません。代わりに半角の空白を書いてください。",
            id="a full-width blank",
        ),
        pytest.param(
            "b:2\nc: 3",
            "A colon without a blank behind it has no meaning here. Write “: ” (a colon and a blank) instead.",
            "ここでは後ろに空白のないコロンは使えません。代わりに「: 」（半角のコロンと空白）を書いてください。",
            id="a colon without a blank",
        ),
    ],
)
def test_a_character_that_yaml_takes_otherwise_is_named_with_what_to_write(text: str, en: str, ja: str) -> None:
    assert (problem(text).message("en"), problem(text).message("ja")) == (en, ja)


@pytest.mark.parametrize("text", ["a: b: c", "a: [1, 2\nb: 1\n", 'a: "x', "%WINE x\n---\na: 1"])
def test_what_is_wrong_with_yaml_is_said_in_japanese_without_the_sentence_of_the_parser(text: str) -> None:
    said = problem(text).message("ja").replace("YAML", "")
    assert not re.search("[A-Za-z]", said), said


def test_an_open_quotation_mark_is_said_to_be_open() -> None:
    assert "the quotation mark is not closed" in problem('a: "x').message("en")
    assert "引用符が閉じていません" in problem('a: "x').message("ja")


def test_a_name_in_quotes_may_begin_with_a_full_width_blank() -> None:
    assert documents('"\u3000a": 1') == [{"\u3000a": "1"}]


def test_as_deep_as_a_slip_may_be_is_read() -> None:
    assert documents("[" * DEEPEST + "x" + "]" * DEEPEST)


@given(st.binary(max_size=200))
def test_reading_bytes_never_raises(data: bytes) -> None:
    load(data, "a.yaml")


@given(st.text(alphabet="ab:-?[]{}&*!|>'\"%@#, \n\t~0<：\u3000\r", max_size=60))
def test_reading_yaml_of_a_sort_never_raises(text: str) -> None:
    load(text.encode(), "a.yaml")


TRICKY = [
    *TYPED,
    "",
    " ",
    "~",
    "null",
    "none",
    "nan",
    "-",
    "--- x",
    "...",
    "- a",
    "? a",
    "a: b",
    "a #b",
    "#a",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a",
    "|",
    ">",
    "'",
    '"',
    "\\",
    "a\\nb",
    "{a}",
    "[a]",
    ",",
    "<<",
    "a\nb",
    "a\n",
    "\na",
    "a\tb",
    " a",
    "a ",
    "é",
    "水質",
    "🍷",
    "\x00",
    "\x1b",
    "\x7f",
    "\x85",
    "\xa0",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "\u202e",
    "\u200b",
    "e1",
    "1e",
    "0",
    "-0",
    "+1",
    "12e03",
    "-2E+05",
    "0b1",
    "190:20:30",
    "yes-no",
    "on_off",
    "x" * 2000,
]


@pytest.mark.parametrize("text", TRICKY)
def test_a_tricky_text_stays_itself_under_every_reader(text: str) -> None:
    same_everywhere({"a": text, "b": [text, "x"], "c": {"d": text}})


def same_everywhere(value: dict[str, Any]) -> None:
    written = dump(value)
    assert yaml.safe_load(written) == value
    assert yaml_12.load(written) == value
    assert documents(written) == [as_text(value)]


def as_text(value: Any) -> Any:
    """What our own reader, which keeps the text that was typed, makes of a value that was written."""
    if isinstance(value, dict):
        return {name: as_text(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_text(one) for one in value]
    if value is None:
        return ""
    return value if isinstance(value, str) else scalar(value)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(TRICKY),
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}|on|no|y|null", fullmatch=True)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_is_written_reads_the_same_under_yaml_1_1_and_1_2(value: dict[str, Any]) -> None:
    written = dump(value)
    assert yaml.safe_load(written) == value
    assert yaml_12.load(written) == value


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_fast_is_what_the_plain_emitter_writes(value: dict[str, Any]) -> None:
    assert dump(value) == plain_yaml.dump(value)


@given(st.dictionaries(NAMES, st.one_of(SCALARS, st.lists(SCALARS), st.dictionaries(NAMES, SCALARS)), max_size=4))
def test_whatever_is_written_is_read_back_by_our_own_reader(value: dict[str, Any]) -> None:
    assert documents(dump(value) or "{}") == [as_text(value)]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": "wine"}, "a: wine\n"),
        ({"a": "red wine"}, 'a: "red wine"\n'),
        ({"a": "no"}, 'a: "no"\n'),
        ({"no": 1}, '"no": 1\n'),
        ({"a": "2026-11-21"}, 'a: "2026-11-21"\n'),
        ({"a": 1.0, "b": 1e-05, "c": 1e16, "d": 1}, "a: 1.0\nb: 1.0e-05\nc: 1.0e+16\nd: 1\n"),
        ({"a": None, "b": True, "c": False}, "a: null\nb: true\nc: false\n"),
        ({"a": [], "b": {}, "c": ["x", 1]}, "a: []\nb: {}\nc: [x, 1]\n"),
        ({"a": {"b": {"c": 1}}}, "a:\n  b:\n    c: 1\n"),
        ({"a": [{"b": 1, "c": "x"}, {"b": 2}]}, "a:\n- b: 1\n  c: x\n- b: 2\n"),
        ({"a": [{"b": {"c": 1}}]}, "a:\n- b:\n    c: 1\n"),
        ({"a": [{}, {"b": 1}]}, "a:\n- {}\n- b: 1\n"),
        ({"a": [[1, 2], []]}, "a: [[1, 2], []]\n"),
        ({"a": ["x", {"b": 1}]}, "a:\n- x\n- b: 1\n"),
        ({"a": "一行\n二行"}, 'a: "一行\\n二行"\n'),
        ({"a": "x\u2028\u202e"}, 'a: "x\\u2028\\u202e"\n'),
    ],
)
def test_what_is_written_is_plain_where_that_is_safe(value: dict[str, Any], written: str) -> None:
    assert dump(value) == written
