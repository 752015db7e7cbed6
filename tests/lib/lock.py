# SPDX-License-Identifier: AGPL-3.0-or-later
"""A transaction that stays open while others wait for its locks."""

import concurrent.futures
import contextlib
import subprocess

from docket import PATIENT, psql, wait_until


@contextlib.contextmanager
def held(dev, *statements):
    """Run them as the API's role, but without its limits of time; commit()
    ends it, else it rolls back."""
    process = subprocess.Popen(
        [psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
         dev.dsn + PATIENT], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def say(*lines):
        process.stdin.write("".join(f"{line};\n" for line in lines)
                            + "\\echo said\n")
        process.stdin.flush()
        for line in process.stdout:
            if line == "said\n":
                return
        raise AssertionError(f"psql refused: {lines}")

    say("BEGIN", *statements)
    try:
        yield lambda: say("COMMIT")
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def waits(dev):
    """Does a statement wait for a lock?"""
    return dev.sql("SELECT count(*) FROM pg_locks WHERE NOT granted") \
        != [["0"]]


def behind(dev, job, *statements):
    """job() while the statements are held, which commit once it waits for
    them; what it gave."""
    with held(dev, *statements) as commit, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(job)
        wait_until(lambda: running.done() or waits(dev), "somebody to wait")
        assert not running.done(), "it did not wait"
        commit()
        return running.result(300)
