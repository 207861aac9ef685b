import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--name")
parser.add_argument("--file")
parser.add_argument("--seconds", type=float)
parser.add_argument("--code", type=int)
parser.add_argument("--stubborn")
answers, _ = parser.parse_known_args()
if answers.stubborn == "true":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(answers.file, "a") as lines:
    lines.write(f"{answers.name}\n")
time.sleep(answers.seconds)
print(f"counted {answers.name}")
Path(os.environ["DENPYO_OUT"], "metrics.json").write_text(json.dumps({"counted": 1}))
sys.exit(answers.code)
