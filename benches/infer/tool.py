"""Runs `referee infer`, and measures what it costs."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from design import Design


@dataclass
class Cost:
    elapsed_s: float
    processor_s: float
    peak_mb: float


def draft(referee: Path, design: Design, folder: Path) -> str:
    """The rule file that is drafted from the items in a folder."""
    out = folder / "referee.yaml"
    keys = [f"--key={table}={','.join(key)}" for table, key in design.tables.items()]
    run([referee, "infer", folder / "items.json", "--out", out, "--force", *keys], folder / "messages.txt")
    return out.read_text(encoding="utf-8")


def check(referee: Path, folder: Path) -> str:
    """What `referee check` reports about the draft in a folder. Empty if it passes."""
    messages = folder / "check.txt"
    try:
        run([referee, "check", "--rules", folder / "referee.yaml"], messages)
    except RuntimeError as error:
        return str(error)
    return ""


def run(command: list, messages: Path) -> Cost:
    """Runs a command to its end. What it prints goes to a file."""
    start = monotonic()
    with open(messages, "w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    elapsed_s = monotonic() - start
    if code := os.waitstatus_to_exitcode(status):
        text = messages.read_text(encoding="utf-8")
        raise RuntimeError(f"{' '.join(map(str, command))} failed with {code}:\n{text}")
    # Linux counts memory in KiB: https://man7.org/linux/man-pages/man2/getrusage.2.html
    peak_mb = usage.ru_maxrss * 1024 / 1e6
    return Cost(elapsed_s, usage.ru_utime + usage.ru_stime, peak_mb)
