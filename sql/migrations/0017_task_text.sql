-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Words of titles and descriptions, by owner.

-- The owner is one of the words, so that a search reads what one user has and
-- nothing else, with no extension to PostgreSQL: '@' and the id is nothing
-- that the parser of texts makes. status, updated_at and the like are not in
-- it, so their updates stay HOT.
--
-- New words are appended to a list of at most 256 kB, which costs a new task a
-- fifth of what an entry at once would; every search reads that list, and
-- whoever fills it up sorts it in, which is why it is not 4 MB long.
--
-- Writers of tasks wait while the index is built, some 30 s a million tasks.
-- Where that is too long, build it beforehand with CREATE INDEX CONCURRENTLY
-- by this very name and text: then there is nothing left to do.
CREATE INDEX IF NOT EXISTS tasks_text ON docket.tasks USING gin ((
	to_tsvector('simple', title || ' ' || COALESCE(description, ''))
	|| array_to_tsvector(ARRAY['@' || user_id::text])))
	WITH (fastupdate = on, gin_pending_list_limit = 256);
