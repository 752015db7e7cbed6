# SPDX-License-Identifier: AGPL-3.0-or-later
# ./dev deb: Debian packages of the tree as it is, into .dev/deb.
# shellcheck shell=bash

PACKAGES_DEB="build-essential debhelper po-debconf lintian libcmocka-dev"

# The files of the tree, as a clone of it would have them; a bare machine has
# the clone and no git.
deb_files() {
	cd "$DEV_ROOT" || return
	if [ -e .git ] && command -v git >/dev/null; then
		git -c safe.directory='*' ls-files -z -co --exclude-standard |
			xargs -0 ls -d 2>/dev/null
	else
		find . \( -name .dev -o -name .git \) -prune -o -type f -printf '%P\n'
	fi
}

deb_version() {
	sed -n 's/^AC_INIT(\[docket\], \[\([^]]*\)\].*/\1/p' \
	    "$DEV_ROOT/configure.ac"
}

# deb_tree DIR VERSION: a copy with that version in both places.
deb_tree() {
	set -e
	rm -rf "$1"
	mkdir -p "$1"
	deb_files | tar -C "$DEV_ROOT" -cf - -T - | tar -C "$1" -xf -
	cd "$1"
	sed -i "1s/([^)]*)/($2)/" debian/changelog
	sed -i "s/^AC_INIT(\[docket\], \[[^]]*\]/AC_INIT([docket], [$2]/" \
	    configure.ac
}

deb_build() {
	set -e
	cd "$1"
	DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-nocheck} parallel=$JOBS" \
	    dpkg-buildpackage --no-sign --build=full
}

# What was found must be explained, or mended.
deb_lintian() {
	lintian --pedantic --allow-root --tag-display-limit 0 \
	    --fail-on error,warning "$1"/*.changes
}

dev_deb() {
	local version dir='' quick='' work

	state_open
	version=$(deb_version)
	while [ $# -gt 0 ]; do
		case $1 in
		--version) version=${2?a version} && shift ;;
		--to) dir=${2?a folder} && shift ;;
		--quick) quick=1 ;;
		*) die "deb does not know $1" "./dev help" ;;
		esac
		shift
	done
	dir=${dir:-$DEV_HOME/deb}
	# shellcheck disable=SC2086
	packages_install $PACKAGES_RUN $PACKAGES_DEB
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd -P)
	# What an earlier run made; the folder may be anybody's.
	rm -f "$dir"/docket_*.changes "$dir"/docket_*.buildinfo \
	    "$dir"/docket_*.dsc "$dir"/docket_*.tar.* \
	    "$dir"/docket_*.deb "$dir"/docket-*_*.deb
	work=$dir/.docket-deb
	rm -rf "$work"
	step "Copying the tree" "$DEV_HOME/deb-tree.log" \
	    "the lines above say why" \
	    deb_tree "$work/docket-$version" "$version"
	step "Building the packages" "$dir/build.log" \
	    "mend what the lines above say; all of it: $dir/build.log" \
	    deb_build "$work/docket-$version"
	mv "$work"/docket*_* "$dir"
	rm -rf "$work"
	[ -n "$quick" ] ||
		step "lintian" "$dir/lintian.log" \
		    "mend what it says, or explain it in debian/*.lintian-overrides" \
		    deb_lintian "$dir"
	ls -l "$dir"/*.deb
}
