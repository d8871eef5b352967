#!/usr/bin/env bash
# Installs the pinned dependencies of the peers beside them, into folders that git ignores. If a
# peer cannot be installed, this prints a warning, and the benchmark runs without the peer.
set -uo pipefail

cd "$(dirname "$0")" || exit

node() {
    cd node || return
    # Install again if the lock file is newer than the installation.
    if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
        npm ci --no-audit --no-fund --loglevel=error || return
    fi
    npm run --silent build -- --log-level=warning
}

python() {
    cd python || return
    if [[ ! .venv/installed -nt requirements.txt ]]; then
        python3 -m venv --clear .venv &&
            .venv/bin/pip install --quiet --disable-pip-version-check \
                --require-hashes --only-binary :all: -r requirements.txt &&
            touch .venv/installed
    fi
}

(node) || echo "warning: the peer in Node cannot be installed, and is SKIPPED" >&2
(python) || echo "warning: the peer in Python cannot be installed, and is SKIPPED" >&2
