CREATE TABLE organisation (
    -- The organisation and the desk's own marks; one row.
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL,
    charter BLOB NOT NULL,        -- frame, signed by the root keys
    aud BLOB NOT NULL,            -- digest of the first charter
    manifest BLOB NOT NULL,       -- frame, signed by the desk key
    serial INTEGER NOT NULL,      -- of the manifest
    inbox BLOB NOT NULL,          -- mailbox of the desk at every hub
    desk_epoch BLOB NOT NULL      -- random, new at every restore
) STRICT;

CREATE TABLE hub (
    url TEXT PRIMARY KEY,
    read_cap BLOB NOT NULL,       -- SHA-256 of the capability that reads the inbox
    downlink_cap BLOB NOT NULL    -- SHA-256 of the capability that writes all downlinks
) STRICT;

CREATE TABLE invitation (
    digest BLOB PRIMARY KEY,      -- of the invitation's text
    text TEXT NOT NULL,           -- emptied when the secret has been used
    role TEXT NOT NULL,
    point TEXT NOT NULL,
    language TEXT NOT NULL,       -- of the six words
    made_s INTEGER NOT NULL,      -- wall time, seconds UTC
    reply BLOB                    -- payload of the first reply that proved the secret
) STRICT;

CREATE TABLE device (
    id BLOB PRIMARY KEY,          -- first 16 bytes of SHA-256 of its key
    key BLOB NOT NULL,            -- Ed25519 public key
    recipient BLOB NOT NULL,      -- X-Wing public key
    downlink BLOB NOT NULL,       -- its mailbox
    write_cap BLOB NOT NULL,      -- SHA-256
    read_cap BLOB NOT NULL,       -- SHA-256
    role TEXT NOT NULL,
    point TEXT NOT NULL,
    transcript BLOB NOT NULL,     -- what entry 0 names as the one before
    confirmed_s INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0,
    revoked_above INTEGER,        -- last number with a receipt when it was revoked
    control_serial INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE envelope (
    digest BLOB PRIMARY KEY,      -- SHA-256 of the sealed file
    device BLOB,                  -- whose it is, or says it is; NULL when it could not be opened
    level INTEGER NOT NULL,       -- 1 ingested, 2 backed up, 3 held, 4 unopenable
    reason INTEGER NOT NULL,      -- why it is held or unopenable, else 0
    told INTEGER NOT NULL,        -- level of the last receipt, 0 for none
    day INTEGER NOT NULL,         -- days since 1970
    sealed BLOB                   -- the file itself, while it is held or unopenable
) STRICT;

CREATE TABLE entry (
    hash BLOB PRIMARY KEY,        -- SHA-256 of the frame
    envelope BLOB NOT NULL REFERENCES envelope (digest),
    device BLOB NOT NULL REFERENCES device (id),
    seq INTEGER NOT NULL,
    prev BLOB NOT NULL,           -- hash that it names as the one before
    manifest INTEGER NOT NULL,    -- serial of the manifest that the phone knew
    kind TEXT NOT NULL,
    frame BLOB NOT NULL           -- verbatim
) STRICT;

CREATE INDEX entry_by_device ON entry (device, seq);
