#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh PACKAGE...: installs those of the Debian packages that are missing; says nothing when none is.
missing=
for package in "$@"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | head -c 9)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
if ! command -v apt-get >/dev/null || ! { [ -z "$root" ] || command -v sudo >/dev/null; }; then
  echo "Please install what these Debian packages hold, as root:$missing" >&2
  exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
run() { $root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null; }
run apt-get -qq update && run apt-get -qq install -y --no-install-recommends $missing >/dev/null
