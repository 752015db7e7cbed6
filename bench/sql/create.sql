-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The least SQL of a new task, durable: one row with a number drawn by lot.
\set n random(1, :users)
\set at random(1800000000000, 1899999999999)
\set user 1704067200000 - 10000000 + :n
INSERT INTO docket.tasks (user_id, id, number, title, description, due_date, due_at, position, created_at, updated_at) VALUES ((lpad(to_hex(:user::bigint), 12, '0') || '70008000' || lpad(to_hex(:n::bigint), 12, '0'))::uuid, (lpad(to_hex(:at::bigint), 12, '0') || '70008000' || lpad(to_hex(:n::bigint), 12, '0'))::uuid, :at::bigint, 'A task made under load', 'Ask "Bob", then write down what he says', '2030-03-01', '2030-03-01 00:00Z', :at::text, now(), now()) RETURNING id, user_id, number, title, description, status, priority, due_date, due_timezone, tags, position, version, created_at, updated_at, completed_at;
