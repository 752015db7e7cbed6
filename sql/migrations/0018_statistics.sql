-- SPDX-License-Identifier: AGPL-3.0-or-later
-- No statistics of words: no plan asks for them, and they are dear.

-- autovacuum takes a sample of 30,000 rows whenever a tenth of the tasks has
-- changed, and made the words of each anew for tasks_text: three quarters of
-- its work, seconds of a processor that answers writes meanwhile. A search
-- starts from the owner whatever its words are.
ALTER INDEX docket.tasks_text ALTER COLUMN 1 SET STATISTICS 0;
ALTER TABLE docket.tasks
	ALTER COLUMN title SET STATISTICS 0,
	ALTER COLUMN description SET STATISTICS 0;
