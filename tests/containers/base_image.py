"""A base image from what this machine has: its Python, its C library, git, and busybox for a shell. Nothing is fetched."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT = ("site-packages", "dist-packages", "test", "tests", "config-*", "idlelib", "tkinter", "turtledemo")
OF_WHEELS = ("rt", "pthread", "dl", "util", "resolv", "m", "nss_files", "nss_dns", "stdc++", "gcc_s", "gomp")
"""Libraries that wheels of the manylinux sort take from the system."""
FOLDERS = ("tmp", "var/tmp", "proc", "sys", "dev", "run", "root", "etc", "bin", "usr/bin", "usr/lib", "lib", "lib64")


def root(folder: Path) -> Path:
    """A root file system in ``folder``."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (folder / name).chmod(0o1777)
    programs = [_python(folder), *_git(folder)]
    for library in _libraries(programs):
        _copied(library, folder / library.relative_to("/"))
    (folder / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n", encoding="utf-8")
    (folder / "etc/ld.so.conf").write_text(f"/usr/local/lib\n{sys.base_prefix}/lib\n", encoding="utf-8")
    subprocess.run(["/sbin/ldconfig", "-r", folder], check=True, capture_output=True)
    _shell(folder)
    return folder


def _python(folder: Path) -> Path:
    """The interpreter that runs the tests, at ``/usr/local``, wherever it lies here."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = Path(sys.base_prefix) / "bin" / version
    _copied(program, folder / "usr/local/bin" / version)
    (folder / "usr/local/bin/python3").symlink_to(version)
    ignored = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(sysconfig.get_path("stdlib"), folder / "usr/local/lib" / version, ignore=ignored, symlinks=True)
    wheels = Path("/usr/share/python-wheels")  # Debian keeps there what ensurepip installs
    if wheels.is_dir():
        shutil.copytree(wheels, folder / "usr/share/python-wheels")
    return program


def _git(folder: Path) -> Iterator[Path]:
    program = Path(shutil.which("git") or "/usr/bin/git")
    _copied(program, folder / "usr/bin/git")
    yield program
    commands = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip()
    shutil.copytree(commands, folder / commands.lstrip("/"), symlinks=True)


def _shell(folder: Path) -> None:
    program = shutil.which("busybox")
    assert program, "busybox-static is needed, as .ci/run installs it"
    _copied(Path(program), folder / "bin/busybox")
    listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for name in set(listed) - {"busybox"}:
        (folder / "bin" / name).symlink_to("busybox")
    (folder / "usr/bin/env").symlink_to("/bin/busybox")


def _libraries(programs: list[Path]) -> set[Path]:
    """What these and Python's own modules are linked with, and what wheels are."""
    modules = Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")
    listed = subprocess.run(["ldd", *programs, *modules], capture_output=True, text=True, check=False).stdout
    found = {Path(word) for line in listed.splitlines() for word in line.split()[:3] if word.startswith("/")}
    libraries = {one for one in found if one.is_file() and not str(one).endswith(":")}
    libc = next(one.parent for one in libraries if one.name.startswith("libc.so."))
    return libraries | {one for name in OF_WHEELS for one in libc.glob(f"lib{name}.so.[0-9]")}


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source.resolve(), target)
