#!/usr/bin/env bash
# Fetches Emacs 30 (eglot is built in) from Debian, unpacked beside the libraries that it was built with; the system and
# its apt are not touched. What is there already is kept.
#
#   fetch_emacs.sh FOLDER        then FOLDER/emacs/run starts it
set -euo pipefail
[[ $# -eq 1 ]] || { sed -n '2,5p' "$0"; exit 2; }
mkdir -p "$1"; folder=$(realpath "$1"); to=$folder/emacs suite=${EMACS_SUITE:-trixie}
[[ ! -x $to/run ]] || ! "$to/run" --version >/dev/null 2>&1 || { echo "fetch: emacs is there" >&2; exit 0; }
cannot() { echo "fetch: $*" >&2; exit 3; }
command -v patchelf >/dev/null || apt-get -qq -y install patchelf >/dev/null 2>&1 || cannot "needs patchelf"
state=$(mktemp -d); trap 'rm -rf "$state"' EXIT
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ') || true
[[ -n $mirror ]] || cannot "no Debian mirror in the sources of apt"
mkdir -p "$state"/etc/apt/{apt.conf.d,preferences.d} "$state"/var/lib/apt/lists/partial \
    "$state"/var/cache/apt/archives/partial "$state"/var/lib/dpkg
: >"$state/var/lib/dpkg/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$state/etc/apt/sources.list"
apt=(apt-get -o "Dir=$state" -o "Dir::State::status=$state/var/lib/dpkg/status" -o APT::Sandbox::User=root
    -o "Dir::Etc::sourcelist=$state/etc/apt/sources.list" -o Dir::Etc::sourceparts=- -o Acquire::Languages=none)
"${apt[@]}" -qq update >"$folder/emacs.log" 2>&1 || cannot "Debian $suite can't be read (see $folder/emacs.log)"
"${apt[@]}" -qq -y --no-install-recommends --download-only install emacs-nox >>"$folder/emacs.log" 2>&1 \
    || cannot "emacs of Debian $suite can't be had (see $folder/emacs.log)"
rm -rf "$to"; mkdir -p "$to"
for package in "$state"/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$to"; done
libraries=$to/usr/lib/x86_64-linux-gnu
patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$libraries" "$to/usr/bin/emacs-nox"
cat >"$to/run" <<'RUN'
#!/usr/bin/env bash
# Emacs, told where its files are.
here=$(dirname "$(realpath "$0")")/usr
share=$(echo "$here"/share/emacs/[0-9]*) programs=$(echo "$here"/libexec/emacs/[0-9]*/*)
export EMACSDATA=$share/etc EMACSDOC=$share/etc EMACSPATH=$programs
EMACSLOADPATH=$(find "$share/lisp" -type d -not -path '*/obsolete*' | paste -sd:); export EMACSLOADPATH
exec "$here/bin/emacs-nox" --dump-file="$(echo "$programs"/*.pdmp)" "$@"
RUN
chmod +x "$to/run"
"$to/run" --version >/dev/null 2>&1 || cannot "the unpacked emacs does not start"
