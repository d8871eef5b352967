#!/usr/bin/env bash
# Runs a command with a folder that has Chromium, playwright-core, Mermaid and Graphviz in
# REFEREE_TEST_CHROMIUM.
#
#     tests/tools/with-chromium.sh cargo test --test cli -- browser
#
# Uses the Chromium that is installed. On Debian, its packages are otherwise unpacked into
# .tools/chromium, which changes nothing else; apt verifies them.
#
# If there is none, prints a warning that says why, and runs the command without it. The tests of
# diagrams and reports in a browser are then skipped.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
source=$root/tests/tools/chromium
home=$root/.tools/chromium

without() {
    echo "warning: the tests in a browser are SKIPPED: $1" >&2
    export REFEREE_TEST_SKIPPED="${REFEREE_TEST_SKIPPED:-}
  tests in a browser: $1"
    shift
    exec "$@"
}

install_packages() {
    cp "$source"/package{,-lock}.json "$1"
    # The hashes of all packages are in the lock file.
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
}

installed_browser() {
    command -v chromium-headless-shell || command -v chromium || command -v google-chrome
}

# Unpacks Debian's Chromium and the libraries that are missing, and prints the way to run it.
unpack_browser() {
    local name=chromium-headless-shell packages
    command -v apt-get >/dev/null || return
    apt-cache show "$name" >/dev/null 2>&1 || apt-get update -qq >&2 || return
    packages=$(apt-get install --simulate --no-install-recommends "$name" | awk '/^Inst / { print $2 }')
    mkdir -p "$1/debian/archives"
    # shellcheck disable=SC2086 # One word for each package.
    (cd "$1/debian/archives" && apt-get download -qq -o APT::Sandbox::User=root $packages >&2) || return
    for archive in "$1"/debian/archives/*.deb; do
        dpkg-deb --extract "$archive" "$1/debian" || return
    done
    rm -r "$1/debian/archives"
    cat >"$1/run" <<'RUN'
#!/bin/sh
home=$(dirname "$0")/debian/usr/lib
for folder in "$home"/*-linux-gnu "$home"/*-linux-gnu/pulseaudio; do
    LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "$home/chromium/chromium-headless-shell" "$@"
RUN
    chmod +x "$1/run"
    rm -rf "$1/debian/usr/share"
}

install() {
    local work browser
    work=$(mktemp -d "$home.XXXXXX")
    # Removes the folder on failure; on success, it has been moved.
    trap 'rm -rf "$work"' RETURN
    install_packages "$work" || return
    if browser=$(installed_browser); then
        printf '#!/bin/sh\nexec %q "$@"\n' "$browser" >"$work/run"
        chmod +x "$work/run"
    else
        unpack_browser "$work" || return
    fi
    "$work/run" --headless --no-sandbox --version >/dev/null || return
    # The folder gets its final name only when it is complete.
    rm -rf "$home"
    mv "$work" "$home"
}

node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null ||
    without "there is no \`node\` of 20 or later" "$@"
if ! cmp --quiet "$source/package-lock.json" "$home/package-lock.json"; then
    command -v npm >/dev/null || without "there is no \`npm\` to install playwright-core with" "$@"
    mkdir -p "$root/.tools"
    install || without "there is no Chromium, and it could not be installed" "$@"
fi
export REFEREE_TEST_CHROMIUM=$home
exec "$@"
