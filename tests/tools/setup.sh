#!/usr/bin/env bash
# Make .venv from a bare Python: everything that is pinned in requirements/, and this checkout as an installed collection.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${VENV:-.venv}
# One after the other, so that a later file may take other versions.
requirements=${REQUIREMENTS:-requirements/dev.txt}

# Prints the interpreter itself: the first python3 on the path may be that of the environment that is made anew here.
usable() { "$1" -c 'import sys; print(sys._base_executable); sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
python=""
for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
  if found=$(usable "$candidate"); then python=$found && break; fi
done
if [ -z "$python" ]; then
  echo "Python 3.11 or newer is needed, and ${PYTHON:-python3} is none: install one, or name it with PYTHON=..." >&2
  exit 1
fi

echo "== setting up $venv with $("$python" --version)"
rm -rf "$venv"
if ! "$python" -m venv "$venv" 2>/dev/null; then
  echo "$python cannot make a virtual environment: install its venv package (Debian: apt-get install python3-venv)" >&2
  exit 1
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements/uv.txt
# The files pin everything, so nothing is resolved. uv takes seconds and pip takes minutes.
for file in $requirements; do
  if ! "$venv/bin/python" tests/tools/pip_settings.py \
    "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --require-hashes -r "$file"; then
    echo "== uv could not install $file; pip installs it instead, which takes minutes" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$file"
  fi
done

# Beside amazon.aws, so that FQCNs resolve from any folder, with or without an ansible.cfg.
collections=$("$venv/bin/python" -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])')
mkdir -p "$collections/keyops"
ln -sfn "$PWD" "$collections/keyops/atlassian_cmk"
version=$("$venv/bin/ansible" --version)
echo "== ready: ${version%%$'\n'*}"
