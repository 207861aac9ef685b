"""The columns that a model learns from, and a table's rows as the model takes them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from jobs.datasets import Table
from schema.dataset import is_missing, number

MOST_CATEGORIES = 255
DTYPES = {"number": np.dtype(np.float64), "text": np.dtype(object)}


@dataclass(frozen=True, slots=True)
class Feature:
    """A raw column. Numbers: a missing one is NaN, and the median stands in for it. Texts: each of ``categories`` becomes a 0 or
    1, and any other text is all zeros."""

    name: str
    type: Literal["number", "text"]
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stray:
    """The first cell that makes a column a text although at least half of its values are numbers; ``row`` as a spreadsheet counts."""

    column: str
    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Features:
    """The columns to learn from; ``empty`` have no value in any training row and are left out; of ``crowded`` only the most
    frequent texts are kept; ``strays`` may have been meant as numbers."""

    used: tuple[Feature, ...]
    empty: tuple[str, ...] = ()
    crowded: tuple[str, ...] = ()
    strays: tuple[Stray, ...] = ()

    def of(self, type_: str) -> list[Feature]:
        return [feature for feature in self.used if feature.type == type_]


def find(table: Table, target: str) -> Features:
    """Every column but the target: numbers where every value is one, else texts."""
    used, empty, crowded = [], [], []
    for name in (column for column in table.columns if column != target):
        values = [cell for cell in table.column(name) if not is_missing(cell)]
        if not values:
            empty.append(name)
        elif all(number(value) is not None for value in values):
            used.append(Feature(name, "number"))
        else:
            count = Counter(table.column(name))
            often = sorted(count, key=lambda text: (-count[text], text))[:MOST_CATEGORIES]
            used.append(Feature(name, "text", tuple(sorted(often))))
            if len(count) > MOST_CATEGORIES:
                crowded.append(name)
    strays = (_stray(table, feature) for feature in used if feature.type == "text")
    return Features(tuple(used), tuple(empty), tuple(crowded), tuple(one for one in strays if one))


def _stray(table: Table, feature: Feature) -> Stray | None:
    cells = zip(table.places, table.column(feature.name), strict=True)
    values = [(row, cell) for row, cell in cells if not is_missing(cell)]
    texts = [(row, cell) for row, cell in values if number(cell) is None]
    return Stray(feature.name, *texts[0]) if len(texts) * 2 <= len(values) else None


def texts_among_numbers(table: Table, features: Sequence[Feature]) -> list[str]:
    """The columns of numbers in which a text stands."""
    return [
        feature.name
        for feature in features
        if feature.type == "number"
        and any(number(cell) is None and not is_missing(cell) for cell in table.column(feature.name))
    ]


def unknown_texts(table: Table, features: Sequence[Feature]) -> list[str]:
    """The columns of texts in which a text stands that training did not see."""
    return [
        feature.name
        for feature in features
        if feature.type == "text" and not set(table.column(feature.name)) <= set(feature.categories)
    ]


def values(table: Table, feature: Feature) -> np.ndarray[Any, Any]:
    """One column as the model takes it: float64 with NaN for a missing number, or texts."""
    cells = table.column(feature.name)
    if feature.type == "text":
        return np.array(cells, dtype=object)
    read = (number(cell) for cell in cells)
    return np.array([math.nan if one is None else one for one in read], dtype=np.float64)


def frame(table: Table, features: Sequence[Feature]) -> pd.DataFrame:
    return pd.DataFrame(
        {feature.name: pd.Series(values(table, feature), dtype=DTYPES[feature.type]) for feature in features}
    )
