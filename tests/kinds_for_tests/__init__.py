"""Kinds that exist for tests alone: between them they have every sort of field, limit, condition and rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from schema.kinds import Kind, load

FOLDER = Path(__file__).parent
SHIPPED: Mapping[str, Kind] = load()
KINDS: Mapping[str, Kind] = load([FOLDER])
TEST_KINDS: Mapping[str, Kind] = MappingProxyType({name: kind for name, kind in KINDS.items() if name not in SHIPPED})
