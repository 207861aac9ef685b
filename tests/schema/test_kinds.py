"""The registry of kinds: what an engineer reads who has made a mistake in a kind's file, and which files are read at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.__main__ import SCRIPT
from jobs.__main__ import WORKLOADS as RUN
from schema.kinds import SHIPPED, WORKLOADS, KindError, load

BEGINNING = """from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from schema.job import Ask, Choice, Job, Part, Script
from schema.words import Words

HELP = Words("Help.", ja="説明です。")
ASK = Ask("How big?", ja="大きさ", help=HELP)


class Inner(Part):
    title: ClassVar[Words] = Words("Inner", ja="内")


class Made(Job):
    title: ClassVar[Words] = Words("A kind", ja="種類")
    about: ClassVar[Words] = Words("It asks.", ja="尋ねます。")
    workload: ClassVar[str | Script] = "inference"
"""
TITLE = '    title: ClassVar[Words] = Words("A kind", ja="種類")\n'
ABOUT = '    about: ClassVar[Words] = Words("It asks.", ja="尋ねます。")\n'
WORKLOAD = '    workload: ClassVar[str | Script] = "inference"\n'
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def with_field(field: str) -> str:
    return f"{BEGINNING}    {field}\n"


def without(line: str, instead: str = "") -> str:
    return BEGINNING.replace(line, instead)


def running(workload: str) -> str:
    return BEGINNING.replace('"inference"', workload)


def refusal(folder: Path, text: str) -> str:
    """What is said of a kind's file, behind its path."""
    file = folder / "made.py"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(KindError) as caught:
        load([folder])
    said = str(caught.value)
    assert said.startswith(str(file))
    assert "\n" not in said
    return said.removeprefix(str(file))


MISTAKES = {
    "no title": (without(TITLE), ': Made: write title: ClassVar[Words] = Words("…", ja="…")'),
    "a title that is a text": (
        without('Words("A kind", ja="種類")', '"A kind"'),
        ': Made: write title: ClassVar[Words] = Words("…", ja="…")',
    ),
    "no about": (without(ABOUT), ': Made: write about: ClassVar[Words] = Words("…", ja="…")'),
    "no workload": (
        without(WORKLOAD),
        ': Made: write workload: ClassVar[str] = "…", or workload: ClassVar[Script] = Script(entry="….py")',
    ),
    "a version that is a text": (
        with_field('version: ClassVar[str] = "1"'),
        ": Made: write version: ClassVar[int] = 1",
    ),
    "resources that are none": (
        with_field('resources: ClassVar[dict] = {"gpus": 1}'),
        ": Made: write resources: ClassVar[Resources] = Resources(max_hours=…)",
    ),
    "a part without a title": (
        without('    title: ClassVar[Words] = Words("Inner", ja="内")', "    pass") + "    inner: Inner\n",
        ': Made: Inner: write title: ClassVar[Words] = Words("…", ja="…")',
    ),
    "two types": (
        with_field("size: Annotated[int | str, ASK] = 1"),
        ": Made: size: no door can ask for int | str; write one of str, bool, int, float, date, timedelta, Identifier, "
        "Literal[…], tuple[Literal[…], ...], or one of them | None",
    ),
    "no Ask": (with_field("size: int = 1"), ": Made: size: a field needs an Ask"),
    "an Ask without help": (
        with_field('size: Annotated[int, Ask("How big?", ja="大きさ")] = 1'),
        """: TypeError: Ask('How big?'): write help=Words("…", ja="…") (line 16)""",
    ),
    "a help that is a text": (
        with_field('size: Annotated[int, Ask("How big?", ja="大きさ", help="In cm.")] = 1'),
        """: TypeError: Ask('How big?'): write help=Words("…", ja="…") (line 16)""",
    ),
    "an Ask without Japanese": (
        with_field('size: Annotated[int, Ask("How big?", help=HELP)] = 1'),
        """: TypeError: Ask('How big?'): write ja="…" (line 16)""",
    ),
    "choices that are texts": (
        with_field('pick: Annotated[Literal["a"], Ask("?", ja="？", help=HELP, choices=("a",))] = "a"'),
        ': Made: pick: write choices=(Choice("…", "…", ja="…"), …)',
    ),
    "one choice without its comma": (
        with_field(
            'pick: Annotated[Literal["a"], Ask("?", ja="？", help=HELP, choices=Choice("a", "A", ja="ア"))] = "a"'
        ),
        ': Made: pick: write choices=(Choice("…", "…", ja="…"), …)',
    ),
    "a mark that nobody defined": (
        with_field('size: Annotated[int, Asc("How big?")] = 1'),
        ": Made: PydanticUndefinedAnnotation: name 'Asc' is not defined",
    ),
    "a mistake that nobody thought of": (
        with_field("size: Annotated[tuple[()], ASK] = ()"),
        ": Made: IndexError: tuple index out of range",
    ),
    "an error while the file is read": (
        BEGINNING + "\n\n1 / 0\n",
        ": ZeroDivisionError: division by zero (line 22)",
    ),
    "no Python": (
        with_field("size: Annotated[int, ASK = 1"),
        ": SyntaxError: '[' was never closed (made.py, line 20)",
    ),
    "no class": ("", ": exactly one subclass of Job must be defined here, found 0"),
    "two classes": (
        BEGINNING + "\n\nclass More(Made):\n    pass\n",
        ": exactly one subclass of Job must be defined here, found 2, Made, More",
    ),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_kind_is_one_line_with_its_file_and_what_to_write(text: str, said: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text) == said


TAKEN_IN_A_JOB = [
    *("title", "about", "version", "workload", "resources", "answers", "by", "complete", "faults", "rules"),
    *(
        "copy",
        "dict",
        "json",
        "schema",
        "validate",
        "construct",
        "model_fields",
        "model_computed_fields",
        "model_extra",
    ),
]


@pytest.mark.filterwarnings("ignore:Field name")
@pytest.mark.parametrize("name", TAKEN_IN_A_JOB)
def test_a_field_with_a_name_that_every_job_has_is_refused(name: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, with_field(f"{name}: Annotated[int, ASK] = 1")) == (
        f": Made.{name}: every Job has something named {name!r}; rename the field"
    )


@pytest.mark.filterwarnings("ignore:Field name")
@pytest.mark.parametrize("name", ["title", "copy", "answers"])
def test_a_field_with_a_name_that_every_part_has_is_refused(name: str, tmp_path: Path) -> None:
    inner = f'ja="内")\n    {name}: Annotated[int, ASK] = 1\n'
    assert refusal(tmp_path, without('ja="内")\n', inner) + "    inner: Inner\n") == (
        f": Made: Inner.{name}: every Part has something named {name!r}; rename the field"
    )


@pytest.mark.parametrize("name", ["model_id", "name", "kind", "label"])
def test_a_field_may_have_any_other_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(with_field(f"{name}: Annotated[int, ASK] = 1"), encoding="utf-8")
    assert name in load([tmp_path])["made"].form.by_key


def test_a_field_with_a_name_that_pydantic_keeps_is_refused_by_name(tmp_path: Path) -> None:
    said = refusal(tmp_path, with_field("model_dump: Annotated[int, ASK] = 1"))
    assert said.startswith(": ValueError: Field 'model_dump' conflicts with member")


def test_a_script_that_does_not_lie_beside_the_kind_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, running('Script(entry="scripts/run.py")')) == (
        ": Made: its Script runs 'scripts/run.py', and no such file lies beside the kind's own"
    )


def test_a_script_may_lie_beside_the_kind_or_in_a_repository(tmp_path: Path) -> None:
    for name, arguments in (("beside", ""), ("far", f', repository="https://host/x.git", commit="{COMMIT}"')):
        entry = f"{name}.py" if name == "far" else "scripts/run.py"
        (tmp_path / f"{name}.py").write_text(running(f'Script(entry="{entry}"{arguments})'), encoding="utf-8")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "run.py").write_text("", encoding="utf-8")
    assert {"beside", "far"} <= set(load([tmp_path]))


SECRETS = {
    "user and token": "https://user:token@host/x.git",
    "a token alone": "https://token@host/x.git",
    "capitals": "HTTPS://user:token@host/x.git",
    "ssh with a password": "ssh://git:token@host/x.git",
}


@pytest.mark.parametrize("address", SECRETS.values(), ids=SECRETS)
def test_an_address_with_a_password_is_refused_and_not_repeated(address: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, running(f'Script("run.py", "{address}", "{COMMIT}")'))
    assert said == (
        ": TypeError: Script: an address with a password would be written into records; "
        "leave it to git's own credentials (line 19)"
    )


@pytest.mark.parametrize("address", ["https://host/a@b", "ssh://git@host/x.git", "git@host:x.git", "file:///srv/x"])
def test_an_address_without_a_password_is_taken(address: str, tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(running(f'Script("run.py", "{address}", "{COMMIT}")'), encoding="utf-8")
    assert "made" in load([tmp_path])


def test_files_that_begin_with_an_underscore_are_no_kinds(tmp_path: Path) -> None:
    (tmp_path / "_unfinished.py").write_text("1 / 0", encoding="utf-8")
    assert set(load([tmp_path])) == {"inference", "train_supervised"}


def test_two_folders_add_their_kinds_to_the_shipped_ones(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(BEGINNING, encoding="utf-8")
        (tmp_path / name / "_shared.py").write_text("", encoding="utf-8")
    found = load([tmp_path / "one", tmp_path / "two"])
    assert list(found) == ["inference", "train_supervised", "one", "two"]
    assert found["two"].file == (tmp_path / "two" / "two.py").resolve()


@pytest.mark.parametrize("name", ["made", "inference"])
def test_a_name_that_is_there_already_is_refused_with_both_files(name: str, tmp_path: Path) -> None:
    first = tmp_path / "one" / "made.py" if name == "made" else SHIPPED / "inference.py"
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    (tmp_path / "one" / "made.py").write_text(BEGINNING, encoding="utf-8")
    (tmp_path / "two" / f"{name}.py").write_text(BEGINNING, encoding="utf-8")
    with pytest.raises(KindError) as caught:
        load([tmp_path / "one", tmp_path / "two"])
    assert str(caught.value) == f"{tmp_path / 'two' / name}.py: a kind named {name} is there already: {first}"


def test_a_workload_that_is_not_in_jobs_is_refused_with_those_that_are(tmp_path: Path) -> None:
    assert refusal(tmp_path, running('"training"')) == (
        ": Made: its workload 'training' is not in jobs/, where there are 'inference', 'train_supervised'; or write a Script"
    )


def test_the_workloads_that_a_kind_may_name_are_those_that_run() -> None:
    assert set(WORKLOADS) == set(RUN) - {SCRIPT}
    assert all((SHIPPED.parent.parent / "jobs" / f"{name}.py").is_file() for name in WORKLOADS)
