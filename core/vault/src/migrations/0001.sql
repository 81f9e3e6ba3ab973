-- Vault, schema 1. Frozen once released: later steps are files of their own.

CREATE TABLE device (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    signing_seed BLOB NOT NULL CHECK (length(signing_seed) = 32), -- Ed25519
    sealing_seed BLOB NOT NULL CHECK (length(sealing_seed) = 32), -- X-Wing
    dev          BLOB NOT NULL CHECK (length(dev) = 16),
    next_seq     INTEGER NOT NULL CHECK (next_seq >= 0),
    prev         BLOB NOT NULL CHECK (length(prev) = 32)          -- hash of the last entry; at first the transcript
) STRICT;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE draft (
    id        BLOB PRIMARY KEY CHECK (length(id) = 16), -- becomes the id of the finished entry
    form      TEXT NOT NULL,
    version   TEXT NOT NULL,
    hash      BLOB NOT NULL CHECK (length(hash) = 32),
    event     BLOB CHECK (event IS NULL OR length(event) = 16),
    made_s    INTEGER NOT NULL,                         -- wall clock, UTC
    touched   INTEGER NOT NULL,                         -- wall clock, UTC
    step      INTEGER NOT NULL                          -- rises with every change of any draft: the order that no clock turns
) STRICT;

CREATE TABLE answer (
    draft BLOB NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
    code  TEXT NOT NULL,
    value BLOB NOT NULL,                                -- CBOR [type, value]
    PRIMARY KEY (draft, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    hash     BLOB PRIMARY KEY CHECK (length(hash) = 32),
    id       BLOB NOT NULL CHECK (length(id) = 16),
    dev      BLOB NOT NULL CHECK (length(dev) = 16),
    seq      INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    case_id  BLOB,
    event    BLOB,
    envelope BLOB NOT NULL CHECK (length(envelope) = 32), -- digest of the sealed file that carries it
    epoch    INTEGER NOT NULL,                            -- number of the desk's epoch key that it is sealed to
    bytes    BLOB NOT NULL,                               -- COSE_Sign1, verbatim
    UNIQUE (dev, seq)
) STRICT;
CREATE INDEX entry_event ON entry (event) WHERE event IS NOT NULL;
CREATE INDEX entry_case ON entry (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX entry_envelope ON entry (envelope);

-- Sealed envelopes between the commit here and the commit in the outbox.
CREATE TABLE pend (
    digest    BLOB PRIMARY KEY CHECK (length(digest) = 32),
    bytes     BLOB NOT NULL,
    entries   INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,  -- numbers of the first and last entry inside
    last_seq  INTEGER NOT NULL,
    day       INTEGER NOT NULL,  -- days since 1970-01-01, UTC
    epoch     INTEGER NOT NULL   -- number of the desk's epoch key
) STRICT;

-- What the home screen lists: one row per finished form. Rebuilt from entry at any time.
CREATE TABLE record (
    id        BLOB PRIMARY KEY CHECK (length(id) = 16),
    hash      BLOB NOT NULL CHECK (length(hash) = 32),
    envelope  BLOB NOT NULL CHECK (length(envelope) = 32),
    seq       INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    form      TEXT,
    event     BLOB,
    case_code TEXT,
    saved_s   INTEGER NOT NULL, -- wall clock, UTC
    day       INTEGER NOT NULL, -- local day
    total     INTEGER,
    children  INTEGER,
    arrived   TEXT,             -- RFC 3339
    transport TEXT,             -- code
    replaced  INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1)) -- 1: a later record supersedes it
) STRICT;
CREATE INDEX record_day ON record (day);
CREATE INDEX record_event ON record (event) WHERE event IS NOT NULL;

-- Interviews that were refused at an event whose count is not finished (domain 3.2, end rules). Nothing else is
-- kept of a refusal.
CREATE TABLE refusal (
    event BLOB PRIMARY KEY CHECK (length(event) = 16),
    n     INTEGER NOT NULL CHECK (n > 0)
) STRICT, WITHOUT ROWID;
