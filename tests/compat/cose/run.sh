#!/bin/sh
# COSE entries against pyca/cryptography and cbor2. Needs python 3.10 with venv; exits non-zero on any
# difference. LANDFALL_VECTORS may name a built landfall-vectors; else cargo builds it.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../../.." && pwd)
work="${CARGO_TARGET_DIR:-$root/target}/compat/cose"
mkdir -p "$work"
rm -rf "$work/sample"
if [ -n "${LANDFALL_VECTORS:-}" ]; then "$LANDFALL_VECTORS" sample "$work/sample" >/dev/null; else
  (cd "$root" && cargo run --quiet -p landfall-tests --bin landfall-vectors -- sample "$work/sample" >/dev/null)
fi
# Made anew when the pins change.
if ! cmp -s "$here/requirements.txt" "$work/requirements.txt"; then
  rm -rf "$work/venv"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$work/requirements.txt"
fi
LANDFALL_SAMPLE="$work/sample" PYTHONDONTWRITEBYTECODE=1 \
  "$work/venv/bin/python" -m pytest -q -p no:cacheprovider "$here"
