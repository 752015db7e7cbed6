# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the API's own role may not read: the audit trail."""

import copy


def owner(dev):
    """The same instance, its tables seen by the role that owns them."""
    found = copy.copy(dev)
    found.dsn = dev.dsn.replace("user=docket_api", "user=docket_owner")
    assert found.dsn != dev.dsn
    return found


def events(dev, user_id):
    """What happened to an account, in order."""
    rows = owner(dev).sql("SELECT event FROM docket.audit"
                          " WHERE user_id = :'id' ORDER BY id", id=user_id)
    return [row[0] for row in rows]
