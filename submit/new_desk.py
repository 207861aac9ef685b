"""``denpyo init``: what a desk has, written where there is none yet."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generators import json_schema
from schema import kinds as registry
from submit import ledger
from submit.desk import (
    CONFIG,
    LEDGER,
    POLICY,
    SCHEMAS,
    Config,
    Desk,
    DeskError,
    denpyo_version,
    machine_user,
    now,
    open_desk,
)
from submit.policy import Policy

TOML = """\
#:schema {schemas}/denpyo.schema.json
# What this desk works with. A name that denpyo does not know is an error.

engine = "local"          # where runs go: this machine
queues = ["default"]      # the queues that exist
language = "ja"           # in which people hear who did not say: ja, en
kinds = "kinds"           # your own kinds of job, one file each, beside the shipped ones
datasets = []             # folders of datasets, beside datasets/ on this desk and the examples

# Where filled forms come from, and how people are answered. Secrets are named here and lie in files of mode 0600.
# [sources.inbox]
# kind = "folder"
# path = "inbox"
# [mail]
# host = "mail.example.com"
# port = 587
# sender = "denpyo@example.com"
# [replies.slack]         # also [replies.teams]
# webhook = "slack"
# [witness]               # a branch that keeps the checkpoints of the audit log out of your reach
# git = "https://git.example.com/team/checkpoints.git"
# [secrets]
# mail = "secrets/mail"
"""
POLICY_YAML = """\
# yaml-language-server: $schema={schemas}/policy.schema.json
# Who may run what. What no rule allows is denied; while this file is missing or wrong, everything is.
# `denpyo policy explain FILE` says which rule decides and why, `denpyo policy check` which can never match.
# A rule may also have, for example:
#   doors: {{min_trust: verified}}
#   limits: {{gpus_per_job: 4, hours_per_job: 24, gpu_hours_per_month: 400, open_jobs: 5}}
#   approve: {{over_gpu_hours: 12, by: ["user:somebody-else"]}}
version: 1
rules:
- who: ["user:{user}"]   # the user of this machine
  kinds: ["*"]
  queues: ["*"]
"""


def make_desk(folder: Path) -> Desk:
    """A desk whose policy lets the user of this machine run every kind on the local engine. DeskError where one is already; an empty
    folder for the ledger may be there, such as a container's volume."""
    if (folder / CONFIG).exists() or ((folder / LEDGER).exists() and any((folder / LEDGER).iterdir())):
        raise DeskError(f"{folder}/ has a desk already")
    with _for_others_to_read():
        _write(folder)
    return open_desk(folder)


@contextmanager
def _for_others_to_read() -> Iterator[None]:
    """Whatever is made here nobody but its owner may write, however lax the umask: who can write a desk's files rules it."""
    before = os.umask(0o077)
    os.umask(before | 0o022)
    try:
        yield
    finally:
        os.umask(before)


def _write(folder: Path) -> None:
    (folder / "kinds").mkdir(parents=True, exist_ok=True)
    (folder / SCHEMAS).mkdir(exist_ok=True)
    ledger.create(folder / LEDGER)
    _first_entry(folder)
    with open(os.open(folder / POLICY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as policy:
        os.fchmod(policy.fileno(), 0o600)
        policy.write(POLICY_YAML.format(schemas=SCHEMAS, user=machine_user()).encode())
    for name, model in (("denpyo", Config), ("policy", Policy)):
        (folder / SCHEMAS / f"{name}.schema.json").write_bytes(json_bytes(model.model_json_schema()))
    for kind in registry.load().values():
        (folder / SCHEMAS / f"{kind.name}.v{kind.form.version}.json").write_bytes(json_schema.write(kind.form))
    (folder / CONFIG).write_bytes(TOML.format(schemas=SCHEMAS).encode())  # last: a desk is one when it has this


def made_or_there(folder: Path) -> Desk:
    """The desk in this folder; a new one where it has none."""
    return open_desk(folder) if (folder / CONFIG).exists() else make_desk(folder)


def _first_entry(folder: Path) -> None:
    """The desk's birth, the hash of its salt, which ids are made with (another salt would make other ids of the same sheets), and that of
    the key that signs its log."""
    from submit.ledger import checkpoint, keys

    with ledger.open_ledger(folder / LEDGER) as opened, opened.writing() as tx:
        key = keys.begin(folder, checkpoint.origin(opened.salt)).public
        salt = hashlib.sha256(opened.salt).hexdigest()
        detail = {"denpyo": denpyo_version(), "salt_sha256": salt, **checkpoint.said_of(key)}
        tx.append("made", "made", at=now().isoformat(timespec="milliseconds"), user=machine_user(), detail=detail)
    keys.finish(folder)


def json_bytes(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
