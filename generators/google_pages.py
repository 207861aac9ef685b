"""The pages of a Google form: which questions stand on which page, and where each page leads.

Only an option of a question with radio buttons or a drop-down list leads anywhere, and only once its page is left; a page itself
always goes on to the one below it. So a question that decides ends its page, what hangs on each of its answers stands on pages of
its own, and a page that must skip the ones below it ends in a question whose only option leads on. A condition that pages cannot
express (on several answers, on a list, on a question that may stay empty because it follows from others) is left to the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schema.question import Condition, Form, Question
from schema.text import Misread, read


@dataclass
class Way:
    """Where an answer or a page leads: to a page, or to the end of the form (None)."""

    page: Page | None = None


@dataclass(eq=False)
class Page:
    """Questions that are shown together under ``conditions``, which led here. ``leads`` says where each answer to the last of them
    leads, where it decides; else ``on`` says where the page leads."""

    conditions: tuple[Condition, ...]
    questions: list[Question] = field(default_factory=list)
    leads: dict[str | bool, Way] = field(default_factory=dict)
    on: Way = field(default_factory=Way)

    @property
    def decides(self) -> Question | None:
        return self.questions[-1] if self.leads else None

    def unsaid(self, question: Question) -> tuple[Condition, ...]:
        """The conditions of a question that its page does not stand for."""
        return tuple(one for one in question.conditions if one not in self.conditions)


def pages(form: Form) -> tuple[Page, ...]:
    """The pages of a form in their order. Every question stands on exactly one of them."""
    laying = _Laying()
    laying.lay(form.questions, ())
    return tuple(laying.pages)


def visited(all_pages: Sequence[Page], answers: Mapping[str, str]) -> set[str] | None:
    """The keys of the questions that a person with these answers, by key, is led past; None where an answer that decides is missing
    or cannot be read, so that nobody knows."""
    found: set[str] = set()
    page: Page | None = all_pages[0] if all_pages else None
    while page is not None:
        found |= {one.key for one in page.questions}
        if page.decides is None:
            page = page.on.page
            continue
        value = read(page.decides, answers.get(page.decides.key, ""))
        if value is None or isinstance(value, Misread):
            return None
        page = page.leads[value].page
    return found


@dataclass
class _Laying:
    """Pages being laid out. ``loose`` are the ways that lead to whatever page comes next."""

    pages: list[Page] = field(default_factory=list)
    page: Page | None = None
    loose: list[Way] = field(default_factory=list)

    def lay(self, questions: Sequence[Question], assumed: tuple[Condition, ...]) -> None:
        rest = list(questions)
        while rest:
            question = rest.pop(0)
            self._open(assumed).questions.append(question)
            branches = _branches(question, rest, assumed)
            if branches:
                led = {one.key for members in branches.values() for one in members}
                rest = [one for one in rest if one.key not in led]
                self._split(question, branches, assumed)
        self._close()

    def _open(self, assumed: tuple[Condition, ...]) -> Page:
        if self.page is None:
            self.page = Page(assumed)
            self.pages.append(self.page)
            for way in self.loose:
                way.page = self.page
            self.loose = []
        return self.page

    def _close(self) -> None:
        if self.page is not None:
            self.loose.append(self.page.on)
            self.page = None

    def _split(
        self, question: Question, branches: Mapping[Condition, list[Question]], assumed: tuple[Condition, ...]
    ) -> None:
        deciding, ends = self._open(assumed), []
        self.page = None
        for value in _values(question):
            deciding.leads[value] = Way()
            if not any(value in condition.values for condition in branches):
                ends.append(deciding.leads[value])
        for condition, members in branches.items():
            self.loose = [deciding.leads[value] for value in _values(question) if value in condition.values]
            self.lay(members, (*assumed, condition))
            ends += self.loose
        self.loose = ends


def _values(question: Question) -> Iterator[str | bool]:
    """What a question with one answer may be answered, in the order of its options."""
    yield from (True, False) if question.widget == "yes_no" else (one.value for one in question.choices)


def _branches(
    question: Question, later: Iterable[Question], assumed: tuple[Condition, ...]
) -> dict[Condition, list[Question]]:
    """What hangs on the answers to a question and can stand on pages of its own: of no two conditions that share an answer, and with
    no condition on what is asked elsewhere. The pages come in the order of the answers."""
    found: dict[Condition, list[Question]] = {}
    always = all(one in assumed for one in question.conditions)
    if question.widget not in ("choice", "yes_no") or question.follows or not always:
        return found
    for one in later:
        first, *others = [*(two for two in one.conditions if two not in assumed), None]
        if first is None or first.on != question.name or _overlaps(first, found):
            continue
        inside = {two.name for two in found.get(first, ())}
        if all(two is None or two.on in inside for two in others):
            found.setdefault(first, []).append(one)
    order = list(_values(question))
    return dict(sorted(found.items(), key=lambda item: min(map(order.index, item[0].values))))  # type: ignore[arg-type]


def _overlaps(condition: Condition, others: Iterable[Condition]) -> bool:
    return any(set(condition.values) & set(one.values) for one in others if one != condition)
