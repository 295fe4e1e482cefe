#!/usr/bin/env bash
# Build the collection as users get it, and check it as Galaxy does. With a folder, the tarball is kept there.
set -euo pipefail
kept=${1:-}
cd "$(dirname "$0")/../.."
echo "== package"
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
export HOME=$folder/home
mkdir -p "$HOME"
ansible-galaxy collection build --output-path "$folder" > /dev/null
(
  cd "$folder"
  python -m galaxy_importer.main keyops-atlassian_cmk-*.tar.gz > importer.log 2>&1 || { cat importer.log; exit 1; }
  if grep -E "^(ERROR|WARNING)|: (ERROR|WARNING)" importer.log; then exit 1; fi
)
echo "galaxy-importer has no complaint"
if [ -n "$kept" ]; then mkdir -p "$kept" && mv "$folder"/keyops-atlassian_cmk-*.tar.gz "$kept"; fi
