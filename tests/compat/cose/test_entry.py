"""A second decoder for COSE entries: cbor2 and pyca/cryptography, with which the core shares no line.

It reads the vectors of tests/vectors/entry and the entries that `landfall-vectors sample` has just made. What
the core takes it takes; what the core refuses it refuses.
"""

import hashlib
import json
import os
import pathlib
import uuid

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ROOT = pathlib.Path(__file__).resolve().parents[3]
VECTORS = json.loads((ROOT / "tests/vectors/entry/cases.json").read_text("utf-8"))
PROTECTED = bytes([0xA1, 0x01, 0x32])  # {1: -19}
LARGEST = 1 << 20

# Points of small order (RFC 7748 and the cofactor): under them one signature verifies every message.
SMALL_ORDER = {
    bytes.fromhex(y[:62] + f"{int(y[62:], 16) | sign:02x}")
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
    for sign in (0, 0x80)
}


class Refused(Exception):
    """The bytes are not an entry of this key."""


def aad(context):
    return f"landfall/{context}/v1".encode()


def verify(key, context, payload, signature):
    if key in SMALL_ORDER:
        raise Refused("weak key")
    signed = cbor2.dumps(["Signature1", PROTECTED, aad(context), payload])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise Refused("signature") from error


def read(data, key, context="entry"):
    """Returns the payload of an entry in its one encoding."""
    if len(data) > LARGEST:
        raise Refused("size")
    payload, signature = take_apart(data)
    if cbor2.dumps(cbor2.CBORTag(18, [PROTECTED, {}, payload, signature])) != data:
        raise Refused("not the one encoding")
    verify(key, context, payload, signature)
    return cbor2.loads(payload)


def take_apart(data):
    """Decodes as leniently as the library does."""
    try:
        frame = cbor2.loads(data)
    except Exception as error:  # noqa: BLE001 - a decoder fails in many ways, each is a refusal
        raise Refused("CBOR") from error
    if not isinstance(frame, cbor2.CBORTag) or frame.tag != 18:
        raise Refused("tag")
    # The library may give a tuple where another value needs a hashable one.
    parts = list(frame.value) if isinstance(frame.value, (list, tuple)) else []
    if len(parts) != 4 or not isinstance(parts[2], bytes) or not isinstance(parts[3], bytes):
        raise Refused("shape")
    if len(parts[3]) != 64:
        raise Refused("signature length")
    return parts[2], parts[3]


def given(case, key):
    return case.get(key, VECTORS["given"].get(key))


def data_of(case):
    data = bytes.fromhex(case["input"])
    return data.ljust(int(case.get("extend", 0)), b"\0")


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_second_decoder_agrees(case):
    key = bytes.fromhex(given(case, "key"))
    if case["expect"] == "ok":
        assert read(data_of(case), key, given(case, "context"))[0] == 1
    else:
        with pytest.raises(Refused):
            read(data_of(case), key, given(case, "context"))


def test_there_are_both_kinds():
    expected = [case["expect"] for case in VECTORS["cases"]]
    assert expected.count("ok") >= 2
    assert len(expected) >= 50


def test_without_exactness_one_entry_would_have_many_hashes():
    """Why the exact encoding is demanded: lenient readers take these, and their signature verifies."""
    key = bytes.fromhex(VECTORS["given"]["key"])
    hashes = set()
    for case in VECTORS["cases"]:
        data = data_of(case)
        if given(case, "key") != VECTORS["given"]["key"] or given(case, "context") != "entry":
            continue
        try:
            payload, signature = take_apart(data)
            verify(key, "entry", payload, signature)
        except Refused:
            continue
        if case["expect"] == "NotExact":
            hashes.add(hashlib.sha256(data).digest())
    assert len(hashes) >= 3


def sample_entries():
    folder = pathlib.Path(os.environ["LANDFALL_SAMPLE"])
    key = bytes.fromhex((folder / "device-key.hex").read_text("utf-8").strip())
    return key, [(folder / f"entry-{n}.cose").read_bytes() for n in range(2)]


def test_a_fresh_entry_reads_as_the_protocol_says():
    key, entries = sample_entries()
    for seq, data in enumerate(entries):
        assert data[:2] == bytes([0xD2, 0x84])
        payload = read(data, key)
        assert payload[0] == 1
        assert uuid.UUID(bytes=payload[1]).version == 4
        assert payload[2] == hashlib.sha256(key).digest()[:16]
        assert payload[3] == seq
        assert len(payload[4]) == 32
        assert isinstance(payload[6], str)
        assert [type(part) for part in payload[8]] == [str, int, bytes]
        assert all(isinstance(code, str) for code in payload[9])
        assert all(isinstance(at, int) for at in payload if at != 9)
        assert set(payload[12]) <= {0, 1, 2, 3, 4, 5}


def test_a_changed_bit_is_found_anywhere():
    key, entries = sample_entries()
    data = entries[0]
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(Refused):
            read(bytes(changed), key)


def test_another_context_does_not_verify():
    key, entries = sample_entries()
    for context in ("control", "charter", "manifest", "enrol"):
        with pytest.raises(Refused):
            read(entries[0], key, context)
