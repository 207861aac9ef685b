"""The real SDK against the stand-in: what a run reports and uploads can be read again by another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.standins.clearml import ClearML

pytestmark = [pytest.mark.slow, pytest.mark.untraced]
SCRIPT = """
import json, sys
from pathlib import Path
from clearml import Dataset, OutputModel, Task

folder = Path(sys.argv[1])
(folder / "data").mkdir()
(folder / "data" / "rows.csv").write_text("a,b\\n1,2\\n")
(folder / "model.bin").write_bytes(b"weights")
task = Task.init("denpyo/runs", "a run", auto_connect_frameworks=False, auto_resource_monitoring=False)
asked = task.connect({"rate": 0.5, "none": None, "empty": ""}, name="hyperparameters")
task.set_configuration_object("slip", config_text="kind: a\\n", config_type="yaml")
task.set_user_properties(sha256="abc")
print("seen on the console")
for step in range(3):
    task.get_logger().report_scalar("loss", "train", value=1 / (step + 1), iteration=step)
task.get_logger().report_single_value("accuracy", 0.75)
task.upload_artifact("summary", artifact_object={"rows": 3})
model = OutputModel(task, name="a model", framework="ScikitLearn")
model.update_weights(str(folder / "model.bin"), auto_delete_file=False)
task.flush(wait_for_uploads=True)
page = task.get_output_log_web_page()
task.close()

dataset = Dataset.create(dataset_name="rows", dataset_project="denpyo/datasets", dataset_version="1.0.0")
dataset.add_files(str(folder / "data"))
dataset.upload(show_progress=False)
dataset.finalize()

run = Task.get_task(task.id)
copy = Path(Dataset.get(dataset_id=dataset.id).get_local_copy())
said = {
    "id": run.id, "page": page, "status": run.status, "scalars": run.get_reported_scalars(), "single": run.get_reported_single_values(),
    "parameters": run.get_parameters(), "slip": run.get_configuration_object("slip"), "artifact": run.artifacts["summary"].get(),
    "model": run.models["output"][0].name, "weights": Path(run.models["output"][0].get_weights()).read_text(),
    "console": "seen on the console" in "".join(run.get_reported_console_output(9)), "data": (copy / "rows.csv").read_text(),
}
Path(sys.argv[2]).write_text(json.dumps(said))
"""


def _run(server: ClearML, folder: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEARML_")}
    conf = server.write_conf(folder, more=f"sdk.development.default_output_uri: {json.dumps(server.files_url)}\n")
    own = {"HOME": str(folder), "CLEARML_CONFIG_FILE": str(conf), "CLEARML_CACHE_DIR": str(folder / "cache")}
    (folder / "run.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "run.py", str(folder), str(folder / "said.json")]
    done = subprocess.run(command, env=environment | own, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, Any] = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    return said


def test_what_the_real_sdk_reports_and_uploads_comes_back(clearml_server: ClearML, tmp_path: Path) -> None:
    said = _run(clearml_server, tmp_path)
    task = clearml_server.tasks[said["id"]]
    assert said == {
        "id": task["id"],
        "page": f"{clearml_server.web_url}/projects/{task['project']}/tasks/{task['id']}/output/log",
        "status": "completed",
        "scalars": {"loss": {"train": {"name": "train", "x": [0, 1, 2], "y": [1.0, 0.5, 1 / 3]}}},
        "single": {"accuracy": 0.75},
        "parameters": {
            "hyperparameters/rate": "0.5",
            "hyperparameters/none": "",
            "hyperparameters/empty": "",
            "properties/sha256": "abc",
        },
        "slip": "kind: a\n",
        "artifact": {"rows": 3},
        "model": "a model",
        "weights": "weights",
        "console": True,
        "data": "a,b\n1,2\n",
    }
    assert clearml_server.refusals == []
