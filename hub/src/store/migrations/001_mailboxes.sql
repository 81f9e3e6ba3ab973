CREATE TABLE hub (
    -- Exactly one row.
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    -- Random; new at init and at restore, by which readers and writers see that this store went back in time.
    store_epoch BLOB NOT NULL CHECK (length(store_epoch) = 16),
    -- Days since 1970-01-01 UTC. No table here knows a finer time.
    made_day INTEGER NOT NULL,
    -- Bytes of all items, for the ceiling of the whole hub.
    bytes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE mailbox (
    mbx INTEGER NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    -- The group of downlinks whose write capability reaches this mailbox.
    grp BLOB CHECK (length(grp) = 16),
    -- The next item's place. Raised in the transaction that inserts the item, and never set back: an item
    -- can never appear below a cursor that a reader has already passed.
    next_seq INTEGER NOT NULL DEFAULT 1,
    bytes INTEGER NOT NULL DEFAULT 0,
    -- 1: nothing more can be put.
    closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
    -- Items deleted unread at the end of their time to live; its reader is told.
    expired INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE capability (
    -- SHA-256 of the capability. The capability itself is never here.
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    allows TEXT NOT NULL CHECK (allows IN ('read', 'write', 'admin')),
    -- Either the one mailbox or the group of mailboxes in which it is valid; neither for admin.
    mailbox BLOB CHECK (length(mailbox) = 16),
    grp BLOB CHECK (length(grp) = 16),
    CHECK (mailbox IS NULL OR grp IS NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked (
    -- Kept for ever: an old registration that is repeated must not give the right back.
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE item (
    mbx INTEGER NOT NULL REFERENCES mailbox (mbx),
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    -- 0: envelope, carried in pages. 1: slice, named in pages and fetched by digest.
    slice INTEGER NOT NULL CHECK (slice IN (0, 1)),
    -- Day of arrival.
    day INTEGER NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (mbx, seq),
    UNIQUE (mbx, digest)
) STRICT;

CREATE INDEX item_day ON item (day);

CREATE TABLE tombstone (
    -- An item that its reader has taken away. Its digest only.
    mbx INTEGER NOT NULL REFERENCES mailbox (mbx),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    day INTEGER NOT NULL,
    PRIMARY KEY (mbx, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstone_day ON tombstone (day);

CREATE TABLE spent (
    -- What a capability has put on one day, for its quota.
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    day INTEGER NOT NULL,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (hash, day)
) STRICT, WITHOUT ROWID;
