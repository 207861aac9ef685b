"""A real clearml-agent: the daemon of requirements/agent.txt, in an environment of its own (``make agent``), with a HOME of its own.

Its tasks run with the interpreter that runs the tests, and nothing is installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

PROGRAM = Path(__file__).parents[2] / ".venv-agent" / "bin" / "clearml-agent"
SETTINGS = """
agent {
  worker_name: stand-in
  venvs_dir: HOME/venvs
  vcs_cache { enabled: false }
  venvs_cache { free_space_threshold_gb: 0, path: HOME/venvs-cache }
  package_manager { type: pip, pip_version: "" }
  enable_task_env: true
}
sdk.storage.cache.default_base_dir: HOME/cache
"""


class Agent:
    """A daemon that takes tasks from one queue. ``with Agent(folder, conf, queue):`` waits until it listens, and ends it.

    ``conf``: a clearml.conf with addresses and credentials, as ``ClearML.write_conf`` writes it. ``folder`` becomes its HOME; what it says
    is in ``log``. ``environment``: what its tasks get beside.
    """

    def __init__(self, folder: Path, conf: Path, queue: str, environment: dict[str, str] | None = None) -> None:
        self.folder, self.queue = folder, queue
        self.log = folder / "agent.log"
        self._conf = folder / "agent.conf"
        self._environment = environment or {}
        self._daemon: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        settings = SETTINGS.replace("HOME", str(folder))
        self._conf.write_text(conf.read_text(encoding="utf-8") + settings, encoding="utf-8")
        self._conf.chmod(0o600)

    def start(self, within: float = 60.0) -> None:
        """Starts the daemon and waits until it has looked into its queue; who does not within ``within`` seconds is ended."""
        ours = ("CLEARML_", "TRAINS_", "PYTHONPATH")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        command = [str(PROGRAM), "daemon", "--queue", self.queue, "--create-queue", "--foreground", "--cpu-only"]
        with self.log.open("wb") as log:
            self._daemon = subprocess.Popen(
                command,
                env={**inherited, **self._quick(), **self._environment},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + within
        while "No tasks in" not in self.said():
            if self._daemon.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"the agent does not listen:\n{self.said()[-2000:]}")
            time.sleep(0.1)

    def _quick(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "TMPDIR": self._made("tmp"),
            "CLEARML_CONFIG_FILE": str(self._conf),
            "CLEARML_CACHE_DIR": self._made("cache"),
            "CLEARML_AGENT_QUEUE_POLL_FREQ_SEC": "0.5",
            "CLEARML_AGENT_STATUS_REPORT_FREQ_SEC": "1",
            "CLEARML_AGENT_SKIP_PIP_VENV_INSTALL": sys.executable,  # the interpreter of the tasks; alone, its pip would be renewed
            "CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL": "1",
            "PIP_DRY_RUN": "1",  # and were pip started all the same, it would change nothing
            "PYTHONUNBUFFERED": "1",
        }

    def _made(self, name: str) -> str:
        (self.folder / name).mkdir(exist_ok=True)
        return str(self.folder / name)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ends the daemon and what it started; killed when it does not end in 10 seconds."""
        if self._daemon is None:
            return
        for one, wait in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            try:
                os.killpg(self._daemon.pid, one)
                self._daemon.wait(wait)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._daemon = None

    def __enter__(self) -> Agent:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
