"""A measuring survey: 20 questions with every sort of limit that a sheet can hold, conditions, and choices that hang on another answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, Choice, Identifier, Job, Unit, When, rule
from schema.words import Words

NONE = Words("none", ja="なし")

OFFICES = {
    "hokkaido": "北海道", "aomori": "青森", "iwate": "岩手", "miyagi": "宮城", "akita": "秋田", "yamagata": "山形",
    "fukushima": "福島", "ibaraki": "茨城", "tochigi": "栃木", "gunma": "群馬", "saitama": "埼玉", "chiba": "千葉",
    "tokyo": "東京", "kanagawa": "神奈川", "niigata": "新潟", "toyama": "富山", "ishikawa": "石川", "fukui": "福井",
    "yamanashi": "山梨", "nagano": "長野", "gifu": "岐阜", "shizuoka": "静岡", "aichi": "愛知", "mie": "三重", "shiga":
    "滋賀", "kyoto": "京都", "osaka": "大阪", "hyogo": "兵庫", "nara": "奈良", "wakayama": "和歌山", "tottori": "鳥取",
    "shimane": "島根", "okayama": "岡山", "hiroshima": "広島", "yamaguchi": "山口", "tokushima": "徳島", "kagawa": "香川",
    "ehime": "愛媛", "kochi": "高知", "fukuoka": "福岡", "saga": "佐賀", "nagasaki": "長崎", "kumamoto": "熊本", "oita":
    "大分", "miyazaki": "宮崎", "kagoshima": "鹿児島", "okinawa": "沖縄",
}  # fmt: skip


class Survey(Job):
    version: ClassVar[int] = 1
    title: ClassVar[Words] = Words("Plan a measuring survey", ja="測定調査を計画する")
    about: ClassVar[Words] = Words("Plans what is measured where.", ja="どこで何を測るかを計画します。")
    workload: ClassVar[str] = "inference"

    site: Annotated[
        Identifier,
        Ask("Site", ja="地点名", help=Words("Its short name.", ja="短い名前です。"), example="site-1", basic=True),
    ]
    subject: Annotated[
        str,
        Field(min_length=2, max_length=40),
        Ask("Subject", ja="件名", help=Words("In a few words.", ja="短く書きます。"), example="Water", basic=True),
    ]
    office: Annotated[
        Literal[
            "hokkaido", "aomori", "iwate", "miyagi", "akita", "yamagata", "fukushima", "ibaraki", "tochigi", "gunma",
            "saitama", "chiba", "tokyo", "kanagawa", "niigata", "toyama", "ishikawa", "fukui", "yamanashi", "nagano",
            "gifu", "shizuoka", "aichi", "mie", "shiga", "kyoto", "osaka", "hyogo", "nara", "wakayama", "tottori",
            "shimane", "okayama", "hiroshima", "yamaguchi", "tokushima", "kagawa", "ehime", "kochi", "fukuoka", "saga",
            "nagasaki", "kumamoto", "oita", "miyazaki", "kagoshima", "okinawa",
        ],
        Ask(
            "Office",
            ja="担当事務所",
            help=Words("A list that is longer than 255 letters.", ja="255文字を超える長い一覧です。"),
            basic=True,
            choices=tuple(Choice(one, one.capitalize(), ja=ja) for one, ja in OFFICES.items()),
        ),
    ]  # fmt: skip
    medium: Annotated[
        Literal["water", "air"],
        Ask(
            "What is measured?",
            ja="測るもの",
            help=Words("Water or air.", ja="水または空気です。"),
            basic=True,
            choices=(Choice("water", "Water", ja="水"), Choice("air", "Air", ja="空気")),
        ),
    ]
    instrument: Annotated[
        Literal["turbidity", "conductivity", "particles", "ozone"],
        Ask(
            "Instrument",
            ja="測定器",
            help=Words("Depends on what is measured.", ja="測るものによって変わります。"),
            basic=True,
            choices=(
                Choice("turbidity", "Turbidity meter", ja="濁度計", when=When("medium", "water")),
                Choice("conductivity", "Conductivity meter", ja="導電率計", when=When("medium", "water")),
                Choice("particles", "Particle counter", ja="粒子計", when=When("medium", "air")),
                Choice("ozone", "Ozone meter", ja="オゾン計", when=When("medium", "air")),
            ),
        ),
    ]
    method: Annotated[
        Literal["full", "sampled", "none"],
        Ask(
            "Method",
            ja="調べ方",
            help=Words("All of it, or samples.", ja="全数か抜き取りかです。"),
            basic=True,
            choices=(
                Choice("full", "Everything", ja="全数"),
                Choice("sampled", "Samples", ja="抜き取り"),
                Choice("none", "Not at all", ja="調べない"),
            ),
        ),
    ] = "full"
    samples: Annotated[
        int | None,
        Field(ge=1, le=10_000),
        When("method", "sampled", required=True),
        Ask(
            "How many samples?",
            ja="サンプル数",
            help=Words("Only for samples.", ja="抜き取りのときだけです。"),
            example="20",
            basic=True,
            blank=NONE,
            unit=Unit("samples", ja="個"),
        ),
    ] = None
    reason: Annotated[
        str | None,
        Field(max_length=200),
        When("method", "none"),
        Ask("Why not?", ja="調べない理由", help=Words("In a few words.", ja="短く書きます。"), blank=NONE),
    ] = None
    share: Annotated[
        float,
        Field(gt=0, le=1),
        Ask("Share", ja="割合", help=Words("80% is 0.8.", ja="8割は80%です。"), example="0.8"),
    ] = 0.8
    temperature: Annotated[
        float,
        Field(ge=-50, le=150),
        Ask(
            "Temperature",
            ja="温度",
            help=Words("Of what is measured.", ja="測るものの温度です。"),
            example="20",
            unit=Unit("℃", ja="℃"),
        ),
    ] = 20.0
    humidity: Annotated[
        float | None,
        Field(ge=0, le=100),
        Ask(
            "Humidity",
            ja="湿度",
            help=Words("Of the air.", ja="空気の湿度です。"),
            example="50",
            unit=Unit("%", ja="%"),
            blank=NONE,
        ),
    ] = None
    repeats: Annotated[
        int,
        Field(ge=1, le=100),
        Ask(
            "How often?",
            ja="繰り返しの回数",
            help=Words("How often it is measured.", ja="測る回数です。"),
            example="3",
            unit=Unit("times", ja="回"),
        ),
    ] = 1
    urgent: Annotated[
        bool, Ask("Is it urgent?", ja="急ぎますか", help=Words("Yes or no.", ja="はい・いいえです。"))
    ] = False
    notify: Annotated[
        bool,
        Ask("Shall we tell you?", ja="知らせますか", help=Words("Yes or no.", ja="はい・いいえです。"), basic=True),
    ]
    begins: Annotated[
        date,
        Field(ge=date(2026, 1, 1)),
        Ask(
            "First day",
            ja="開始日",
            help=Words("Not before 2026.", ja="2026年以後です。"),
            example="2026/11/21",
            basic=True,
        ),
    ]
    ends: Annotated[
        date,
        Field(le=date(2030, 12, 31)),
        Ask(
            "Last day",
            ja="終了日",
            help=Words("Not after 2030.", ja="2030年以前です。"),
            example="2026/11/30",
            basic=True,
        ),
    ]
    code: Annotated[
        str,
        Field(pattern=r"^[A-Z]{2}-[0-9]{3}$"),
        Ask("Code", ja="記号", help=Words("Two letters, three digits.", ja="英字2つと数字3つです。"), example="AB-123"),
    ] = "AB-123"
    budget: Annotated[
        int,
        Field(ge=0, le=10_000_000),
        Ask(
            "Budget",
            ja="予算",
            help=Words("In yen.", ja="円で書きます。"),
            example="50000",
            unit=Unit("yen", ja="円"),
        ),
    ] = 0
    contact: Annotated[
        str | None,
        Field(max_length=100),
        Ask("Contact", ja="連絡先", help=Words("Whom to call.", ja="電話する相手です。"), blank=NONE),
    ] = None
    note: Annotated[
        str | None,
        Field(max_length=500),
        Ask("Note", ja="メモ", help=Words("Anything else.", ja="ほかに何でも。"), blank=NONE),
    ] = None

    @rule("ends", en="The last day must not be before the first.", ja="終了日は開始日以後にしてください。")
    def in_order(begins: date, ends: date) -> bool:
        return begins <= ends
