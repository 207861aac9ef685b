"""What the fields of a kind are marked with: Ask and its Unit and Choices, When, AtLeast, Refers, Identifier; and Script,
which a kind may run.

Kinds import them from ``schema.job``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import StringConstraints

from schema.words import Words

LONGEST_IDENTIFIER = 63
IDENTIFIER = rf"^[a-z0-9][a-z0-9-]{{0,{LONGEST_IDENTIFIER - 1}}}$"
COMMIT = re.compile(r"[0-9a-f]{40}")
SECRET = re.compile(r"(?i)(https?://[^/?#]*@|[a-z+.-]+://[^/?#@]*:[^/?#]*@)")


class Unit(Words):
    """The unit an answer is given in, as a person reads it: ``Unit("hours", ja="時間")``."""


@dataclass(frozen=True, slots=True)
class When:
    """The question is asked only while the sibling ``on`` has one of ``values``; ``required``: then it must be answered.

    The field it marks has the type ``X | None`` and the default None, which stands for "not asked".
    """

    on: str
    values: tuple[object, ...]
    required: bool

    def __init__(self, on: str, *values: object, required: bool = False) -> None:
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "required", required)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The answer is not below that of the sibling ``on``: a day not before it, a number or a length of time not less than it;
    ``strictly``: nor the same. Asked only when both have values. A rule written in Python can say more, but no sheet knows it.
    """

    on: str
    strictly: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a choice: the value in the slip and the label a person sees. ``when`` offers it only then."""

    value: str
    label: Words
    when: When | None = None

    def __init__(self, value: str, en: str, *, ja: str, when: When | None = None) -> None:
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "label", Words(en, ja))
        object.__setattr__(self, "when", when)


@dataclass(frozen=True, slots=True)
class Ask:
    """The question a person reads for one field.

    ``basic`` marks the few that a beginner's form shows; the others are folded away with their defaults. ``blank`` says what an
    empty answer means where the default is None or follows from other answers (``Job.complete``). ``example`` is typed as a
    person would type it; where it is a percentage (``80%``), a sheet asks for one and shows the limits so.
    """

    label: Words
    help: Words
    example: str = ""
    unit: Unit | None = None
    basic: bool = False
    blank: Words | None = None
    choices: tuple[Choice, ...] = ()

    def __new__(cls, *en: str, **given: object) -> Ask:
        """Python's own refusal would not say which of many questions lacks its words. ``copy`` comes here without any."""
        for name, kind, written in (("ja", str, '"…"'), ("help", Words, 'Words("…", ja="…")')) if en else ():
            if not isinstance(given.get(name), kind):
                raise TypeError(f"Ask({en[0]!r}): write {name}={written}")
        return object.__new__(cls)

    def __init__(
        self,
        en: str,
        *,
        ja: str,
        help: Words,
        example: str = "",
        unit: Unit | None = None,
        basic: bool = False,
        blank: Words | None = None,
        choices: tuple[Choice, ...] = (),
    ) -> None:
        for name, value in (("label", Words(en, ja)), ("help", help), ("example", example), ("unit", unit)):
            object.__setattr__(self, name, value)
        for name, more in (("basic", basic), ("blank", blank), ("choices", choices)):
            object.__setattr__(self, name, more)


@dataclass(frozen=True, slots=True)
class Refers:
    """The answer names something that an engine can look up: a dataset, a model, or a column of the dataset that the field ``of``
    names; ``task`` is the field that says whether the column holds classes or numbers."""

    to: Literal["dataset", "column", "model"]
    of: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class IsIdentifier:
    """Marks a text that names a file, a tag or a folder: ASCII, lower case, never a path."""


Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER), IsIdentifier()]


@dataclass(frozen=True, slots=True)
class Script:
    """What a kind runs when it is not one of ``jobs/``: ``entry``, a Python file, with the answers as ``--name value`` and a YAML file.

    ``repository`` is a git address and ``commit`` 40 hexadecimal digits; without them ``entry`` lies beside the kind's own file.
    ``packages`` are exact pins for pip (``name==1.2``), ``image`` a container image for engines that run containers.
    """

    entry: str
    repository: str = ""
    commit: str = ""
    image: str = ""
    packages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.repository) != bool(self.commit):
            raise TypeError("Script: repository and commit go together")
        if self.commit and not COMMIT.fullmatch(self.commit):
            raise TypeError("Script: commit must be 40 hexadecimal digits, because a branch or tag can move")
        if SECRET.search(self.repository):
            raise TypeError(
                "Script: an address with a password would be written into records; leave it to git's own credentials"
            )
        if self.repository.startswith("-") or self.entry.startswith(("-", "/")) or ".." in self.entry.split("/"):
            raise TypeError("Script: entry must be a path inside the repository")
        if any("==" not in package or package.startswith("-") for package in self.packages):
            raise TypeError("Script: packages must be exact pins, name==version")
