# SPDX-License-Identifier: AGPL-3.0-or-later
"""The measurements of ./dev bench on an instance that runs."""

import argparse
import os
import pathlib
import sys

import seeded


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", type=pathlib.Path)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workloads")
    parser.add_argument("--report", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    state = pathlib.Path(os.environ["DEV_DIR"])
    tokens = state / "bench.tokens"
    seeded.write_tokens(tokens, state, args.users, args.tasks)
    if args.spec:
        seeded.write_spec(args.spec, state, tokens)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
