# SPDX-License-Identifier: AGPL-3.0-or-later
"""A load that minds how each of its requests ends: in time, and either well
or with 503 and Retry-After."""

import contextlib
import threading
import time

from docket import SANITIZED, SLOW, wait_until
from load import Load

# A request may take 2.5 s. Whoever waits on without a limit does so for as
# long as what was broken stays so: six seconds and more.
BOUND = 24.0 if SANITIZED else 5.0
TRIES = 6
IN_FLIGHT = '"idempotency_in_flight"'


class Watch(Load):
    """in_flight: a key may be held by a first try that neither ends nor
    dies, and its second one is told so (409)."""

    def __init__(self, *arguments, in_flight=False, **more):
        super().__init__(*arguments, **more)
        # The account is read from places that hold the lock already.
        self.lock = threading.RLock()
        self.in_flight = in_flight
        self.wrong, self.late, self.told = [], [], {}

    def exchange(self, client, *arguments, **more):
        begun = time.monotonic()
        said = super().exchange(client, *arguments, **more)
        took = time.monotonic() - begun
        with self.lock:
            self.judge(said, took)
        return said

    def judge(self, said, took):
        status = getattr(said, "status", str(said))
        self.told[status] = self.told.get(status, 0) + 1
        if took > BOUND:
            self.late.append(f"{took:.2f} s: {said}")
        if status in (200, 201):
            return
        if status == 409 and self.in_flight and IN_FLIGHT in str(said):
            return
        if status != 503 or not (said.header("Retry-After") or "").isdigit():
            self.wrong.append(str(said))

    def account(self):
        """Reads and writes that went well, and all that did not."""
        with self.lock:
            well = self.told.get(200, 0), self.told.get(201, 0)
            held = self.told.get(409, 0)
            return *well, sum(self.told.values()) - sum(well) - held

    def failed(self):
        return self.account()[2]

    def goes_on(self):
        """Reads and writes go well again, and since the first of them nothing
        else happens."""
        since = self.account()

        def good():
            nonlocal since
            time.sleep(0.3)
            now = self.account()
            if now[2] != since[2]:
                since = now
            return now[0] > since[0] + 1 and now[1] > since[1] + 1

        wait_until(good, f"the load to go on; {self.told}", 15 * SLOW)

    def in_time(self, scenario):
        """Run it while the load flows. A busy machine may be late once; the
        service would be late again."""
        for _ in range(TRIES):
            before = len(self.late)
            scenario()
            self.goes_on()
            late = self.late[before:]
            if not late:
                return
            print("late:", late[:3])
        raise AssertionError(f"late {TRIES} times: {late[:3]}")

    def verdict(self):
        print(f"{self}; {self.told}")
        assert not self.wrong, f"{len(self.wrong)}: {self.wrong[:3]}"
        assert self.lost_and_doubled() == ([], [])


@contextlib.contextmanager
def watched(box, readers=2, writers=4, **more):
    """The load runs inside; its account must be in order at the end."""
    load = Watch(box, readers=readers, writers=writers, **more)
    with load:
        load.goes_on()
        yield load
    load.verdict()
