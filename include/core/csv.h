/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Cells of CSV (RFC 4180), with a guard against formulas; pure. */
#ifndef DOCKET_CORE_CSV_H
#define DOCKET_CORE_CSV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

/*
 * A spreadsheet takes a cell that begins with = + - @ TAB or CR for a formula,
 * and people's texts are not ours to run. Such a cell gets a ' in front; so
 * does one that already begins with ' before such a character, so that taking
 * exactly one away gives back every text as it was.
 */
void csv_put(struct buf *out, struct text cell);
/* The same with a , in front of it. */
void csv_next(struct buf *out, struct text cell);
void csv_end(struct buf *out);	/* CR LF */

/*
 * One cell off the record, which has no line end behind it; rest becomes
 * TEXT_NONE behind the last one. False when a quote is not closed just before
 * a comma or the end. The text is in mem or in the record itself.
 */
bool csv_cell(struct text *rest, struct arena *mem, struct text *ret);
/* What the guard put in front taken away. */
struct text csv_unguard(struct text cell);

/* Many texts in one cell: commas between them, and \, and \\ for those that
 * are in them. csv_split cannot fail. */
void csv_join(struct buf *out, struct texts v);
struct texts csv_split(struct text cell, struct arena *mem);

#endif
