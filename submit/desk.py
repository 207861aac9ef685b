"""A desk: one denpyo.toml, one policy, one ledger, and the kinds it knows. Any number of processes on one host may use it."""

from __future__ import annotations

import os
import pwd
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from generators.excel import Encoding
from schema import kinds as registry
from schema.job import Identifier
from schema.kinds import Kind
from submit.sources import SORTS, AnySource

if TYPE_CHECKING:
    from submit.ledger import Ledger

EXAMPLES = ("examples/datasets", "jobs/examples/datasets")
"""Where the example datasets lie: in a checkout, and in an installed wheel."""
CONFIG, POLICY, LEDGER, RUNS, SCHEMAS = "denpyo.toml", "policy.yaml", "ledger", "runs", "schemas"


SHORTEST_QUEUE = 3


class DeskError(Exception):
    """A desk that is missing or whose denpyo.toml is wrong: the operator's to mend, in one line."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class Mail(_Strict):
    """The mail server that answers go out through, always over TLS (on port 465 from the first byte, else by STARTTLS), and the
    sender's address. The password is the entry ``mail`` of ``secrets``; without one nobody logs in. ``user`` is the sender where it is
    not given."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    sender: Annotated[str, Field(pattern=r"^[!-;=?A-~]+@[A-Za-z0-9.-]+$")]
    user: str = ""
    ca: Annotated[str, Field(description="certificates of a CA of your own, PEM, relative to the desk")] = ""


Event = Literal[
    "accepted",
    "held",
    "approved",
    "refused",
    "running",
    "done",
    "failed",
    "stopped",
    "rejected",
    "expired",
    "superseded",
]
"""What can become of a request that somebody hears of."""


class Chat(_Strict):
    """A channel of Slack or Teams. ``webhook`` names the entry of ``secrets`` whose file holds the webhook's address: whoever knows
    that may write there."""

    webhook: Annotated[str, Field(min_length=1, description="the name of an entry of [secrets]")]
    events: Annotated[tuple[Event, ...], Field(min_length=1, description="what the channel hears of")] = (
        "held",
        "failed",
    )


class Replies(_Strict):
    """Who hears of requests besides those whom a door answers. ``claimed``: domains whose addresses are mailed though nobody vouches for
    them, where a sheet or ``--as`` names them."""

    claimed: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = ()
    slack: Chat | None = None
    teams: Chat | None = None


class Witness(_Strict):
    """Where the newest checkpoint of the audit log is kept, out of reach of whoever writes the log: a branch of a git repository that takes
    no force. How git logs in there, git's own configuration says."""

    git: Annotated[
        str,
        Field(
            pattern=r"^[^-].*$",
            description="address of a repository, without a password, or a path relative to the desk",
        ),
    ]
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*$")] = (
        "denpyo-checkpoints"
    )
    every: Annotated[
        float,
        Field(
            ge=1, description="seconds between two checkpoints: what happened since the last can be rewritten unseen"
        ),
    ] = 3600

    @field_validator("git")
    @classmethod
    def _without_password(cls, git: str) -> str:
        if re.match(r"\w+://[^/@]*:[^/@]*@", git):
            raise PydanticCustomError("password", "holds a password: leave it to git's credential helper")
        return git


class ClearML(_Strict):
    """The engine ``clearml``: which server and whose credentials ``clearml.conf`` or ClearML's environment variables say."""

    project: Annotated[
        str,
        Field(
            pattern=r"^[\w .-]{3,}(/[\w .-]{3,})*$",
            description="runs lie in PROJECT/KIND, templates in PROJECT/templates",
        ),
    ] = "denpyo"
    repository: Annotated[
        str, Field(description="where agents get denpyo and your kinds from; else that of the checkout denpyo runs in")
    ] = ""
    commit: Annotated[
        str, Field(pattern=r"^([0-9a-f]{40})?$", description="the commit that agents run; else the checkout's")
    ] = ""
    requirements: Annotated[
        str, Field(description="the lock file agents install, relative to the desk; else denpyo's own")
    ] = ""
    image: Annotated[str, Field(description="the container image for agents that run with --docker")] = ""
    direct: Annotated[
        bool, Field(description="whether a copy of a template may go straight to an agent, past the desk")
    ] = False


class Config(_Strict):
    """denpyo.toml. An unknown name in it is an error, because a misspelt setting must not be a silent one."""

    engine: Annotated[Literal["local", "clearml"], Field(description="where runs go")] = "local"
    language: Annotated[Literal["ja", "en"], Field(description="in which people hear who did not say")] = "ja"
    encoding: Annotated[Encoding, Field(description="what a CSV is written in that is not Unicode")] = "utf-8"
    queues: Annotated[tuple[Identifier, ...], Field(min_length=1, description="the queues that exist here")] = (
        "default",
    )
    kinds: Annotated[str, Field(description="a folder of kinds beside the shipped ones, relative to the desk")] = (
        "kinds"
    )
    datasets: Annotated[tuple[str, ...], Field(description="folders of datasets, relative to the desk")] = ()
    sources: Annotated[
        dict[Identifier, AnySource], Field(description="where filled forms come from, by a name of yours")
    ] = {}
    mail: Mail | None = None
    replies: Replies = Replies()
    clearml: ClearML = ClearML()
    witness: Witness | None = None
    secrets: Annotated[
        dict[str, str], Field(description="files with secrets, by name: own, 0600, relative to the desk")
    ] = {}

    @field_validator("sources")
    @classmethod
    def _nobody_elses_queue(cls, sources: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        taken = [
            one.queue for one in sources.values() if one.kind == "clearml" and one.queue in info.data.get("queues", ())
        ]
        if taken:
            said = "runs wait in the queue {name}: people need another one to put their clones into"
            raise PydanticCustomError("taken", said, {"name": taken[0]})
        return sources

    @field_validator("queues")
    @classmethod
    def _long_enough(cls, queues: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        short = [one for one in queues if len(one) < SHORTEST_QUEUE] if info.data.get("engine") == "clearml" else []
        if short:
            raise PydanticCustomError(
                "short", "ClearML takes no name of fewer than 3 characters: {names}", {"names": ", ".join(short)}
            )
        return queues


@dataclass(frozen=True)
class Desk:
    """An existing desk, its configuration read and its kinds loaded."""

    folder: Path
    config: Config
    kinds: Mapping[str, Kind]

    @property
    def runs(self) -> Path:
        """One folder a run: its slip, log, result and model."""
        return self.folder / LEDGER / RUNS

    def ledger(self) -> Ledger:
        """Opened anew each time. Who only judges does not wait for its import."""
        from submit.ledger import open_ledger

        return open_ledger(self.folder / LEDGER)

    def dataset_folders(self) -> tuple[Path, ...]:
        """Where datasets are looked for: ``DENPYO_DATASETS``, else the desk's folders and ``datasets/``; the examples last."""
        set_apart = os.environ.get("DENPYO_DATASETS")
        if set_apart:
            mine = tuple(Path(one) for one in set_apart.split(os.pathsep) if one)
        else:
            mine = (*(self.folder / one for one in self.config.datasets), self.folder / "datasets", Path("datasets"))
        return (*mine, Path("examples/datasets"), *(shipped(one) for one in EXAMPLES))


def shipped(path: str) -> Path:
    """A file or folder that comes with denpyo, in a checkout and in an installed wheel alike."""
    return Path(__file__).resolve().parent.parent / path


def open_desk(folder: Path) -> Desk:
    """The desk in this folder. A missing one is a DeskError, never silently a new one."""
    config = read_config(folder / CONFIG)
    for name, path in config.secrets.items():
        if os.path.lexists(folder / path):  # one that is missing is said by what needs it
            refuse_open_secret(name, folder / path)
    return Desk(folder, config, registry.load(kind_folders(folder, config)))


def desk_or_none_yet(folder: Path) -> Desk:
    """The desk in this folder, or what denpyo knows without one, for those commands that only judge or write blank forms."""
    return open_desk(folder) if (folder / CONFIG).exists() else Desk(folder, Config(), registry.load())


def kind_folders(folder: Path, config: Config) -> tuple[Path, ...]:
    own = folder / config.kinds
    return (own,) if own.is_dir() else ()


def read_config(file: Path) -> Config:
    try:
        return Config.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise DeskError(f"no desk in {file.parent}/: run `denpyo init` or name one with --desk") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeskError(f"{file}: {error}") from error
    except ValidationError as error:
        raise DeskError(f"{file}: {_said(error.errors()[0])}") from None


def _said(error: ErrorDetails) -> str:
    """What is wrong with a setting, in an operator's words: its place as it stands in the file, and what may stand there."""
    place = [str(one) for one in error["loc"]]
    if place[0] == "sources" and len(place) > 2:
        del place[2]  # the kind of the source, which the file does not repeat there
    known = ", ".join(sorted(SORTS))
    said = {
        "extra_forbidden": "there is no such setting",
        "missing": "is missing",
        "union_tag_not_found": f"kind is missing: one of {known}",
        "union_tag_invalid": f"kind must be one of {known}",
    }
    return f"{'.'.join(place)}: {said.get(error['type'], error['msg'])}"


def refuse_open_secret(name: str, file: Path) -> None:
    """A secret must be a plain file of the user's own that nobody else may read; anything else is a DeskError before it is read."""
    try:
        found = file.lstat()
    except OSError as error:
        raise DeskError(f"secrets.{name}: {file}: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise DeskError(f"secrets.{name}: {file} must be a regular file of your own with mode 0600")


def secret(desk: Desk, name: str) -> str:
    """What the file of this entry of [secrets] holds, looked at again before it is read: tokens are changed while a desk runs."""
    file = desk.folder / desk.config.secrets[name]
    refuse_open_secret(name, file)
    try:
        found = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise DeskError(f"secrets.{name}: {file} is no UTF-8 text") from None
    if not found:
        raise DeskError(f"secrets.{name}: {file} is empty")
    return found


@cache
def machine_user() -> str:
    """The operating system's name of the user this process runs as; the environment is not asked, anyone can set it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def now() -> datetime:
    return datetime.now(UTC)


@cache
def denpyo_version() -> str:
    try:
        return version("denpyo")
    except PackageNotFoundError:
        return "0"
