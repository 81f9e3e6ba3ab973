#!/bin/sh
# Envelopes against npm's age-encryption, both ways. Needs node 20 and npm; exits non-zero on any difference.
# LANDFALL_VECTORS may name a built landfall-vectors; else cargo builds it.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../../.." && pwd)
work="${CARGO_TARGET_DIR:-$root/target}/compat/age"
vectors() {
  if [ -n "${LANDFALL_VECTORS:-}" ]; then "$LANDFALL_VECTORS" "$@"; else
    (cd "$root" && cargo run --quiet -p landfall-tests --bin landfall-vectors -- "$@")
  fi
}
mkdir -p "$work"
rm -rf "$work/sample"
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$here/envelope.mjs" "$work/"
vectors sample "$work/sample" >/dev/null
cd "$work"
npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null
node envelope.mjs "$work/sample"
vectors open "$work/sample"
