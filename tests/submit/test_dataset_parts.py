"""One table becomes two, and a folder that a crash left goes."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.dataset import records
from submit.dataset_parts import drawn, in_parts, room

TABLE = 'name,kind\r\nＡ,1\n"two\nlines, quoted",2\n\n=1+1,3\r\nlast,4'


def parted(folder: Path, text: str, rows: int, share: float = 0.5, seed: int = 0) -> tuple[str, str]:
    train, test = folder / "train.csv", folder / "test.csv"
    in_parts(io.StringIO(text, newline=""), rows, share, seed, train, test)
    return train.read_bytes().decode(), test.read_bytes().decode()


def test_each_row_goes_as_it_is_written_into_one_of_the_files_and_the_heading_into_both(tmp_path: Path) -> None:
    assert parted(tmp_path, TABLE, 4) == (
        'name,kind\r\nＡ,1\n"two\nlines, quoted",2\n',
        "name,kind\r\n=1+1,3\r\nlast,4\n",
    )


def test_the_same_seed_draws_the_same_rows_everywhere_and_another_seed_others() -> None:
    assert [row for row, taken in enumerate(drawn(20, 0.2, 0)) if taken] == [7, 14, 15, 18]
    assert [row for row, taken in enumerate(drawn(20, 0.2, 1)) if taken] == [7, 11, 17, 19]


@pytest.mark.parametrize(
    ("rows", "share", "count"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.2, 2), (10, 0.25, 3), (1000, 0.001, 1), (3, 0.9, 2)]
)
def test_the_test_gets_its_share_at_least_one_row_and_never_all(rows: int, share: float, count: int) -> None:
    assert sum(drawn(rows, share, 7)) == count


@given(
    rows=st.lists(
        st.lists(st.text(st.sampled_from('a1,"\n\r =ア'), min_size=1, max_size=6), min_size=2, max_size=2), min_size=2
    ),
    share=st.floats(0.01, 0.99),
    seed=st.integers(),
)
def test_no_row_is_lost_doubled_or_changed(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], share: float, seed: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["one", "two"], *rows])
    train, test = parted(tmp_path_factory.mktemp("parts"), out.getvalue(), len(rows), share, seed)
    (_, heading), *before = records(io.StringIO(out.getvalue(), newline=""))
    found = []
    for text in (train, test):
        (_, again), *after = records(io.StringIO(text, newline=""))
        assert again == heading
        found += [cells for _, cells in after]
    assert sorted(map(str, found)) == sorted(str(cells) for _, cells in before)


def test_a_room_is_gone_afterwards_unless_it_was_moved(tmp_path: Path) -> None:
    home = tmp_path / "datasets"
    with room(home) as folder:
        (folder / "raw").mkdir()
    assert [*home.iterdir()] == []
    with room(home) as folder:
        folder.rename(home / "mine")
    assert [one.name for one in home.iterdir()] == ["mine"]


def test_what_a_crash_left_is_cleared_away_and_what_another_process_writes_is_not(tmp_path: Path) -> None:
    with room(tmp_path) as held:
        left = tmp_path / ".adding-0123456789abcdef"
        (left / "raw").mkdir(parents=True)
        new = tmp_path / ".adding-fedcba9876543210"
        new.mkdir()
        for one in (held, left):
            os.utime(one, (0, 0))
        with room(tmp_path):
            assert {one for one in (held, left, new) if one.exists()} == {held, new}
