#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Seeds of a fuzz target: a text file, one input a line, to a folder and back.

seeds.py unpack FILE DIR    a file an input, which libFuzzer reads
seeds.py pack DIR FILE      the same inputs again, sorted; keep the folder small
                            first: TARGET -merge=1 SMALL LARGE
"""

import pathlib
import re
import sys

PLAIN = set(range(0x20, 0x7f)) - {ord("\\")}
WORDS = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t",
         ord("\r"): "\\r"}
BYTES = {word[1]: code for code, word in WORDS.items()}


def to_line(data):
    return "".join(chr(c) if c in PLAIN else WORDS.get(c, f"\\x{c:02x}")
                   for c in data)


def from_line(line):
    def byte(match):
        word = match[1]
        return chr(int(word[1:], 16) if word[0] == "x" and len(word) == 3
                   else BYTES[word])

    return re.sub(r"\\(x[0-9a-f]{2}|.)", byte, line).encode("latin-1")


def unpack(source, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lines = pathlib.Path(source).read_text("ascii").split("\n")[:-1]
    for number, line in enumerate(lines):
        (folder / f"{number:04d}").write_bytes(from_line(line))
    print(len(lines))


def pack(folder, target):
    inputs = {path.read_bytes() for path in pathlib.Path(folder).iterdir()}
    lines = sorted((len(data), to_line(data)) for data in inputs)
    assert all(from_line(line) in inputs for _, line in lines)
    pathlib.Path(target).write_text(
        "".join(line + "\n" for _, line in lines), "ascii")
    print(len(lines))


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack}[sys.argv[1]](*sys.argv[2:])
