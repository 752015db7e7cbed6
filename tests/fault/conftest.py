# SPDX-License-Identifier: AGPL-3.0-or-later
"""An instance whose database a test may break."""

import pytest

import instance
from docket import SLOW
from postgres import Postgres, everybody_is_back


@pytest.fixture(scope="session")
def box(request, own):
    """Tokens of the long forms must outlive them."""
    if not request.config.getoption("--long"):
        yield own
        return
    with instance.running("server.workers=4", "auth.access_ttl=7200",
                          prompt=True) as one:
        yield one


@pytest.fixture
def server(box):
    """The database of the instance, whole again afterwards; the workers are
    the same as before."""
    before = box.workers()
    postgres = Postgres(box)
    yield postgres
    if not postgres.alive():
        postgres.start()
    everybody_is_back(box, 15 * SLOW)
    assert box.workers() == before, "a worker was replaced"
