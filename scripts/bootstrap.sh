#!/bin/sh
# Makes .venv from requirements.lock: every package by hash, compiled, and Penstock itself as an editable install.
# Needs a Python >= 3.11 and nothing else; on Debian and Ubuntu it installs python3-venv when it may.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH || true

say() { printf '%s\n' "$*" >&2; }
fail() { say "bootstrap: $*"; exit 5; }

find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer found (looked for: ${PYTHON:-python3, python3.13, python3.12, python3.11});" \
        "install one, or name it: make PYTHON=/path/to/python"
}

can_make_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Debian keeps ensurepip in a package of its own.
install_venv_package() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    packages="python$version-venv"
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        say "bootstrap: installing $packages (Debian's python3 comes without it)"
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$packages"; } >/dev/null || true
    fi
    can_make_venvs "$1" || fail "$1 cannot make virtual environments; install it first: apt-get install $packages"
}

# The lines of one package in the lock, hashes included.
locked() { awk -v name="$1==" 'index($0, name) == 1 { on = 1 } on { print } on && !/\\$/ { exit }' requirements.lock; }

python=$(find_python)
can_make_venvs "$python" || install_venv_package "$python"

started=$(date +%s)
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "bootstrap: making .venv with $("$python" -V 2>&1)"
    rm -rf .venv
    "$python" -m venv .venv
fi
wanted=$(locked uv | sed -n 's/^uv==\([^ ]*\).*/\1/p')
if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$wanted" ]; then
    [ -x .venv/bin/pip ] || "$python" -m venv --clear .venv
    locked uv > .venv/uv.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
fi
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
.venv/bin/python -m compileall -q core store sam runtime deploy stages pipelines app || true
touch .venv/.ready
say "bootstrap: .venv is ready ($(( $(date +%s) - started )) s)"
