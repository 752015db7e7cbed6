# SPDX-License-Identifier: AGPL-3.0-or-later
"""One psql that stays between statements, instead of one for each."""

import atexit
import os
import select
import subprocess
import tempfile
import threading
import time

ROWS, CLEAN = "-- end of the rows --", "-- clean again --"


class Lost(Exception):
    """The connection ended, and what was asked may not have been heard."""


class Refused(Exception):
    """What the server said to it."""


def word(value):
    """A psql variable's value, whatever is in it."""
    for plain, escaped in (("\\", "\\\\"), ("'", "''"), ("\n", "\\n"),
                           ("\r", "\\r")):
        value = value.replace(plain, escaped)
    return f"'{value}'"


class Psql:
    """Each script finds the session as a new one: no transaction, no
    setting, no variable of an earlier one is left."""

    def __init__(self, command):
        self.command, self.process = command, None
        self.lock = threading.Lock()
        atexit.register(self.close)

    def start(self):
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.said)

    def close(self):
        process, self.process = self.process, None
        if not process:
            return None
        try:
            process.stdin.close()
        except OSError:
            pass  # what was not sent yet had nobody to go to
        process.stdout.close()
        try:
            return process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def ask(self, script, values, seconds=120):
        """The rows of a script as lines of text."""
        if not self.process:
            self.start()
        sets = "".join(f"\\set {k} {word(str(v))}\n"
                       for k, v in values.items())
        unsets = "".join(f"\\unset {k}\n" for k in values)
        whole = f"{sets}{script}\n;\n\\echo '{ROWS}'\n{unsets}" \
                f"DISCARD ALL;\n\\echo '{CLEAN}'\n"
        try:
            self.process.stdin.write(whole.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            self.fail()
        rows, found, _ = self.read(seconds).partition(ROWS + "\n")
        if not found:
            self.fail()
        return rows.splitlines()

    def read(self, seconds):
        """What it prints, until it is done or ends."""
        out, end = b"", time.monotonic() + seconds
        while not out.endswith(CLEAN.encode() + b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0, end - time.monotonic()))
            if not ready:
                self.process.kill()
                self.close()
                raise subprocess.TimeoutExpired(self.command, seconds)
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                # A script left a transaction open: it ended with psql.
                if ROWS.encode() + b"\n" in out:
                    self.close()
                break
            out += more
        return out.decode()

    def fail(self):
        """3 is a statement that failed, 2 the connection (psql(1))."""
        status = self.close()
        self.said.seek(0)
        raise (Refused if status == 3 else Lost)(self.said.read().decode())


KEPT, GUARD = {}, threading.Lock()


def ask(command, script, values):
    """Its rows, or None: somebody asks at this moment, or the connection was
    lost since the last time. Then ask with a psql of your own."""
    with GUARD:
        psql = KEPT.setdefault(tuple(command), Psql(command))
    if not psql.lock.acquire(blocking=False):
        return None
    try:
        return psql.ask(script, values)
    except Lost:
        return None
    finally:
        psql.lock.release()
