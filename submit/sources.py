"""``[sources.NAME]`` of denpyo.toml: where filled forms come from, one class a kind of source. Nothing here is imported that is slow."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

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
    write_back: Annotated[
        bool, Field(description="whether the marked copy of a table is kept up to date: id, state and link of each row")
    ] = False


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
    write_back: Annotated[
        bool,
        Field(description="whether receipt, state and link are written into the spreadsheet that a form is linked to"),
    ] = False


class Microsoft(Settings):
    """Workbooks of responses in OneDrive or SharePoint, read by Graph. ``secret`` names a file of ``[secrets]``: for ``certificate`` a PEM
    with the private key and the certificate, for ``secret`` the client secret; for ``device`` somebody signs in once."""

    kind: Literal["microsoft"]
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,100}$", description="the directory's id or domain")]
    client: Annotated[str, Field(pattern=r"^[0-9A-Fa-f-]{36}$", description="the application's (client) id")]
    sign_in: Literal["certificate", "secret", "device"] = "certificate"
    secret: Annotated[str, Field(description="the name of an entry of [secrets]; none for device")] = ""
    drive: Annotated[str, Field(pattern=r"^[A-Za-z0-9!_-]{1,200}$", description="the id of the drive")]
    path: Annotated[str, Field(pattern=r"^[^/\s].*[^/]$", description="a workbook in the drive, or a folder of them")]
    write_back: Annotated[
        bool,
        Field(description="whether receipt, state and link are written beside each response; needs sign_in device"),
    ] = False


class Mailbox(Settings):
    """A mailbox that filled forms are mailed to, read by IMAP over TLS. ``password`` names an entry of [secrets]; ``authserv_id`` is how
    the mailbox's own server calls itself in Authentication-Results: what others say there counts for nothing. ``done`` and
    ``refused`` are the folders of the mailbox that answered messages are moved to."""

    kind: Literal["mail"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    user: Annotated[str, Field(min_length=1)]
    password: Annotated[str, Field(min_length=1, description="the name of an entry of [secrets]")]
    authserv_id: Annotated[str, Field(pattern=r"^[^\s;]+$", description="the mailbox's own server, RFC 8601")]
    folder: Annotated[str, Field(min_length=1)] = "INBOX"
    done: Annotated[str, Field(min_length=1)] = "done"
    refused: Annotated[str, Field(min_length=1)] = "refused"
    ca: Annotated[str, Field(description="certificates of a CA of your own, PEM, relative to the desk")] = ""


class GitHub(Settings):
    """Issues of one repository that carry one label. ``token`` names an entry of [secrets]: a fine-grained token of a user of its own
    that may read and write the issues of this repository and nothing else."""

    kind: Literal["github"]
    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", description="owner/name")]
    label: Annotated[str, Field(min_length=1)] = "denpyo"
    token: Annotated[str, Field(min_length=1, description="the name of an entry of [secrets]")]
    url: Annotated[
        str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])", description="where GitHub's API is")
    ] = "https://api.github.com"


class ClearML(Settings):
    """A queue of the ClearML server that people put their clones of templates into, and that only the desk reads. ``sign_in`` says
    whether the server knows who its users are (``fixed`` users with passwords, or single sign-on), or whether whoever opens its
    page may write any name (``open``): then nobody is vouched for."""

    kind: Literal["clearml"]
    queue: Annotated[str, Field(pattern=r"^[\w .-]{3,100}$", description="a queue that no agent takes from")] = "denpyo"
    sign_in: Annotated[Literal["fixed", "open"], Field(description="how people sign in to the server")] = "open"
    every: Annotated[float, Field(ge=0.2, le=86_400, description="seconds between two looks")] = 10


AnySource = Annotated[Folder | Google | Microsoft | Mailbox | GitHub | ClearML, Field(discriminator="kind")]
SORTS: tuple[str, ...] = tuple(
    get_args(one.model_fields["kind"].annotation)[0] for one in get_args(get_args(AnySource)[0])
)
"""The kinds of sources there are."""
