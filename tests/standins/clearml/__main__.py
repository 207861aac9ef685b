"""The stand-in as a process of its own: ``python -m tests.standins.clearml --port-file F``. It ends with SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from tests.standins.clearml import schemas
from tests.standins.clearml.server import ClearML


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.standins.clearml", description=__doc__)
    arguments.add_argument(
        "--port-file", type=Path, required=True, help="JSON with url, files_url and web_url; written when it listens"
    )
    arguments.add_argument("--port", type=int, default=0, help="of the API; 0: any that is free")
    arguments.add_argument("--conf", type=Path, help="a folder that gets a clearml.conf for the user desk")
    arguments.add_argument("--latency-ms", type=float, default=0.0)
    given = arguments.parse_args()
    ended = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: ended.set())
    with ClearML(latency=given.latency_ms / 1000, port=given.port) as server:
        schemas.known()  # read now, so that the first call is answered as quickly as all others
        if given.conf:
            given.conf.mkdir(parents=True, exist_ok=True)
            server.write_conf(given.conf)
        _written(given.port_file, {"url": server.url, "files_url": server.files_url, "web_url": server.web_url})
        ended.wait()


def _written(path: Path, addresses: dict[str, str]) -> None:
    """Whole or not at all: whoever waits for the file reads it at once."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(addresses), encoding="utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    main()
