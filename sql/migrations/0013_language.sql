-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The language that a message is to be worded in.

-- Language tags, the most wanted first, as the caller's Accept-Language had
-- them ("fa-ir,fa,en"); NULL: none was asked for. No default, so no rewrite.
ALTER TABLE docket.outbox ADD COLUMN language text
	CONSTRAINT outbox_language_check CHECK (octet_length(language) <= 64);
