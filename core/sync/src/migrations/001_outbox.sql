CREATE TABLE item (
    -- SHA-256 of the sealed file. The row stays for ever, so that what was purged is never sent again.
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- The finished sealed file, which nothing on this device can open. NULL once the desk has it backed up,
    -- or once another envelope with the same entries took its place.
    bytes BLOB,
    size INTEGER NOT NULL,
    -- How many entries are in it, as whoever sealed it says.
    entries INTEGER NOT NULL,
    -- Sequence numbers of the entries in it, first and last; NULL if it has none.
    first_seq INTEGER,
    last_seq INTEGER,
    -- Days since 1970-01-01 UTC. No table here knows a finer time but `run` and `tries`.
    day INTEGER NOT NULL,
    -- 0 saved, 1 handed, 2 ingested, 3 held, 4 unopenable, 5 refused, 6 purged, 7 replaced.
    stage INTEGER NOT NULL DEFAULT 0 CHECK (stage BETWEEN 0 AND 7),
    -- The desk's reason for 3 and 4, the hub's status for 5.
    reason INTEGER NOT NULL DEFAULT 0,
    -- 1: the next put asks the hub to store it once more if it was taken away.
    again INTEGER NOT NULL DEFAULT 0 CHECK (again IN (0, 1)),
    handed_day INTEGER NOT NULL DEFAULT 0,
    -- Failures of this item alone, so that it steps behind the others.
    failures INTEGER NOT NULL DEFAULT 0,
    CHECK ((bytes IS NULL) = (stage IN (6, 7)))
) STRICT;

CREATE TABLE contact (
    -- What a locked device needs to send and to listen. At most one row; it exists once enrolment is confirmed.
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    -- CBOR array of [kind, url].
    endpoints BLOB NOT NULL,
    -- CBOR array of DER certificates.
    tls_roots BLOB NOT NULL,
    inbox BLOB NOT NULL CHECK (length(inbox) = 16),
    downlink BLOB NOT NULL CHECK (length(downlink) = 16),
    write_cap BLOB NOT NULL CHECK (length(write_cap) = 32),
    read_cap BLOB NOT NULL CHECK (length(read_cap) = 32),
    -- Ed25519 public keys, one after the other.
    desk_keys BLOB NOT NULL CHECK (length(desk_keys) % 32 = 0),
    aud BLOB NOT NULL CHECK (length(aud) = 32),
    device BLOB NOT NULL CHECK (length(device) = 16),
    manifest_serial INTEGER NOT NULL
) STRICT;

CREATE TABLE progress (
    -- How far this device has come with hub and desk.
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    desk_epoch BLOB CHECK (length(desk_epoch) = 16),
    store_epoch BLOB CHECK (length(store_epoch) = 16),
    -- Cursor in the own downlink.
    cursor INTEGER NOT NULL DEFAULT 0,
    -- Serial of the last control message that was applied.
    serial INTEGER NOT NULL DEFAULT 0,
    -- 1: the desk has ordered a wipe that is not carried out yet.
    wipe INTEGER NOT NULL DEFAULT 0 CHECK (wipe IN (0, 1)),
    -- Time learnt from the last control message that carried one, with the elapsed time of that moment.
    trusted_s INTEGER,
    trusted_elapsed_ms INTEGER,
    trusted_boot INTEGER
) STRICT;
INSERT INTO progress (one) VALUES (1);

CREATE TABLE run (
    -- The one row with a finer time than a day, in elapsed time since the device started.
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    boot INTEGER NOT NULL DEFAULT 0,
    -- Who may send until when; 16 random bytes.
    holder BLOB CHECK (length(holder) = 16),
    lease_until_ms INTEGER NOT NULL DEFAULT 0,
    next_try_ms INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    -- 0: the last run ended without knowing what became of everything that it sent.
    clean INTEGER NOT NULL DEFAULT 1 CHECK (clean IN (0, 1))
) STRICT;
INSERT INTO run (one) VALUES (1);

CREATE TABLE tries (
    -- Failed passcodes, kept here because they must be known while the vault is closed.
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    failed INTEGER NOT NULL DEFAULT 0,
    boot INTEGER NOT NULL DEFAULT 0,
    since_elapsed_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO tries (one) VALUES (1);

CREATE TABLE downlink (
    -- Sealed messages for this device, which wait until it is unlocked.
    id INTEGER NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- NULL once it was taken out, so that the same message does not come in again.
    bytes BLOB
) STRICT;

CREATE TABLE to_ack (
    -- Messages that the hub may delete: applied or stored here, and the hub not told yet.
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE resend (
    -- Sequence numbers that the desk asks for and that no envelope here covers any more.
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (first_seq, last_seq)
) STRICT, WITHOUT ROWID;
