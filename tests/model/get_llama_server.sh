#!/bin/bash
# Unpacks Debian's newest llama-server beside the system (nothing is installed) and prints its path:
#   export CWM_LSP_TEST_LLAMA_SERVER=$(tests/model/get_llama_server.sh DIR)
set -euo pipefail
D=$(realpath -m "$1") T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
mkdir -p "$T"/etc/apt/{apt.conf.d,preferences.d} "$T"/var/lib/apt/lists/partial "$T"/var/cache/apt/archives/partial \
  "$T"/var/lib/dpkg "$D"
: > "$T"/var/lib/dpkg/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" \
  > "$T"/etc/apt/sources.list
A=(-o Dir="$T" -o Dir::State::status="$T"/var/lib/dpkg/status -o Dir::Etc::sourcelist="$T"/etc/apt/sources.list
   -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root -o Acquire::Languages=none)
apt-get "${A[@]}" -qq update >&2
apt-get "${A[@]}" -qq -y --no-install-recommends --download-only install llama.cpp-tools >&2
for deb in "$T"/var/cache/apt/archives/*.deb; do dpkg -x "$deb" "$D"; done
L=$D/usr/lib/x86_64-linux-gnu
# It wants a newer libc than this system's, so it runs on the unpacked one.
cat > "$D/llama-server" <<WRAPPER
#!/bin/sh
export GGML_BACKEND_PATH=\${GGML_BACKEND_PATH:-$L/ggml/backends0/libggml-cpu-haswell.so}
exec $L/ld-linux-x86-64.so.2 --library-path $L:$L/llama:$L/ggml $D/usr/bin/llama-server "\$@"
WRAPPER
chmod +x "$D/llama-server"
echo "$D/llama-server"
