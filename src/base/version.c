/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The version that configure was told. */
#include "base/version.h"

const char docket_version[] = PACKAGE_VERSION;
