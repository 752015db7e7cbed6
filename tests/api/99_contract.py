# SPDX-License-Identifier: AGPL-3.0-or-later
"""After all the others: was every operation seen to succeed, as documented?"""

import pytest

import contract
from docket import ROUTES

# What a whole run collects, and no choice of files does.
WHOLE = 4500


@pytest.mark.long
def test_every_operation_was_seen_to_succeed(dev, request):
    if request.session.testscollected < WHOLE:
        pytest.skip("only some of the files have run")
    seen = contract.of(dev).seen
    missed = [str(row) for row in ROUTES
              if not seen[row.operation, row.status]]
    assert not missed, missed
