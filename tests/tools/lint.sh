#!/usr/bin/env bash
# Format and lint, each tool with the one configuration that an editor uses as well.
set -euo pipefail
cd "$(dirname "$0")/../.."
echo "== ruff"
ruff format --check .
ruff check .
echo "== mypy"
# mypy must see this checkout under its collection's name. Its cache holds for this path.
tree=$PWD/.cache/tree
mkdir -p "$tree/ansible_collections/keyops"
ln -sfn "$PWD" "$tree/ansible_collections/keyops/atlassian_cmk"
MYPYPATH=$tree:$PWD mypy --config-file pyproject.toml --cache-dir "$PWD/.cache/mypy" \
  "$tree/ansible_collections/keyops/atlassian_cmk/plugins" tests
echo "== yamllint"
yamllint --strict .
echo "== ansible-lint"
ansible-lint --offline --profile production
echo "== documentation in step with the code"
python -m tests.tools.docs --check
antsibull-changelog lint
# It copies amazon.aws as git lists it where it finds itself in a checkout, as it does inside .venv, which git ignores.
GIT_CEILING_DIRECTORIES=$(dirname "$(dirname "$(command -v ansible)")") \
  antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs dependent --disallow-unknown-collection-refs .
