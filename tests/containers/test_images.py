"""The images: built and run with podman as docs/containers.md says, without a network. What they answer is what this machine answers."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.containers.podman import ROOT, Podman, ready
from tests.desks import denpyo
from tests.test_docs import blocks

CAN = bool(shutil.which("podman")) and os.geteuid() == 0
PAGE = "docs/containers.md"
ALONE = ("run", "--rm", "--read-only", "--network", "none")
LARGEST = 400_000_000


@contextmanager
def in_a_store_of_its_own() -> Iterator[Podman]:
    folder = Path(tempfile.mkdtemp(prefix="denpyo-", dir="/tmp"))  # podman takes no long path
    try:
        podman = ready(folder)
        try:
            yield podman
        finally:
            podman("rm", "--all", "--force", "--time", "0", code=None)
            podman("rmi", "--all", "--force", code=None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def followed(podman: Podman, folder: Path) -> list[str]:
    """What each block of the page that names podman printed, run in order."""
    said = []
    for language, text, file in blocks(PAGE):
        if file:
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
            (folder / file).parent.chmod(0o777)
        elif language == "bash":
            said.append(podman.block(text, ROOT if "podman build" in text else folder))
    return said


def metrics(listed: str) -> list[dict[str, float]]:
    """Of each request that `denpyo status --json` lists, to the last digit."""
    return [one["metrics"] for one in json.loads(listed)["requests"]]


def a_container_gives_the_figures_that_this_machine_gives(podman: Podman, folder: Path) -> None:
    work = folder / "work"
    there = metrics(podman(*ALONE, "--volume", f"{work}:/work", "denpyo", "status", "--json"))
    denpyo("run", "--make-desk", work / "pipeline.yaml", desk=folder / "here")
    (here,) = metrics(denpyo("status", "--json", desk=folder / "here").stdout)
    assert [*here] == ["accuracy", "macro_f1", "log_loss", "trainings"]
    assert there == [here, here]  # the document's, and the workbook's


def the_image_of_the_desk_is_small_and_nobody_in_it_is_root(podman: Podman) -> None:
    (image,) = json.loads(podman("image", "inspect", "denpyo-desk"))
    assert image["Size"] < LARGEST
    assert image["Config"]["User"] == "10001:10001"
    assert image["Healthcheck"]["Test"] == ["CMD", "denpyo", "status", "--inbox", "--check"]
    installed = podman(
        *ALONE, "--entrypoint", "python", "denpyo-desk", "-c", "import googleapiclient, github, submit.watch"
    )
    assert installed == ""


def the_image_of_an_agent_has_what_an_agent_needs(podman: Podman) -> None:
    commands = "clearml-agent --version; python -c 'import clearml; print(clearml.__version__)'; git --version"
    agent, sdk, git = podman(*ALONE, "--entrypoint", "sh", "denpyo", "-c", commands).split("\n", 2)
    assert (agent, sdk) == ("CLEARML-AGENT version 3.0.3", "2.1.12")
    assert git.startswith("git version ")


def a_container_has_the_gpus_that_it_was_given_and_no_others(podman: Podman, folder: Path) -> None:
    """By podman's own flag, with a stand-in for the driver's program: what NVIDIA's toolkit hands in is described in the same way (CDI)."""
    smi = folder / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 'GPU 0: Stand-in (UUID: GPU-0)'\n", encoding="utf-8")
    smi.chmod(0o755)
    mount = {"hostPath": str(smi), "containerPath": "/usr/bin/nvidia-smi", "options": ["ro", "bind"]}
    edits = {"mounts": [mount]}
    spec = {"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [{"name": "all", "containerEdits": edits}]}
    request = folder / "gpus" / "gpu.yaml"
    request.parent.mkdir()
    request.write_text(
        "kind: train_supervised\nlanguage: en\njob: {dataset_id: wine, algorithm: xgboost}\nresources: {gpus: 1}\n",
        encoding="utf-8",
    )
    described = Path("/var/run/cdi/denpyo-test.json")
    if [*Path("/etc/cdi").glob("*"), *described.parent.glob("*")]:
        return  # this machine describes GPUs of its own
    described.parent.mkdir(exist_ok=True)
    check = ("--volume", f"{request.parent}:/work", "denpyo", "check", "--json", "gpu.yaml")
    try:
        described.write_text(json.dumps(spec), encoding="utf-8")
        given = json.loads(podman(*ALONE, "--device", "nvidia.com/gpu=all", *check))
    finally:
        described.unlink()
    assert (given["accepted"], given["problems"]) == (1, [])
    refused = json.loads(podman(*ALONE, *check, code=1))["problems"]
    assert [one["code"] for one in refused] == ["too_many_gpus"]


def service(name: str) -> dict[str, Any]:
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = composed["services"][name]
    return found


def flags(found: dict[str, Any], folder: Path) -> list[str]:
    """A service of compose.yaml as podman's flags, member by member: what has none here fails."""
    found = {
        name: value for name, value in found.items() if name not in ("build", "healthcheck", "network_mode", "restart")
    }
    volumes = [str(one).replace("./", f"{folder}/") for one in found.pop("volumes")]
    environment = [f"{name}={value}" for name, value in found.pop("environment").items()]
    listed = {"volume": volumes, "env": environment}
    listed |= {name.replace("_", "-"): found.pop(name) for name in ("tmpfs", "cap_drop", "security_opt")}
    assert (found.pop("init"), found.pop("read_only")) == (True, True)
    image, command = found.pop("image"), found.pop("command")
    assert found == {}
    words = [word for name, values in listed.items() for one in values for word in (f"--{name}", one)]
    return ["--network", "none", "--init", "--read-only", *words, image, *command]


def test_compose_reads_the_file() -> None:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    errors = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8"))).iter_errors(document)
    assert [error.message for error in errors] == []


def dropped(podman: Podman, watch: dict[str, Any], folder: Path) -> Path:
    """A desk as the page makes it, and a request in the folder that it watches."""
    desk = folder / "desk"
    desk.mkdir()
    shutil.chown(desk, 10001, 10001)
    podman("run", "--rm", *flags({**watch, "command": ["init"]}, folder))
    with (desk / "denpyo.toml").open("a", encoding="utf-8") as toml:
        toml.write('[sources.drop]\nkind = "folder"\npath = "drop"\nevery = 1\n')
    file = desk / "drop" / "request.yaml"
    file.parent.mkdir()
    file.write_text(
        "kind: train_supervised\njob: {dataset_id: wine, algorithm: logistic_regression}\n", encoding="utf-8"
    )
    for one in (file.parent, file):
        shutil.chown(one, 10001, 10001)
    return file


def the_services_of_compose_take_a_file_and_run_it(podman: Podman, folder: Path) -> None:
    watch, work = service("watch"), service("work")
    drop = dropped(podman, watch, folder)
    podman("run", "--detach", "--name", "watch", *flags(watch, folder))
    deadline = time.monotonic() + 120
    while not (drop.parent / "done" / drop.name).exists():
        assert time.monotonic() < deadline, podman("logs", "watch")
        time.sleep(0.2)
    program, *check = watch["healthcheck"]["test"]
    assert program == "CMD"
    podman("exec", "watch", *check)
    podman("run", "--rm", *flags({**work, "command": ["work", "--drain"]}, folder))
    (request,) = json.loads(podman("exec", "watch", "denpyo", "status", "--json"))["requests"]
    assert (request["state"], [*request["metrics"]]) == ("done", ["accuracy", "macro_f1", "log_loss", "trainings"])
    begun = time.monotonic()
    podman("stop", "--time", "30", "watch")
    assert time.monotonic() < begun + 20
    assert podman("inspect", "--format", "{{.State.ExitCode}}", "watch").strip() == "0"
    podman("run", "--rm", *flags({**watch, "command": check[1:]}, folder), code=3)


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.skipif(not (CAN or os.environ.get("CI")), reason="needs podman, as root")
def test_the_images_are_built_and_run_as_their_page_says(tmp_path: Path) -> None:
    """One test, since two workers would build them twice."""
    tmp_path.chmod(0o755)
    with in_a_store_of_its_own() as podman:
        _, first, workbook = followed(podman, tmp_path)
        assert "  done, passed  " in first
        assert "  done, passed  " in workbook
        a_container_gives_the_figures_that_this_machine_gives(podman, tmp_path)
        the_image_of_the_desk_is_small_and_nobody_in_it_is_root(podman)
        the_image_of_an_agent_has_what_an_agent_needs(podman)
        a_container_has_the_gpus_that_it_was_given_and_no_others(podman, tmp_path)
        the_services_of_compose_take_a_file_and_run_it(podman, tmp_path)
