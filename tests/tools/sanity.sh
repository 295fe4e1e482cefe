#!/usr/bin/env bash
# ansible-test sanity on a copy, since ansible-test needs the path ansible_collections/keyops/atlassian_cmk.
set -euo pipefail
cd "$(dirname "$0")/../.."
echo "== ansible-test sanity"
tree=$(mktemp -d) && trap 'rm -rf "$tree"' EXIT
target=$tree/ansible_collections/keyops/atlassian_cmk
mkdir -p "$target"
# What users get, and its configuration. ruff and mypy check the tests, with rules that are at least as strict.
git ls-files -z --cached --others --exclude-standard -- . ':(exclude,glob)tests/*/**' ':!extensions/molecule' | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then cp --parents --no-dereference "$file" "$target"; fi
done
collections=$(python -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])')
ln -s "$collections/amazon" "$tree/ansible_collections/amazon"

pip_settings=$(python tests/tools/pip_settings.py --file)
# ansible-test keeps its virtual environments at home; here they are kept from run to run.
export HOME=$PWD/.cache/sanity
mkdir -p "$HOME/.ansible/test/cache" "$HOME/.config/pip"
# It also hides the environment, where a proxy's certificate or a mirror may be named: pip reads that from its file.
echo "$pip_settings" > "$HOME/.config/pip/pip.conf"
# It downloads the script that brings pip into each of nine environments. uv does that in a moment, and Python's own ensurepip
# where uv cannot.
pip_version=$(python -c '
import pathlib, re, ansible_test
source = pathlib.Path(ansible_test.__path__[0]) / "_internal/python_requirements.py"
print(re.search(r"pip=.([0-9.]+).", source.read_text())[1].replace(".", "_"))')
python=$(command -v python) uv=$(command -v uv)
cat > "$HOME/.ansible/test/cache/get_pip_$pip_version.py" <<PY
import subprocess, sys
arguments = [word for word in sys.argv[1:] if word[:2] != "--"]
uv = ["$python", "$PWD/tests/tools/pip_settings.py", "$uv", "pip", "install", "--quiet", "--python", sys.executable]
if subprocess.call(uv + arguments):
    subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
    sys.exit(subprocess.call([sys.executable, "-m", "pip", "install"] + arguments))
PY
# Only this interpreter: stubs of version managers look like Pythons and are none.
export PATH=$(dirname "$(command -v ansible-test)"):/usr/bin:/bin
cd "$target"
git init --quiet . && git add --all && git -c user.name=copy -c user.email=copy@example.com commit --quiet --message copy
# Its test of the changelog is antsibull-changelog lint, which `make lint` runs.
ansible-test sanity --requirements --color no --python default --skip-test changelog "$@"
