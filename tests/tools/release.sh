#!/usr/bin/env bash
# Make a release in dist/ from what is committed: build it, check it as Galaxy does, install it, run the demo from there.
# Publishing it stays a person's step.
set -euo pipefail
cd "$(dirname "$0")/../.."
echo "== release"
refuse() { echo "No release was made: $*" >&2; exit 1; }

version=$(python -c 'import yaml; print(yaml.safe_load(open("galaxy.yml"))["version"])')
[ -z "$(git status --porcelain)" ] || refuse "the work tree has changes that are not committed. Commit or remove them (git status)."
python - "$version" <<'PY' || refuse "version $version of galaxy.yml has no notes. Write fragments, then run: antsibull-changelog release"
import sys, yaml
released = yaml.safe_load(open("changelogs/changelog.yaml"))["releases"].get(sys.argv[1])
heading = "\n## v" + sys.argv[1].replace(".", "\\.") + "\n"
sys.exit(not (released and released.get("changes") and heading in open("CHANGELOG.md").read()))
PY
[ -z "$(ls changelogs/fragments 2>/dev/null)" ] || refuse "changelogs/fragments holds notes of no release. Run: antsibull-changelog release"
antsibull-changelog lint
tarball=$PWD/dist/keyops-atlassian_cmk-$version.tar.gz
rm -f "$tarball"
tests/tools/package.sh "$PWD/dist"

folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
# amazon.aws, its dependency, is in the virtual environment; so is this checkout, which "--force" does not take for it.
ANSIBLE_COLLECTIONS_PATH=$folder/collections HOME=$folder ansible-galaxy collection install --force --offline --no-deps --collections-path "$folder/collections" "$tarball" > /dev/null
python -m tests.tools.demo --check --collections "$folder/collections"
echo "== ready: $tarball"
sha256sum "$tarball"
echo "To publish it: git tag $version, then ansible-galaxy collection publish"
