/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which version this is. */
#ifndef DOCKET_BASE_VERSION_H
#define DOCKET_BASE_VERSION_H

/* "1.2.3", as configure.ac has it; the only place that programs take it from. */
extern const char docket_version[];

#endif
