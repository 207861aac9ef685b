"""Problem: something a person can put right, at a place, in their language. The words of each code stand in ``words/``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schema import words
from schema.answers import Where
from schema.words import Fact, Words

LONGEST_SHOWN = 60
LONGEST_MESSAGE = 2000
INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of controls, marks without width, halves of characters, and ends of lines and paragraphs."""
SIGNED = re.compile(
    r"(?<=[?&;])([^=&;\s]*(?:sig|token|key|secret|passw|credential|auth)[^=&;\s]*=)[^&;\s」”]+|(?<=://)[^/\s@「]+:[^/\s@]+@",
    re.IGNORECASE,
)
"""What lets whoever has an address in: its signature or key, or a name with a password before the host."""
BREAKS = re.compile("\r\n|[\t\n\r\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Problem:
    """``code`` names an entry ``[problems.CODE]`` of every word file: ``what`` is wrong and what to ``do``."""

    code: str
    where: Where
    question: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    suggestion: str | Words = ""

    def message(self, language: str) -> str:
        """What is wrong, what to do, and a suggestion where there is one: one line, whatever people wrote."""
        entry = words.table(language)["problems"][self.code]
        parts = [words.fill(str(entry[part]), language, self.facts) for part in ("what", "do")]  # type: ignore[index]
        if self.suggestion:
            meant = self.suggestion.say(language) if isinstance(self.suggestion, Words) else self.suggestion
            parts.append(words.text("did_you_mean", language, suggestion=shown(meant)))
        said = ("" if language == "ja" else " ").join(part for part in parts if part)
        return shown(unsigned(said), LONGEST_MESSAGE)

    def line(self, language: str) -> str:
        """``FILE:SPOT: message [code]``, in one line."""
        return f"{shown(str(self.where), 300)}: {self.message(language)} [{self.code}]"


def unsigned(text: str) -> str:
    """Addresses in a text without what lets others in, for a message is mailed, posted and recorded."""
    return SIGNED.sub(lambda found: f"{found[1] or ''}…" + ("" if found[1] else "@"), text)


def shown(text: str, longest: int = LONGEST_SHOWN) -> str:
    """A person's text, fit to stand in one line of ours: line breaks become blanks, what cannot be seen is made visible, the rest cut."""
    text = BREAKS.sub(" ", text) if text.strip() else text
    seen = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) in INVISIBLE else one for one in text)
    return seen if len(seen) <= longest else seen[: longest - 1] + "…"


def nearest(wrong: str, known: Iterable[str]) -> str:
    """The one known name that a person most probably meant, or nothing."""
    from difflib import get_close_matches  # whoever has no mistake to show does not wait for it

    names = {folded(one): one for one in known}
    found = get_close_matches(folded(wrong), names, n=1, cutoff=0.6)
    return names[found[0]] if found else ""


def folded(name: str) -> str:
    """A name as it is compared: width and capitals are no difference."""
    return unicodedata.normalize("NFKC", name).casefold()
