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
# What git does not hold is somebody's own, such as an inventory. galaxy.yml's build_ignore leaves it out.
if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
  tar -tzf "$folder"/keyops-atlassian_cmk-*.tar.gz | grep -v '/$' | sort > "$folder/packed"
  { git ls-files --cached --others --exclude-standard; echo FILES.json; echo MANIFEST.json; } | sort > "$folder/listed"
  if extra=$(comm -23 "$folder/packed" "$folder/listed") && [ -n "$extra" ]; then
    echo "The tarball holds files that git ignores. Add them to build_ignore in galaxy.yml:" >&2
    echo "$extra" >&2
    exit 1
  fi
fi
python -m tests.tools.certification
# `make lint` lints with the same tool, and the importer gives it two minutes only, which a busy machine exceeds.
printf '[galaxy-importer]\nrun_ansible_lint = False\n' > "$folder/importer.cfg"
(
  cd "$folder"
  export GALAXY_IMPORTER_CONFIG=$folder/importer.cfg
  python -m galaxy_importer.main keyops-atlassian_cmk-*.tar.gz > importer.log 2>&1 || { cat importer.log; exit 1; }
  if grep -E "^(ERROR|WARNING)|: (ERROR|WARNING)" importer.log; then exit 1; fi
)
echo "galaxy-importer has no complaint"
if [ -n "$kept" ]; then mkdir -p "$kept" && mv "$folder"/keyops-atlassian_cmk-*.tar.gz "$kept"; fi
