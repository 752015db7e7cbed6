-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The least SQL of reading one task.
\set n random(1, :users)
\set k random(1, :tasks)
\set user 1704067200000 - 10000000 + :n
\set ms 1704067200000 + (:k * :users + :n) * 1000
SELECT id, user_id, number, title, description, status, priority, due_date, due_timezone, tags, position, version, created_at, updated_at, completed_at FROM docket.tasks WHERE user_id = (lpad(to_hex(:user::bigint), 12, '0') || '70008000' || lpad(to_hex(:n::bigint), 12, '0'))::uuid AND id = (lpad(to_hex(:ms::bigint), 12, '0') || '70008000' || lpad(to_hex(:n::bigint), 12, '0'))::uuid AND deleted_at IS NULL;
