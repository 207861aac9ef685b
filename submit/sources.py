"""``[sources.NAME]`` of denpyo.toml: where filled forms come from, one class a kind of source. Nothing here is imported that is slow."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What every source has: ``every``, the seconds between two looks at it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    every: Annotated[float, Field(ge=0.2, le=86_400, description="seconds between two looks")] = 60


class Folder(Settings):
    """A folder that filled forms are dropped into; ``path`` is relative to the desk."""

    kind: Literal["folder"]
    path: Annotated[str, Field(min_length=1)]
    every: Annotated[float, Field(ge=0.2, le=86_400, description="seconds between two looks")] = 0.5


class Google(Settings):
    """Google Forms, as far as this desk has published them."""

    kind: Literal["google"]
    credentials: Annotated[
        str,
        Field(
            description="the entry of [secrets] that holds a service account, a workload identity or an installed app"
        ),
    ]
    subject: Annotated[str, Field(description="the person in whose name a service account acts")] = ""
    responders: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="who may answer: anyone (who is signed in), domain:…, group:… or user:…"),
    ] = ("anyone",)
    endpoint: Annotated[str, Field(description="a private address of Google's services, where you have one")] = ""


AnySource = Annotated[Folder | Google, Field(discriminator="kind")]
