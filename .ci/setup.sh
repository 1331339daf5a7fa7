#!/bin/sh
# Sets up the Python environment: `.ci/setup.sh [VENV]`, called by `make env`.
# `.ci/setup.sh --uv ...` runs uv with these arguments, and installs it first where there is none.
#
# POSIX sh. Up to the first call of uv only built-ins and python3 are used, so that a bare
# machine gets a sentence that says what is missing, not "command not found".
set -eu

fail() {
    echo "make env: $1" >&2
    exit 2
}

case $0 in */*) cd "${0%/*}/.." ;; *) cd .. ;; esac

read -r wanted <.python-version
allowed='>=3.12,<3.15' # as in pyproject.toml; a test holds them together

# Another environment, or settings meant for another project, must not leak in. Where packages
# come from, where they are cached and whether the network may be used stay the caller's choice.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH PYENV_VERSION
unset UV_PYTHON UV_SYSTEM_PYTHON UV_PROJECT UV_PROJECT_ENVIRONMENT UV_WORKING_DIRECTORY
unset UV_REQUIRE_HASHES UV_NO_BUILD UV_NO_BINARY UV_CONSTRAINT UV_OVERRIDE UV_EXCLUDE
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_HASHES PIP_REQUIRE_VIRTUALENV

# Sets $uv: the one on PATH, or the one in .uv/, made here when needed.
find_uv() {
    for uv in uv .uv/bin/uv; do
        if "$uv" --version >/dev/null 2>&1; then return; fi
    done
    find_bootstrap_python
    [ -n "$python" ] || fail "$why, and setting up needs uv, or a python3 (3.8 or newer, with \
its venv module) to install uv with: install Python $wanted, then run the same command again."
    echo "Installing uv into .uv/" >&2
    "$python" -m venv --clear .uv >&2 &&
        .uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13' >&2 ||
        fail "uv could not be installed into .uv/ (the reason is above): check the network, or \
put a uv on PATH, then run the same command again."
}

# Sets $python to the first python3 on PATH that can make a virtual environment. The first that
# exists is not always one: a pyenv shim may point to nothing.
find_bootstrap_python() {
    python='' why='' old_ifs=$IFS IFS=:
    for folder in $PATH; do
        candidate=${folder:-.}/python3
        [ -x "$candidate" ] || continue
        if ! "$candidate" -c '' >/dev/null 2>&1; then
            reason="$candidate does not start"
        elif ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
            reason="$candidate is older than Python 3.8"
        elif ! "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            reason="$candidate has no venv module (on Debian and Ubuntu: apt install python3-venv)"
        else
            python=$candidate
            break
        fi
        why=${why:-$reason} # of the first one, which is the python3 that the user sees
    done
    IFS=$old_ifs
    why=${why:-there is no python3 on PATH}
}

# uv gives up at the first python that does not start, and a shim of pyenv does not start when its
# version is not the chosen one. So uv looks at the versions themselves.
look_behind_pyenv() {
    root=$(pyenv root 2>/dev/null) || return 0
    search='' old_ifs=$IFS IFS=:
    for folder in $PATH; do
        case $folder in "$root"/*) ;; *) search=$search$folder: ;; esac
    done
    IFS=$old_ifs
    for folder in "$root"/versions/3.*/bin; do search=$search$folder:; done
    export UV_PYTHON_SEARCH_PATH="${search%:}"
}

# Sets $python: the version of .python-version, installed or (where uv may) downloaded; else any
# version that the package supports.
find_python() {
    find="$uv python find --system --no-python-downloads"
    python=$($find "$wanted" 2>/dev/null) && return
    "$uv" python install --quiet --no-bin "$wanted" >/dev/null 2>&1 &&
        python=$($find "$wanted" 2>/dev/null) && return
    python=$($find "cpython$allowed" 2>/dev/null) ||
        fail "the package needs Python $allowed, and none was found or could be downloaded: \
install Python $wanted (for example with the package manager of your system, with pyenv or with \
\`uv python install $wanted\`), then run the same command again."
    echo "Python $wanted was not found: using $python (last digits of results may differ)" >&2
}

find_uv
look_behind_pyenv
if [ "${1-}" = --uv ]; then
    shift
    exec "$uv" "$@"
fi

venv=${1:-.venv}
stamp=$venv/.ready
rm -f "$stamp" # a set-up that fails from here on leaves no stamp
echo "Setting up $venv (about 2 GB, a minute or so)" >&2

# An environment that already has the right Python is brought up to date, not made anew.
fits='import sys; sys.exit(not (sys.version.split()[0] + ".").startswith(sys.argv[1] + "."))'
if ! "$venv/bin/python" -c "$fits" "$wanted" 2>/dev/null; then
    find_python
    "$uv" venv --quiet --clear --python "$python" "$venv"
fi

# Compiled bytecode halves the time every kernel takes to start.
"$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes --compile-bytecode requirements.lock &&
    "$uv" pip install --quiet --python "$venv/bin/python" --no-deps -e . ||
    fail "the packages could not be installed into $venv (the reason is above): check the \
network and the space on the disk, then run the same command again."

: >"$stamp"
