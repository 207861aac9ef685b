"""One response as a Power Automate flow writes it: a JSON file that the page of the form shows how to make.

::

    {"denpyo": "microsoft forms 1", "form": "train_supervised 1 ja", "response": 17, "email": "hanako@example.co.jp",
     "answers": {"k3f9": "wine", "q2xa": "[\\"Accuracy\\",\\"F1\\"]", …}}

``form`` is the mark of the form, ``response`` the number that Forms gave, ``answers`` has texts by the tags of the questions, null or
nothing for those left empty, several choices as Forms itself writes them: a JSON list in a text. ``again`` says why to run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generators.microsoft import in_brackets
from generators.microsoft.asked import Asked

FORMAT = "microsoft forms 1"
RESPONSE, EMAIL = "Response Id", "Responders' Email"
"""What Power Automate calls these in its own list, in English."""


def written(questions: Sequence[Asked]) -> dict[str, Any]:
    """The document with a title wherever the flow puts an answer."""
    *all_others, last = questions
    return {
        "denpyo": FORMAT,
        "form": in_brackets(last.title)[0],
        "response": RESPONSE,
        "email": EMAIL,
        "answers": {in_brackets(one.title)[0]: one.title for one in all_others},
        "again": last.title,
    }
