"""What may stand in policy.yaml: people and groups, operators, and the rules; and who is meant by the names in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MAIL, ANYONE_AT, PERSON, GROUP, UNVERIFIED = "mail:", "mail:*", "person:", "group:", "unverified"
NAME = r"[^\s:*]{1,64}"
ONE = r"user:[^\s*]+|mail:[^\s@*]+@[^\s@*]+|github:[0-9]+|clearml:[^\s*]+"
MANY = rf"{ONE}|mail:\*@[^\s@*]+|person:{NAME}"

Name = Annotated[str, Field(pattern=rf"^{NAME}$")]
Subject = Annotated[
    str,
    Field(
        pattern=rf"^({ONE})$",
        description="user:NAME, a user of this machine; mail:ADDRESS, as far as Google, Microsoft or the mailbox vouch for it; github:ID, "
        "the number of a GitHub account; clearml:ID, a user of the ClearML server",
    ),
]
Member = Annotated[
    str, Field(pattern=rf"^({MANY})$", description="a name of somebody, mail:*@DOMAIN, or person:NAME of `people`")
]
Ruling = Annotated[
    str,
    Field(
        pattern=rf"^({MANY}|group:{NAME})$", description="a name of somebody, mail:*@DOMAIN, person:NAME or group:NAME"
    ),
]
Who = Annotated[
    str,
    Field(
        pattern=rf"^({MANY}|group:{NAME}|unverified)$",
        description="user:NAME, a user of this machine; mail:ADDRESS or mail:*@DOMAIN, as far as Google, Microsoft or the mailbox "
        "vouch for it; github:ID, the number of a GitHub account; clearml:ID, a user of the ClearML server; person:NAME and "
        "group:NAME, as `people` and `groups` say; unverified: nobody vouches for who asks",
    ),
]
Trust = Literal["claimed", "machine", "verified"]
TRUSTS: tuple[Trust, ...] = ("claimed", "machine", "verified")
"""How far who asks is known: by nobody, by this machine, by a service that vouches; the least first."""
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Doors(_Strict):
    """Which ways in a rule is for, and how far who asks must be known."""

    min_trust: Annotated[
        Trust,
        Field(description="claimed: nobody vouches; machine: a user of this machine; verified: a service vouches"),
    ] = "claimed"
    only: Annotated[
        tuple[str, ...],
        Field(description="excel, yaml, google, microsoft, github, clearml; or what carried it: command, folder, mail"),
    ] = ()


class Limits(_Strict):
    """What one person may take. A job's GPU hours are its GPUs times its hours at most; a month is one of UTC; open are requests
    that are held, wait or run."""

    gpus_per_job: Annotated[int, Field(ge=0)] | None = None
    hours_per_job: Amount | None = None
    gpu_hours_per_job: Amount | None = None
    gpu_hours_per_month: Amount | None = None
    open_jobs: Annotated[int, Field(ge=0)] | None = None


def _always(not_self: bool) -> bool:
    if not not_self:
        raise PydanticCustomError("not_self", "must be true: nobody approves what they asked for themselves")
    return not_self


class Approve(_Strict):
    """What must be approved before it runs, and by whom. ``over_…`` is more than that; ``always`` is everything."""

    over_gpu_hours: Amount | None = None
    over_gpus: Annotated[int, Field(ge=0)] | None = None
    over_hours: Amount | None = None
    always: bool = False
    by: Annotated[tuple[Ruling, ...], Field(min_length=1)]
    not_self: Annotated[bool, AfterValidator(_always), Field(json_schema_extra={"const": True})] = True
    expires_days: Annotated[float, Field(gt=0, le=365, allow_inf_nan=False)] = 7


class Rule(_Strict):
    """One permission: these people may run these kinds in these queues, so much of it. ``*`` stands for every kind or queue."""

    who: Annotated[tuple[Who, ...], Field(min_length=1)]
    doors: Doors = Doors()
    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    queues: Annotated[tuple[str, ...], Field(min_length=1)]
    limits: Limits = Limits()
    approve: Approve | None = None


class Person(_Strict):
    """One person: every name that they have, the language they read, and where mail reaches them."""

    names: Annotated[tuple[Subject, ...], Field(alias="is", min_length=1)]
    language: Annotated[Literal["", "ja", "en"], Field(description="the desk's, where there is none")] = ""
    mail: Annotated[
        str,
        Field(pattern=r"^([^\s@*]+@[^\s@*]+)?$", description="the first mail: among their names, where there is none"),
    ] = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody whom the policy names: as it calls them, the names they have, where mail reaches them, and their language. "" is
    what is not known; of ``language`` it means the desk's."""

    name: str
    subjects: tuple[str, ...]
    mail: str = ""
    language: str = ""


class Policy(_Strict):
    """The rules in their order; the first that covers a request decides."""

    version: Literal[1]
    people: dict[Name, Person] = {}
    groups: dict[Name, tuple[Member, ...]] = {}
    named_operators: Annotated[
        tuple[Ruling, ...], Field(alias="operators", description="who hears of failures and may stop anything")
    ] = ()
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_person_a_name(self) -> Policy:
        seen: set[str] = set()
        for one in (folded(name) for person in self.people.values() for name in person.names):
            if one in seen:
                raise PydanticCustomError("two_people", "people: two have the same name")
            seen.add(one)
        return self

    @cached_property
    def _people_by_subject(self) -> dict[str, str]:
        return {folded(one): name for name, person in self.people.items() for one in person.names}

    def person(self, subject: str) -> str:
        """The name of the person with this subject, else the subject itself: by it budgets count and nobody approves their own."""
        return self._people_by_subject.get(folded(subject), folded(subject))

    def meant(self, names: Iterable[str]) -> Iterator[str]:
        """The subjects and domains behind these names; none behind a person or group that there is not."""
        for one in names:
            if one.startswith(GROUP):
                yield from self.meant(self.groups.get(one.removeprefix(GROUP), ()))
            elif one.startswith(PERSON):
                person = self.people.get(one.removeprefix(PERSON))
                yield from person.names if person else ()
            else:
                yield one

    def names(self, names: Iterable[str], subject: str) -> bool:
        """Whether the subject is one of those."""
        return any(is_one(one, subject) for one in self.meant(names))

    def reach(self, who: str) -> tuple[Contact, ...]:
        """Everybody behind a subject, person or group; nobody behind one that there is not."""
        if who.startswith(GROUP):
            return self._contacts(self.groups.get(who.removeprefix(GROUP), ()))
        name = who.removeprefix(PERSON) if who.startswith(PERSON) else self.person(who)
        if name in self.people:
            return (self._contact(name, self.people[name]),)
        if who.startswith(PERSON) or ":" not in who:
            return ()
        has_address = who.startswith(MAIL) and not who.startswith(ANYONE_AT)
        return (Contact(who, (who,), who.removeprefix(MAIL) if has_address else ""),)

    def _contact(self, name: str, person: Person) -> Contact:
        mailed = (one.removeprefix(MAIL) for one in person.names if one.startswith(MAIL))
        return Contact(name, person.names, person.mail or next(mailed, ""), person.language)

    def _contacts(self, names: Iterable[str]) -> tuple[Contact, ...]:
        return tuple(dict.fromkeys(contact for one in names for contact in self.reach(one)))

    @property
    def operators(self) -> tuple[Contact, ...]:
        return self._contacts(self.named_operators)

    def is_operator(self, subject: str) -> bool:
        return self.names(self.named_operators, subject)

    def rule(self, number: int) -> Rule | None:
        """The rule of this number, which counts from 1."""
        return self.rules[number - 1] if 0 < number <= len(self.rules) else None

    def _by(self, number: int) -> tuple[str, ...]:
        rule = self.rule(number)
        return rule.approve.by if rule and rule.approve else ()

    def approvers(self, rule_number: int) -> tuple[Contact, ...]:
        """Who may approve what this rule holds."""
        return self._contacts(self._by(rule_number))


def folded(subject: str) -> str:
    """Addresses are the same in capitals and small letters: the mail services that vouch for them tell nobody apart by that."""
    return subject.casefold() if subject.startswith(MAIL) else subject


def is_one(allowed: str, subject: str) -> bool:
    """Whether a subject is the one that is named, or of the domain that is."""
    if allowed.startswith(ANYONE_AT):
        return subject.startswith(MAIL) and folded(subject).endswith(folded(allowed).removeprefix(ANYONE_AT))
    return folded(allowed) == folded(subject)
