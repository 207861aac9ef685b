"""Least, mean and greatest value of every column of numbers in a CSV file. Needs Python alone and knows nothing of denpyo.

DENPYO_DATASETS=FOLDER python column_statistics.py --dataset_id wine --part train
"""

import argparse
import csv
import json
import os
import sys
from pathlib import Path


def find(dataset: str, part: str) -> Path:
    for folder in os.environ.get("DENPYO_DATASETS", "datasets").split(os.pathsep):
        file = Path(folder, dataset, "raw", f"{part}.csv")
        if file.is_file():
            return file
    sys.exit(f"there is no {part}.csv of a dataset named {dataset}")


def numbers(cells: list[str]) -> list[float]:
    """The cells as numbers; none if one of them is something else."""
    try:
        return [float(cell) for cell in cells if cell]
    except ValueError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset_id", required=True)
    parser.add_argument("--part", choices=("train", "test"), default="train")
    asked, _ = parser.parse_known_args()
    with find(asked.dataset_id, asked.part).open(encoding="utf-8-sig", newline="") as file:
        heading, *rows = csv.reader(file)
    columns = {name: numbers([row[index] for row in rows]) for index, name in enumerate(heading)}
    found = {name: values for name, values in columns.items() if values}
    out = Path(os.environ.get("DENPYO_OUT", "."))
    with (out / "statistics.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["column", "least", "mean", "greatest"])
        for name, values in found.items():
            writer.writerow([name, min(values), sum(values) / len(values), max(values)])
    metrics = {"rows": len(rows), "columns": len(heading), "number_columns": len(found)}
    (out / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    print(f"{len(rows)} rows, {len(heading)} columns")


if __name__ == "__main__":
    main()
