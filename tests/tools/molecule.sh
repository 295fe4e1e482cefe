#!/usr/bin/env bash
# Run the scenarios of extensions/molecule on the strict stand-ins.
set -euo pipefail
cd "$(dirname "$0")/../../extensions"
echo "== molecule"
home=$(mktemp -d) && trap 'rm -rf "$home"' EXIT
HOME=$home molecule test --all "$@"
