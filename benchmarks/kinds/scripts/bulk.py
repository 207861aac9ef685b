"""What a request of the benchmark's kind would run: it prints its answers."""

import sys

print("\n".join(sys.argv[1:]))
