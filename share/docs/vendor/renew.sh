#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Make what lies here again from npm, of the version and hash that stand below.
# With a folder as argument: there instead of here.
set -eu

VERSION=9.3.8
INTEGRITY=sha512-eCYEbr1Xr8OJZvVCw8SXl9zBCRoLJbhNGuG5IZTHq/RWAOq/O4MafUCuFEyZHsrhLrlUcGZMa64pyhpib8fQKQ==

cd "${1:-$(dirname "$0")}"
to=$(pwd -P)
from=$(mktemp -d)
trap 'rm -rf "$from"' EXIT
cd "$from"
npm pack --silent "rapidoc@$VERSION" >/dev/null
found=sha512-$(openssl dgst -sha512 -binary "rapidoc-$VERSION.tgz" |
	openssl base64 -A)
if [ "$found" != "$INTEGRITY" ]; then
	echo "rapidoc $VERSION is $found, not $INTEGRITY" >&2
	exit 1
fi
tar -xzf "rapidoc-$VERSION.tgz"
cp package/dist/rapidoc-min.js "$to/rapidoc-min.js"
cp package/dist/rapidoc-min.js.LICENSE.txt "$to/rapidoc-min.js.LICENSE.txt"
cp package/LICENSE.txt "$to/rapidoc-LICENSE.txt"
