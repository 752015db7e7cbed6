# SPDX-License-Identifier: AGPL-3.0-or-later
"""The load that the fault tests stand on: it counts what it should."""

import pytest

from docket import wait_until
from load import Load

pytestmark = pytest.mark.plain


@pytest.mark.faults
def test_a_calm_load_loses_nothing(own):
    with Load(own) as load:
        wait_until(lambda: load.writes > 10 and load.reads > 10, str(load))
    print(load)
    assert not load.failed_reads and not load.failed_writes
    assert load.lost_and_doubled() == ([], [])


@pytest.mark.faults
def test_a_loss_is_seen(own):
    """The account finds what was taken away behind its back, and twins."""
    with Load(own, readers=0, writers=1) as load:
        wait_until(lambda: load.writes > 2, str(load))
    user, titles = next(iter(load.acknowledged.items()))
    gone, kept = sorted(titles)[:2]
    own.sql("DELETE FROM docket.tasks WHERE id = :'id' AND user_id = :'user'",
            id=titles[gone], user=user)
    load.people[0].task(kept)
    assert load.lost_and_doubled() == ([gone], [kept])
