# SPDX-License-Identifier: AGPL-3.0-or-later
# Debian packages: only what is missing, starting no service.
# shellcheck shell=bash

PACKAGES_RUN="gcc libc6-dev make autoconf automake pkg-config libfcgi-dev
libjson-c-dev libjwt-dev libssl-dev libsodium-dev libargon2-dev libconfuse-dev
libunistring-dev libpq-dev libcurl4-openssl-dev nginx postgresql-15 openssl curl ca-certificates"
PACKAGES_TEST="libcmocka-dev mandoc groff-base python3 python3-pytest
python3-argon2 python3-bcrypt python3-aiosmtpd python3-cryptography
python3-jsonschema python3-passlib python3-werkzeug clang-14
libclang-rt-14-dev llvm-14 nghttp2-client postgresql-15-pgtap fail2ban pgbouncer shellcheck"
# promtool is in prometheus.
PACKAGES_LONG="chromium-headless-shell prometheus slowhttptest testssl.sh"
PACKAGES_ANALYSIS="clang-tidy-14 cppcheck"

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# ./dev of docket: no service starts while packages are installed'
CLUSTER_DIR=/etc/postgresql-common/createcluster.d
CLUSTER_FILE=$CLUSTER_DIR/docket-dev.conf

packages_missing() {
	local have package

	have=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null |
	    sed -n 's/^ii *//p')
	for package in "$@"; do
		grep -qxF "$package" <<<"$have" || printf '%s\n' "$package"
	done
}

# What runs as root, as one script: `sudo` is asked for once and only here.
# Arguments: the packages.
packages_root() {
	set -euo pipefail
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	# Not local: the trap at the end reads them.
	saved=$POLICY.docket-saved made='' new=()
	options=(-y -q --no-install-recommends
		-o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120)

	restore() {
		if grep -qsxF "$POLICY_MARK" "$POLICY"; then
			rm -f "$POLICY"
		fi
		if [ -e "$saved" ] || [ -L "$saved" ]; then
			mv "$saved" "$POLICY"
		fi
		rm -f "$CLUSTER_FILE"
		rmdir "$CLUSTER_DIR" 2>/dev/null || true
		[ -z "$made" ] || rmdir "${CLUSTER_DIR%/*}" 2>/dev/null || true
	}
	restore		# what a killed run may have left
	trap restore EXIT
	trap 'exit 130' INT TERM HUP

	if [ -e "$POLICY" ] || [ -L "$POLICY" ]; then
		mv "$POLICY" "$saved"
	fi
	printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
	chmod 755 "$POLICY"
	[ -d "${CLUSTER_DIR%/*}" ] || made=1
	mkdir -p "$CLUSTER_DIR"
	echo "create_main_cluster = false" >"$CLUSTER_FILE"
	for service in nginx pgbouncer prometheus; do
		[ -e "/usr/sbin/$service" ] || new+=("$service")
	done

	if ! apt-get install "${options[@]}" -s "$@" >/dev/null 2>&1; then
		apt-get update -q
	fi
	if ! apt-get install "${options[@]}" "$@"; then
		# Lists older than the mirror: packages in them are gone.
		apt-get update -q
		apt-get install "${options[@]}" "$@"
	fi
	# A package that we brought must not start at the next boot either.
	for service in "${new[@]}"; do
		[ ! -e "/etc/init.d/$service" ] ||
			update-rc.d "$service" disable >/dev/null 2>&1 || true
	done
}

packages_install() {
	local missing list

	mapfile -t missing < <(packages_missing "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	list="${missing[*]}"
	command -v apt-get >/dev/null ||
		die "this needs Debian's apt-get, and: $list" \
		    "install these by hand, then run ./dev again"
	say "Packages to install: $list"
	STEP_GENTLE=1
	if [ "$(id -u)" -eq 0 ]; then
		step "Installing ${#missing[@]} packages" "$STATE/log/apt.log" \
		    "read the lines above; often: apt-get update, then again" \
		    packages_root "${missing[@]}"
	else
		command -v sudo >/dev/null ||
			die "packages are missing and there is no sudo" \
			    "as root: apt-get install --no-install-recommends $list"
		sudo -n true 2>/dev/null || sudo -v ||
			die "sudo refused" \
			    "as root: apt-get install --no-install-recommends $list"
		step "Installing ${#missing[@]} packages" "$STATE/log/apt.log" \
		    "read the lines above; often: sudo apt-get update, then again" \
		    sudo -n bash -c "POLICY=$POLICY
			POLICY_MARK='$POLICY_MARK'
			CLUSTER_DIR=$CLUSTER_DIR CLUSTER_FILE=$CLUSTER_FILE
			$(declare -f packages_root)
			packages_root $list"
	fi
	STEP_GENTLE=
}
