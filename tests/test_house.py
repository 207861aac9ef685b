"""The house rules that no linter knows: who imports what, which names are taken, how quick the command line starts."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS = {"denpyo", "commands", "schema", "generators", "submit", "jobs"}
HELP_MAY_IMPORT = {
    "_cython_runtime",
    "annotated_doc",
    "attr",
    "commands",
    "denpyo",
    "markdown_it",
    "mdurl",
    "pygments",
    "rich",
    "shellingham",
    "typer",
}


def test_the_command_line_looks_into_submit_alone_and_into_schema_for_types_and_errors() -> None:
    trees = [
        ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "denpyo.py", *(ROOT / "commands").glob("*.py"))
    ]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    rooms = {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    modules = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert (rooms | modules) & OURS == {"commands", "submit", "schema"}
    schema = {
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("schema")
    }
    assert schema == {"schema.kinds", "schema.problem"}


def test_no_room_imports_the_command_line() -> None:
    for file in (file for room in OURS - {"denpyo"} for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert "denpyo" not in [*names, getattr(node, "module", None)], file


def test_no_package_that_is_locked_has_one_of_our_names() -> None:
    ours = OURS | {"console", "serving"}
    taken = {
        name: owners for name, owners in packages_distributions().items() if name in ours and set(owners) != {"denpyo"}
    }
    assert taken == {}


def test_help_imports_only_what_it_needs() -> None:
    program = (
        "import sys; sys.argv = ['denpyo', '--help']; before = set(sys.modules)\n"
        "import denpyo\n"
        "try: denpyo.main()\n"
        "except SystemExit: pass\n"
        "print('\\n'.join({name.split('.')[0] for name in set(sys.modules) - before}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(done.stderr.split()) - set(sys.stdlib_module_names)
    assert imported <= HELP_MAY_IMPORT


def test_every_requirement_is_pinned_with_a_hash_and_names_no_address() -> None:
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pins, file
        assert all("==" in line and (line.endswith("\\") or " --hash=sha256:" in line) for line in pins), file
        assert "://" not in text, file


def test_what_an_agent_installs_is_one_line_a_requirement_of_the_versions_that_are_tested() -> None:
    """clearml-agent breaks what is continued or carries a marker; the hashes are cut off before it sees a line."""
    folder = ROOT / "requirements"
    lines = (folder / "task.txt").read_text(encoding="utf-8").splitlines()
    tested = {line.partition(" ")[0] for line in (folder / "dev.txt").read_text(encoding="utf-8").splitlines()}
    assert {line.partition(" ")[0] for line in lines} <= tested
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+( --hash=sha256:[0-9a-f]{64})+", line) for line in lines)
    assert {"clearml", "scikit-learn"} <= {line.partition("==")[0] for line in lines}


def test_clearml_is_imported_in_one_file_a_side() -> None:
    imports = re.compile(r"^\s*(?:import|from) clearml\b", re.MULTILINE)
    files = [file for room in OURS for file in (ROOT / room).rglob("*.py")]
    found = {file.relative_to(ROOT).as_posix() for file in files if imports.search(file.read_text(encoding="utf-8"))}
    assert found == {"jobs/report_clearml.py", "submit/engines/clearml.py"}


def test_no_file_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "handlers", "factory"}
    assert not [file for room in OURS for file in (ROOT / room).rglob("*.py") if file.stem in drawers]
