"""A process that appends to a ledger and says of each entry, once it is kept, its key and whether it was new.

    python -m tests.submit.ledger.kill FOLDER NAME COUNT

Every third transaction has three entries, and every fourth a slip with its request.
"""

from __future__ import annotations

import sys
from pathlib import Path

from submit.ledger import Ledger, RequestRow, open_ledger

AT = "2026-11-21T07:00:00+09:00"


def main(folder: str, name: str, count: str) -> None:
    with open_ledger(Path(folder)) as ledger:
        for number in range(int(count)):
            for key, new in keep(ledger, f"{name}-{number}", number):
                print(key, new, flush=True)


def keep(ledger: Ledger, request: str, number: int) -> list[tuple[str, bool]]:
    slip = f"number: {number}\n".encode() * 100 if number % 4 == 0 else None
    keys = [f"{request}.{part}" for part in range(3 if number % 3 == 0 else 1)]
    with ledger.writing() as tx:
        path = ledger.write_slips({request: slip}, 2026, 11)[request] if slip else None
        kept = [(keys[0], tx.append(keys[0], "accepted", at=AT, user="dk", request=request, beside="花子", slip=slip))]
        kept += [(key, tx.append(key, "queued", at=AT, user="dk", request=request)) for key in keys[1:]]
        if kept[0][1]:
            tx.put_request(RequestRow(request, "train_supervised", "accepted", "ja", AT, path))
    return kept


if __name__ == "__main__":
    main(*sys.argv[1:])
