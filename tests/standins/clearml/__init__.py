"""A ClearML server 2.3.0 on loopback, for tests, the demo and benchmarks.

It holds every request and each of its own answers against the schemas that the SDK carries, refuses unknown fields, and keeps the rules of
the real server (github.com/clearml/clearml-server, apiserver/) that are named where they stand.
"""

from tests.standins.clearml.server import ClearML, Fault
from tests.standins.clearml.state import User

__all__ = ["ClearML", "Fault", "User"]
