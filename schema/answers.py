"""What came in through a door, before anyone judged it: text, each with the place it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place a person can find again: a file, issue or response, and a spot in it (``入力!C7``, ``line 4, column 3``, ``Q3``)."""

    file: str
    spot: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.spot}" if self.spot else self.file

    def at(self, spot: str) -> Where:
        return Where(self.file, spot)


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value and where it stands."""

    value: T
    where: Where


Given = str | tuple[str, ...]


class Row(Mapping[str, Located[Given]]):
    """The answers of one row of a table, each Located only when somebody looks: 10,000 rows of 20 answers are 200,000 places.

    ``columns`` says where in ``cells`` the answer to a question key stands; ``place`` where a person finds that cell.
    """

    __slots__ = ("_place", "cells", "columns")

    def __init__(self, columns: Mapping[str, int], cells: Sequence[str], place: Callable[[int], Where]) -> None:
        self.columns, self.cells, self._place = columns, cells, place

    def __getitem__(self, key: str) -> Located[Given]:
        index = self.columns[key]
        return Located(self.cells[index], self._place(index))

    def __contains__(self, key: object) -> bool:
        return key in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


@dataclass(frozen=True, slots=True)
class Answers:
    """What one person gave for one request.

    ``given`` holds text by question key (``Question.key``; a plain name also where a door cannot tell members apart). An empty
    text is a question that was shown and left empty: its place is where the answer belongs. ``response`` is the id of a request that
    came back with these answers, if one did; ``named`` the name that an online service gives to this response for ever, whatever is
    edited in it (``github:owner/repository#12``); ``fingerprint`` that of the schema the blank form was made from.
    """

    kind: str
    where: Where
    given: Mapping[str, Located[Given]]
    language: str = ""
    version: int | None = None
    fingerprint: str = ""
    sender: Located[str] | None = None
    again: Located[str] | None = None
    response: str = ""
    named: str = ""
    places: Mapping[str, Where] = field(default_factory=dict)

    def place(self, key: str) -> Where:
        """Where the answer to a question stands or would stand."""
        found = self.given.get(key)
        return found.where if found else self.places.get(key, self.where)
