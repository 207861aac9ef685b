"""How messages are laid out: a Jinja2 template each, in every language; the words stand in ``schema/words``.

Templates of HTML escape by themselves; those of Markdown name what is defused; plain text takes what is one line already.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from generators.markdown import defused
from schema.words import text

HERE = Path(__file__).parent


def laid_out(template: str, language: str, **facts: Any) -> str:
    """A message in one language. What a template names and nobody gives is an error of ours."""
    return _environment().get_template(template).render(say=partial(_say, language), language=language, **facts)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"defused": defused, "linked": linked}
    return made


def linked(url: str) -> str:
    """An address within the brackets of a link of Markdown."""
    return url.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")


def _say(language: str, name: str, **facts: Any) -> str:
    return text(name, language, **{key: str(value) for key, value in facts.items()})
