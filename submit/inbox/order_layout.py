"""Where an order may stand in a mail: alone, between a salutation and a closing.

Mail programs break sentences wherever a line is full (RFC 3676, section 4), so a line that is only an order may be the end of "until the
budget is settled I will not". What is neither a salutation nor a closing makes it unclear; to be asked back costs a minute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from schema.text import clean
from submit.orders import APPROVE, Order

LONGEST_NAME = 40
MOST_SIGNED = 6
"""Lines of a signature that nothing sets apart."""
NAME = r"[^\W\d_][^\W\d_.'’-]{0,20}\.?"
DEAR = rf"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))(?: {NAME}){{0,3}}"
TITLED = r"(?:[^\s、。ぁ-ゖ]{1,12} ?){1,3}(?:様|さま|さん|殿|各位|先生|部長|課長)"
POLITE = (
    r"お疲れ様です|お疲れさまです|おつかれさまです|(?:いつも)?お世話になって(?:おり|い)ます|おはようございます|こんにちは|こんばんは"
    r"|ご?連絡(?:いただき)?ありがとうございます|ありがとうございます"
)
CALLED = r"(?:[^\s、。ぁ-ゖ]{1,15}の)?[^\s、。ぁ-ゖ]{1,8}です"
SALUTATION = re.compile(
    rf"(?:{DEAR}[,.!]?|(?:{TITLED}[、,。]?)? ?(?:(?:{POLITE})[。、!]? ?(?:{CALLED}。?)?)?)", re.IGNORECASE
)
CLOSING = re.compile(
    r"(?:many |best |with |kind |warm )?(?:thanks|thank you|thx|regards|wishes|best|cheers|sincerely|yours sincerely)"
    r"(?: again| a lot| very much| so much| and (?:best |kind )?regards)?[,.!]*(?: [A-Z][a-z]{1,15}\.?)?"
    r"|(?:以上、?)?(?:どうぞ|何卒|なにとぞ|では、?|引き続き、?)?(?:よろしく|宜しく)(?:(?:お願い|御願い)(?:し|いたし|致し|申し上げ)ます)?[。!]?"
    r"|(?:ご?対応|ご?手配)?(?:お願い|御願い)(?:し|いたし|致し|申し上げ)ます[。!]?"
    r"|(?:どうも)?ありがとうございま(?:す|した)[。!]?|失礼(?:し|いたし|致し)ます[。!]?|以上(?:です)?[。]?"
    r"|sent from (?:my )?[a-z0-9 ]{1,30}|get outlook for [a-z]{1,10}|.{1,20}から送信|outlook for .{1,10}を入手",
    re.IGNORECASE,
)
SIGNED = re.compile(
    r"[A-Z][\w'’-]{0,20}\.?(?: [A-Z][\w'’-]{0,20}\.?){0,3}|(?:[^\W\d_a-zA-Zぁ-ゖ]{1,8} ?){1,3}"
    r"|.{0,60}(?:[^\s@]+@[^\s@]+\.[a-z]+|https?://\S+|\+?[0-9][0-9()-]{8,})"
)
NAME_ALONE = re.compile(r"[A-Z][a-z]{1,15}(?: [A-Z][a-z]{1,15})?|[一-鿿]{2,4}(?: [一-鿿]{1,3})?")
TURNS = re.compile(
    r"\b(?:not|no|never|cannot|can|will|won|don|do|didn|isn|nor|without|until|till|unless|if|when|once|only|but|except|before|after|later"
    r"|tomorrow|tonight|today|next|maybe|perhaps|please|wait|reject(?:ed)?|cancel|half|first|pending|hold)\b"
    r"|[不否未無反却保留駄論件条別但仮予案]|中止|検討|確認|以[下内降]|まで|なら|場合|明日|後日|来[週月年]|今[週月日]",
    re.IGNORECASE,
)
"""What turns an order around or sets it a condition, in a line that otherwise looks like a name."""


def stands_alone(lines: Sequence[str], orders: Mapping[int, Order]) -> bool:
    """Whether nothing else is said than these orders, by their places among the lines: below one that rejects or cancels its reason may
    stand."""
    first, last = min(orders), max(orders)
    if not all(_is_salutation(clean(one)) for one in lines[:first]):
        return False
    between = (number for number in range(first, last) if number not in orders)
    if any(_above(orders, number).action == APPROVE for number in between):
        return False
    return orders[last].action != APPROVE or _is_closing([clean(one) for one in lines[last + 1 :]])


def _above(orders: Mapping[int, Order], number: int) -> Order:
    return orders[max(one for one in orders if one < number)]


def _is_salutation(line: str) -> bool:
    return bool(len(line) <= LONGEST_NAME and SALUTATION.fullmatch(line) and not TURNS.search(line))


def _is_closing(lines: Sequence[str]) -> bool:
    """A closing and whoever signs below it; or a name alone."""
    if len(lines) == 1 and NAME_ALONE.fullmatch(lines[0]) and not TURNS.search(lines[0]):
        return True
    closed = next((number for number, one in enumerate(lines) if not CLOSING.fullmatch(one)), len(lines))
    signed = lines[closed:]
    if not signed:
        return True
    return (
        closed > 0
        and len(signed) <= MOST_SIGNED
        and all(SIGNED.fullmatch(one) and not TURNS.search(one) for one in signed)
    )
