#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh PACKAGE...: installs those of the Debian packages that are missing; says nothing when none is.
missing=
for package in "$@"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
  echo "Please install what these Debian packages hold, as root:$missing" >&2
  exit 1
fi
echo "Installing:$missing"

# Programs are wanted, not services: Orthanc's package would start one (Debian policy 9.3.3.2 asks this file).
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap '$as_root rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
  $as_root chmod +x $policy
fi
run() { $as_root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null; }
run apt-get -qq update && run apt-get -qq install -y --no-install-recommends $missing >/dev/null
