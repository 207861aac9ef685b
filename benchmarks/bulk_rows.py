"""The workbook of the bulk benchmark: rows drawn by a seed, with faults of 14 sorts planted in them, in our own table template."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from generators.excel import template
from generators.excel.spelling import Value, spoken_duration
from schema import kinds
from schema.kinds import Kind

FOLDER = Path(__file__).parent / "kinds"
SEED = 20261121
FIRST_ROW = 4
TASKS = {"classification": "分類", "regression": "回帰"}
METRICS = ("accuracy", "f1", "auc", "rmse")
NOTES = (
    "前回と同じ条件です。",
    "急ぎではありません。",
    "seedだけ変えました: yes",
    "締め切りは11/21",
    "再現性を確認したい",
)
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Fault:
    """What was planted: the sheet's row, the question's key, and the code by which denpyo calls it."""

    row: int
    key: str
    code: str


SORTS: tuple[tuple[str, str, Callable[[Row], Value]], ...] = (
    ("missing", "owner_code", lambda row: None),
    ("unknown_choice", "algorithm", lambda row: "サポートベクターマシン"),
    ("unknown_choice", "metrics", lambda row: "正解率; 速さ"),
    ("not_a_number", "learning_rate", lambda row: "小さめ"),
    ("too_big", "dropout", lambda row: 1.5),
    ("too_small", "temperature", lambda row: -273.0),
    ("not_whole", "epochs", lambda row: 12.5),
    ("bad_identifier", "dataset", lambda row: "Wine Data"),
    ("too_long", "title_text", lambda row: "長い件名です" * 20),
    ("bad_pattern", "owner_code", lambda row: "A-12345"),
    ("not_a_date", "start_on", lambda row: "2026/02/30"),
    ("not_yes_no", "shuffle", lambda row: "たぶん"),
    ("not_a_duration", "time_limit", lambda row: "すぐ終わる"),
    ("switched_off", "patience", lambda row: 5),
)
"""The 14 sorts of faults: code, question, and what is written into its cell."""


def kind() -> Kind:
    return kinds.load([FOLDER])["bulk"]


def row(drawn: random.Random, number: int) -> Row:
    early = drawn.random() < 0.4
    values: Row = {
        "name": f"run-{number:06d}",
        "title_text": f"第{number}回 {drawn.choice(('水質', '需要', '故障', '売上'))}の予測（{drawn.randrange(1000)}）",
        "dataset": drawn.choice(("wine", "iris", "diabetes", "sales-2025", "sensor-a-17")),
        "owner_code": f"{drawn.choice('ABCDEF')}{drawn.choice('GHIJKL')}-{drawn.randrange(10_000):04d}",
        "task": drawn.choice(tuple(TASKS)),
        "algorithm": drawn.choice(("random_forest", "xgboost", "neural_network", "logistic_regression")),
        "epochs": drawn.randrange(1, 500),
        "batch_size": drawn.choice((16, 32, 64, 128)),
        "seed": drawn.randrange(2**31),
        "learning_rate": round(10 ** drawn.uniform(-5, 0), 6),
        "dropout": round(drawn.uniform(0, 0.9), 3),
        "weight_decay": drawn.choice((0.0, 0.0001, 0.01, 1e-06)),
        "temperature": round(drawn.uniform(-20, 45), 1),
        "shuffle": drawn.random() < 0.8,
        "early_stopping": early,
        "start_on": (date(2026, 1, 1) + timedelta(days=drawn.randrange(720))).isoformat(),
        "time_limit": spoken_duration(timedelta(minutes=15 * drawn.randrange(1, 200)), "ja"),
        "metrics": tuple(drawn.sample(METRICS, drawn.randrange(1, 4))),
    }
    return values | ({"patience": drawn.randrange(1, 50)} if early else {}) | _note(drawn, number)


def _note(drawn: random.Random, number: int) -> Row:
    return {"note": f"{drawn.choice(NOTES)} ({number})"} if drawn.random() < 0.5 else {}


def planted(count: int, faults: int, seed: int = SEED) -> tuple[list[Row], list[Fault]]:
    """``count`` rows, in ``faults`` of which one answer is wrong, each sort as often as any other."""
    drawn = random.Random(seed)  # noqa: S311
    rows = [row(drawn, number) for number in range(1, count + 1)]
    found = []
    for index, at in enumerate(sorted(drawn.sample(range(count), faults))):
        code, key, wrong = SORTS[index % len(SORTS)]
        if code == "switched_off":
            rows[at]["early_stopping"] = False
        rows[at][key] = wrong(rows[at])
        found.append(Fault(FIRST_ROW + at, key, code))
    return rows, found


def workbook(rows: Sequence[Mapping[str, Value]]) -> bytes:
    """The Japanese table template with these rows. What cannot be understood stands in its cell as raw text."""
    return template.write(kind().form, "ja", "table", [template.Filled(one) for one in rows])


def single() -> bytes:
    """The form template with one good request."""
    return template.write(kind().form, "ja", "form", [template.Filled(row(random.Random(SEED), 1))])  # noqa: S311


if __name__ == "__main__":
    count, faults = map(int, sys.argv[1:3])
    Path(sys.argv[3]).write_bytes(workbook(planted(count, faults)[0]))
