-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The trash as a list, and what empties it.

-- Deleted rows alone: no other write knows of it, and status updates stay HOT.
-- It serves a user's trash, newest first, and the walk of docket gc, which
-- looks at nothing but this.
CREATE INDEX tasks_trash ON docket.tasks (user_id, deleted_at, id)
	WHERE deleted_at IS NOT NULL;
