#!/bin/bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# boot.sh BASE WORK: systemd as the first process of a container that lies over
# BASE; what changes goes to WORK. Runs in mount and pid namespaces of its own.
set -eu
base=$1 work=$2

mount -t proc proc /proc
mkdir -p "$work/root" "$work/changes" "$work/wd"
mount -t overlay overlay \
    -o "lowerdir=$base,upperdir=$work/changes,workdir=$work/wd" "$work/root"

# A control group of its own, or its systemd would take the host's for its own.
while IFS=: read -r id names path; do
	case $id:$names in
	0:) mount=$(findmnt -rnt cgroup2 -o TARGET | head -n 1) ;;
	*:name=*) mount=$(findmnt -rnt cgroup -o TARGET,OPTIONS |
	    awk -v n="$names" '$2 ~ "(^|,)" n "(,|$)" { print $1; exit }') ;;
	*) continue ;;
	esac
	[ -n "$mount" ] || continue
	dir=$mount${path%/}/${work##*/}
	mkdir -p "$dir"
	echo 0 >"$dir/cgroup.procs"
	echo "$dir" >>"$work/cgroups"
done </proc/self/cgroup

# nspawn keeps its locks there by the machine's name.
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=755 tmpfs /run/systemd/nspawn

export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --quiet --register=no --keep-unit --boot \
    -D "$work/root" --machine=docket-box --private-network --resolv-conf=off \
    --timezone=off --link-journal=no --console=pipe \
    --capability=CAP_NET_ADMIN,CAP_SYS_NICE,CAP_IPC_LOCK,CAP_SYS_RESOURCE,CAP_BPF,CAP_PERFMON \
    --system-call-filter='bpf @keyring'
