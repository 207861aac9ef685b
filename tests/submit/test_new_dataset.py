"""A table becomes a dataset: judged, whole or not at all, under a name that stands for the same bytes for ever."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from jobs import datasets as on_the_agent
from submit import datasets
from submit.dataset_list import listed
from submit.desk import LEDGER, Desk, DeskError, machine_user
from submit.ledger import verify
from submit.new_dataset import Added, Given, add
from submit.new_desk import make_desk

ROWS = "size,kind\n" + "".join(f"{one},{'ab'[one % 2]}\n" for one in range(10))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DENPYO_DATASETS", raising=False)
    return make_desk(tmp_path / "desk")


def table(folder: Path, text: str = ROWS, name: str = "sales.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def added(desk: Desk, name: str, given: Given) -> Added:
    found = add(desk, name, given)
    assert isinstance(found, Added), found
    return found


def refused(desk: Desk, given: Given, language: str = "en") -> list[str]:
    found = add(desk, "sales", given)
    assert isinstance(found, list)
    assert left(desk) == []
    assert entries(desk) == []
    return [one.line(language) for one in found]


def left(desk: Desk) -> list[str]:
    """What lies in the folder of datasets, hidden things too."""
    folder = desk.folder / "datasets"
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def entries(desk: Desk) -> list[dict[str, object]]:
    with desk.ledger() as ledger:
        return [one.detail for one in ledger.entries() if one.action == "dataset_added"]


def states(desk: Desk) -> dict[str, str]:
    return {one.name: one.state for one in listed(desk) if one.name not in ("wine", "diabetes")}


def test_one_table_is_parted_recorded_and_found_by_the_job(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = added(desk, "sales", Given(table(tmp_path)))
    raw = desk.folder / "datasets" / "sales" / "raw"
    assert (raw / "test.csv").read_text() == "size,kind\n4,a\n7,b\n"
    assert (raw / "train.csv").read_text() == "size,kind\n" + "".join(
        f"{one},{'ab'[one % 2]}\n" for one in (0, 1, 2, 3, 5, 6, 8, 9)
    )
    monkeypatch.setenv("DENPYO_DATASETS", str(raw.parent.parent))
    loaded = on_the_agent.load("sales")
    assert isinstance(loaded, on_the_agent.Dataset)
    assert loaded.sha256 == found.contents.sha256
    (entry,) = entries(desk)
    assert entry == {
        "dataset": "sales",
        "columns": 2,
        "rows": {"train.csv": 8, "test.csv": 2},
        "files": {one: hashlib.sha256((raw / one).read_bytes()).hexdigest() for one in ("train.csv", "test.csv")},
        "sha256": loaded.sha256,
    }


def test_the_headings_lie_beside_the_entry_and_not_in_it(desk: Desk, tmp_path: Path) -> None:
    added(desk, "sales", Given(table(tmp_path, "canary-heading,b\n1,2\n3,4\n", "canary-file.csv")))
    with desk.ledger() as ledger:
        assert not [one for (one,) in ledger.query("SELECT body FROM entries") if b"canary" in one]
        (entry,) = ledger.entries_keyed("dataset")
    assert (entry.key, entry.user) == ("dataset:sales", machine_user())
    assert json.loads(entry.beside_text or "") == {"columns": ["canary-heading", "b"], "source": "canary-file.csv"}


def test_two_tables_are_kept_as_they_are(desk: Desk, tmp_path: Path) -> None:
    train = table(tmp_path, '"size", kind\r\n1,a\r\n2,=b\r\n')
    test = table(tmp_path, "kind,size\nc,3", "later.csv")
    found = added(desk, "sales", Given(train, test))
    raw = desk.folder / "datasets" / "sales" / "raw"
    assert (raw / "train.csv").read_bytes() == train.read_bytes()
    assert (raw / "test.csv").read_bytes() == test.read_bytes()
    assert not found.parted
    assert found.contents.rows == {"train.csv": 2, "test.csv": 1}


@pytest.mark.parametrize("inside", ["", "raw"])
def test_a_folder_with_both_files_is_taken_over(inside: str, desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "handed" / inside
    folder.mkdir(parents=True)
    table(folder, name="train.csv")
    table(folder, "size,kind\n1,a\n", "test.csv")
    assert added(desk, "sales", Given(tmp_path / "handed")).contents.rows == {"train.csv": 10, "test.csv": 1}
    with pytest.raises(DeskError, match="leave out --test"):
        add(desk, "other", Given(tmp_path / "handed", tmp_path / "test.csv"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "a,b\n1,2\n3\n",
            "sales.csv:3: sales.csvの3行目の列の数が見出しと合いません。その行を直してください。 [bad_csv]",
        ),
        ("a,b\n", "sales.csv: sales.csvにデータの行がありません。データを入れてください。 [empty_dataset]"),
        (
            "a;b\n1;2\n3;4\n",
            "sales.csv: データセットには「a;b」のほかに、学習に使える列がありません。"
            "列を追加するか、別のデータセットを選んでください。 [no_features]",
        ),
        (
            "a,b\n1,2\n",
            "sales.csv: sales.csvの行が少なすぎて、テスト用の行を取り分けられません。"
            "行を増やすか、テスト用の行を別のファイルで渡してください。 [few_rows]",
        ),
    ],
    ids=["a short row", "no rows", "semicolons", "one row"],
)
def test_a_bad_table_is_refused_with_its_place_and_nothing_is_left(
    text: str, line: str, desk: Desk, tmp_path: Path
) -> None:
    assert refused(desk, Given(table(tmp_path, text)), "ja") == [line]


def test_all_that_is_wrong_with_two_tables_is_said_at_once(desk: Desk, tmp_path: Path) -> None:
    train, test = table(tmp_path, "a,a,\n1,2,3\n"), table(tmp_path, 'a,b\n"1,2\n', "later.csv")
    assert [one.partition(": ")[0] + " " + one[one.rindex("[") :] for one in refused(desk, Given(train, test))] == [
        "sales.csv [duplicate_column]",
        "sales.csv [unnamed_column]",
        "later.csv:2 [bad_csv]",
    ]


def test_what_two_tables_do_not_have_in_common_is_said(desk: Desk, tmp_path: Path) -> None:
    train, test = table(tmp_path, "a,b,c\n1,2,3\n"), table(tmp_path, "a,b\nx,2\n", "later.csv")
    assert refused(desk, Given(train, test)) == [
        "sales.csv: test.csv lacks columns that train.csv has: c. Put the same columns into both files. [columns_differ]",
        "sales.csv: These columns hold text where the model expects numbers: a. Mend the dataset. [text_columns]",
    ]


def test_of_a_million_mistakes_a_hundred_are_said(desk: Desk, tmp_path: Path) -> None:
    assert len(refused(desk, Given(table(tmp_path, "," * 20_000 + "\n")))) == 100


@pytest.mark.parametrize(
    "name", ["", "../up", "Sales", "ｓａｌｅｓ", "a b", "a\n", "-a", "a/b", "a" * 64, ".adding-0", "$(id)", "\x1b[31m"]
)
def test_a_name_that_nobody_could_write_into_a_form_is_refused_before_the_disk_is_touched(
    name: str, desk: Desk, tmp_path: Path
) -> None:
    with pytest.raises(
        DeskError, match="cannot name a dataset: a to z, 0 to 9 and hyphens, at most 63 characters"
    ) as error:
        add(desk, name, Given(table(tmp_path)))
    assert str(error.value).isprintable()
    assert left(desk) == []


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan"), float("inf")])
def test_a_share_lies_between_none_and_all(share: float, desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(DeskError, match="lies between 0 and 1"):
        add(desk, "sales", Given(table(tmp_path), share=share))


def test_a_name_stands_for_the_same_bytes_for_ever(desk: Desk, tmp_path: Path) -> None:
    file = table(tmp_path)
    assert not added(desk, "sales", Given(file)).known
    assert added(desk, "sales", Given(file)).known
    taken = "sales is there already with other bytes, and a name stands for the same ones for ever: choose another, such as sales-2"
    for given in (Given(file, seed=1), Given(table(tmp_path, ROWS + "11,a\n"))):
        with pytest.raises(DeskError) as error:
            add(desk, "sales", given)
        assert str(error.value) == taken
    shutil.rmtree(desk.folder / "datasets" / "sales")
    with pytest.raises(DeskError, match="such as sales-2"):
        add(desk, "sales", Given(file))
    assert states(desk) == {"sales": "missing"}
    file.write_text(ROWS)
    assert not added(desk, "sales", Given(file)).known
    assert states(desk) == {"sales": "recorded"}
    assert len(entries(desk)) == 1
    with pytest.raises(DeskError, match=r"^wine is there already .* such as wine-2$"):
        add(desk, "wine", Given(file))


def test_what_lies_in_its_place_is_recorded_without_being_copied(desk: Desk, tmp_path: Path) -> None:
    raw = desk.folder / "datasets" / "sales" / "raw"
    with pytest.raises(DeskError, match="no dataset of this name lies in"):
        add(desk, "sales", Given())
    raw.mkdir(parents=True)
    table(raw, name="train.csv")
    found = add(desk, "sales", Given())
    assert isinstance(found, list)
    assert [one.code for one in found] == ["no_dataset_file"]
    (raw / "test.csv").write_bytes("大\n".encode("cp932"))
    found = add(desk, "sales", Given())
    assert isinstance(found, list)
    assert [one.line("en") for one in found] == [
        "sales/raw: test.csv is not UTF-8 text. Save it as “CSV UTF-8” and put it in place again. [bad_encoding]"
    ]
    assert states(desk) == {"sales": "not recorded"}
    table(raw, name="test.csv")
    assert not added(desk, "sales", Given()).known
    assert states(desk) == {"sales": "recorded"}
    table(raw, ROWS + "12,a\n", "test.csv")
    assert states(desk) == {"sales": "changed"}


def test_no_folder_is_offered_whose_name_nobody_can_write(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Sales", "..data", ".adding-0", "good", "=cmd()", "a\nb"):
        (desk.folder / "datasets" / name / "raw").mkdir(parents=True)
    assert datasets.names(desk) == ["diabetes", "good", "wine"]
    monkeypatch.setenv("DENPYO_DATASETS", str(desk.folder / "datasets"))
    assert on_the_agent.names() == ["diabetes", "good", "wine"]


CLEARML = "0123456789abcdef0123456789abcdef"


def test_without_a_clearml_server_no_clearml_dataset_is_added(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "none.conf"))
    with pytest.raises(DeskError, match="no credentials for ClearML"):
        add(desk, "sales", Given(clearml="abc"))
    for given in (Given(Path("table.csv"), clearml="abc"), Given(test=Path("table.csv"), clearml="abc")):
        with pytest.raises(DeskError, match="hand over a file, or name a ClearML Dataset; not both"):
            add(desk, "sales", given)


def test_a_clearml_dataset_is_judged_copied_and_recorded_with_its_id(desk: Desk, tmp_path: Path) -> None:
    fetched = tmp_path / "cache" / "raw"
    fetched.mkdir(parents=True)
    table(fetched, name="train.csv")
    with pytest.raises(DeskError, match=r"test\.csv: there is no such file"):
        add(desk, "sales", Given(clearml=CLEARML), lambda _, id: {CLEARML: fetched.parent}[id])
    table(fetched, "size,kind\n1,a\n", "test.csv")
    found = add(desk, "sales", Given(clearml=CLEARML), lambda _, id: {CLEARML: fetched.parent}[id])
    assert isinstance(found, Added)
    (mine,) = [one for one in listed(desk) if one.name == "sales"]
    assert (mine.state, mine.clearml, mine.contents) == ("recorded", CLEARML, found.contents)
    assert f"  ClearML {CLEARML}  recorded" in mine.line()
    again = add(desk, "sales", Given(clearml=CLEARML), lambda _, id: {CLEARML: fetched.parent}[id])
    assert isinstance(again, Added)
    assert again.known
    with pytest.raises(
        DeskError, match="sales was added already, and not as this ClearML Dataset: choose another name"
    ):
        add(desk, "sales", Given(clearml="f" * 32), lambda *_: fetched.parent)


def in_a_process(act: Callable[[], int]) -> int:
    """What a forked process ends with; 70 where it fails by itself."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = act()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_crash_at_any_moment_leaves_a_whole_dataset_or_none(desk: Desk, tmp_path: Path) -> None:
    """The process dies just before each of its steps that touch a file, one after another; then somebody tries again."""
    given = Given(table(tmp_path))

    def dies_before(step: int) -> int:
        steps = iter(range(step))

        def hook(event: str, _: object) -> None:
            if (
                event in ("open", "os.mkdir", "os.rename", "shutil.rmtree", "sqlite3.connect")
                and next(steps, None) is None
            ):
                os._exit(9)

        sys.addaudithook(hook)
        return 0 if isinstance(add(desk, "sales", given), Added) else 1

    seen = set()
    for died in count(1):
        if in_a_process(partial(dies_before, died - 1)) != 9:
            break
        state = states(desk).get("sales", "absent")
        seen.add(state)
        assert state in ("absent", "not recorded", "recorded")
        assert [one for one in left(desk) if not one.startswith(".adding-")] in ([], ["sales"])
        assert verify(desk.folder / LEDGER).ok
    assert died > 10
    assert seen >= {"absent", "not recorded"}
    assert added(desk, "sales", given).known
    assert states(desk) == {"sales": "recorded"}
    assert len(entries(desk)) == 1


def test_a_disk_that_is_full_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    file = table(tmp_path, "a,b\n" + "1,2\n" * 30_000)

    def on_a_full_disk() -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
        try:
            add(desk, "sales", Given(file))
        except DeskError as error:
            return 0 if str(error).endswith("datasets: File too large; nothing was added") else 1
        return 2

    assert in_a_process(on_a_full_disk) == 0
    assert left(desk) == []
    assert entries(desk) == []


def test_of_several_at_once_under_one_name_one_is_added_and_the_others_hear_of_it(desk: Desk, tmp_path: Path) -> None:
    def one_of_them(number: int) -> int:
        try:
            add(desk, "sales", Given(table(tmp_path, ROWS + f"{number},a\n", f"{number}.csv")))
        except DeskError:
            return 1
        return 0

    pids = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = one_of_them(number)
            finally:
                os._exit(code)
        pids.append(pid)
    assert sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids) == [0, 1, 1, 1]
    assert left(desk) == ["sales"]
    assert states(desk) == {"sales": "recorded"}


def test_a_table_larger_than_memory_allows_is_added_and_judged_piece_by_piece(desk: Desk, tmp_path: Path) -> None:
    cell = "x" * 20_000
    file = tmp_path / "sales.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("a,b,c\n")
        out.writelines(f"{row},{cell},{cell}\n" for row in range(600))

    def with_little_memory() -> int:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 12 * 1024 * 1024,) * 2)
        if not isinstance(add(desk, "sales", Given(file)), Added):
            return 1
        return len(datasets.Lookup(desk).untrainable(desk.folder / "datasets" / "sales", "a", "regression"))

    assert file.stat().st_size > 23_000_000
    assert in_a_process(with_little_memory) == 0
    assert states(desk) == {"sales": "recorded"}


def test_the_same_file_is_not_both_what_is_trained_and_what_is_tested_on(desk: Desk, tmp_path: Path) -> None:
    file = table(tmp_path)
    with pytest.raises(DeskError, match="--test names the same file"):
        add(desk, "sales", Given(file, file))
