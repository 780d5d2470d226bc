#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every C file is as clang-format leaves it, opens with its licence, and stays within the sizes we keep to.

Usage: format.py SOURCE_ROOT"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

MAX_LINES = 500      # of an agent file: past that a second thing has moved in
MAX_FUNCTION = 60    # lines of a function in agent/


def functions(lines):
    """(name line, length) of each function; the opening brace stands alone in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start - 1
            start = None


def problems(root):
    files = sorted([*root.glob("agent/**/*.[ch]"), *root.glob("tests/**/*.[ch]")])
    formatter = shutil.which("clang-format-14") or shutil.which("clang-format")
    if not files or not formatter:
        yield "no C files" if not files else "clang-format is missing (packaging/install-packages test)"
        return
    result = subprocess.run([formatter, "--dry-run", "--Werror", *map(str, files)], capture_output=True, text=True, cwd=root)
    bad = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "clang-format-violations" in line})
    yield from (f"{name}: run clang-format -i on it" for name in bad)
    for path in files:
        name = path.relative_to(root)
        lines = path.read_text(errors="replace").splitlines()
        if not lines or lines[0] != "/* SPDX-License-Identifier: Apache-2.0 */":
            yield f"{name}:1: the first line is the SPDX line"
        if name.parts[0] == "agent" and len(lines) > MAX_LINES:
            yield f"{name}: {len(lines)} lines: which second thing moved in?"
        if name.parts[0] == "agent":
            yield from (f"{name}:{at}: a function of {n} lines" for at, n in functions(lines) if n > MAX_FUNCTION)
        for number, line in enumerate(lines, 1):
            if re.search(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen)\s*\(", line):
                yield f"{name}:{number}: banned call"


def main():
    found = list(problems(Path(sys.argv[1])))
    print("\n".join(found) or "formatted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
