/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whose the service's processes and files are. */
#ifndef DOCKET_CLI_SERVICE_H
#define DOCKET_CLI_SERVICE_H

#include "base/arena.h"
#include "cli/cli.h"

/* server.user; else docket, if there is such an account; else whoever has the
 * secret file. */
const char *service_user(struct arena *mem, const struct settings *settings);
/* Whom the courier runs as: server.user; else docket-courier, as its unit says,
 * if there is such an account; else the service's. */
const char *service_courier(struct arena *mem,
    const struct settings *settings);
/* The words that run one of our programs with this command's settings. */
const char *const *service_words(const struct cli *cli, const char *program,
    const char *flag);

#endif
