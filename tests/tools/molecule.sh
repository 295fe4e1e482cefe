#!/usr/bin/env bash
# Run the scenarios of extensions/molecule: all of them, or those of the arguments (-s NAME).
# Whatever happens, no process and no file stays behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
echo "== molecule"
work=$(mktemp -d)
export HOME=$work ANSIBLE_HOME=$work/ansible MOLECULE_EPHEMERAL_DIRECTORY=$work/molecule
# An endpoint of the user's own would come before the stand-in's.
unset AWS_URL AWS_ENDPOINT_URL AWS_ENDPOINT_URL_KMS AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_CLOUDTRAIL
if [ $# -eq 0 ]; then set -- --all; fi
# At Ctrl-C molecule would go on with the remaining scenarios: it gets a process group of its own, to be stopped as one.
set -m
molecule test --workers "$(getconf _NPROCESSORS_ONLN)" --continue-on-failure "$@" &
trap 'kill -TERM -- "-$!" 2>/dev/null; exit 130' INT TERM
trap 'kill $(cat "$work"/molecule/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT
wait "$!"
