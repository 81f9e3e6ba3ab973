//! Opening an encrypted database: key, settings, schema.
//!
//! Owns the only path to an SQLCipher connection, for the vault and for the desk's database alike. It must never
//! accept anything but the raw-key form, never write key material anywhere, and never delete a database because of
//! an error: what cannot be opened is left or moved aside.

use std::ffi::CStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::Error;

/// Length of the raw-key form `x'<64 hex>'`.
pub const RAW_KEY_LEN: usize = 67;

/// How long a connection waits for a lock that another connection of the same process holds.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// One numbered step of a schema. Once released it never changes.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// File name, for messages.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// A schema: forward-only steps, numbered by their place.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// `PRAGMA application_id`: tells a vault from a desk database that was put in its place.
    pub application_id: i32,
    /// The steps, oldest first. The number of steps is the schema's version.
    pub steps: &'static [Migration],
}

impl Migrations {
    fn version(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX)
    }
}

/// Opens (or makes) the SQLCipher database at `path` and brings its schema up to date.
///
/// `key` is the 67 bytes `x'<64 hex>'`. Before a migration the encrypted file is copied to `aside/` beside it.
///
/// # Errors
/// [`Error::KeyForm`] for any other key (32 bare bytes would be taken as a passphrase and make another,
/// incompatible database); [`Error::NotThisKey`] if the file is not a database under this key;
/// [`Error::NeedsUpdate`] if a newer version has written it; [`Error::Foreign`] if it is a database of another kind;
/// [`Error::Full`], [`Error::Io`], [`Error::Store`] as they say.
pub fn open_sqlcipher(path: &Path, key: &[u8], migrations: &Migrations) -> Result<Connection, Error> {
    check_key_form(key)?;
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    quiet(&connection)?;
    set_key(&connection, key)?;
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
        row.get::<_, i64>(0)
    }) {
        Ok(_) => {}
        Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.code == ErrorCode::NotADatabase => {
            return Err(Error::NotThisKey);
        }
        Err(other) => return Err(other.into()),
    }
    configure(&connection)?;
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

fn check_key_form(key: &[u8]) -> Result<(), Error> {
    let inner = key
        .strip_prefix(b"x'")
        .and_then(|rest| rest.strip_suffix(b"'"))
        .ok_or(Error::KeyForm)?;
    if key.len() == RAW_KEY_LEN && inner.iter().all(u8::is_ascii_hexdigit) {
        Ok(())
    } else {
        Err(Error::KeyForm)
    }
}

/// SQLCipher writes to stderr on a wrong key, which on a phone is a log that others read.
fn quiet(connection: &Connection) -> Result<(), Error> {
    connection.query_row("PRAGMA cipher_log_level = NONE", [], |_| Ok(()))?;
    Ok(())
}

fn set_key(connection: &Connection, key: &[u8]) -> Result<(), Error> {
    const MAIN: &CStr = c"main";
    let length = i32::try_from(key.len()).map_err(|_| Error::KeyForm)?;
    #[allow(
        unsafe_code,
        reason = "rusqlite has no safe call that keys a database with bytes; `PRAGMA key` would \
                                   leave the key in a statement that nobody wipes"
    )]
    // SAFETY: the handle is open and stays so for the call, MAIN is nul-terminated, and SQLCipher copies exactly
    // `length` bytes from `key` before it returns.
    let code = unsafe {
        rusqlite::ffi::sqlite3_key_v2(connection.handle(), MAIN.as_ptr(), key.as_ptr().cast(), length)
    };
    if code == rusqlite::ffi::SQLITE_OK {
        Ok(())
    } else {
        Err(Error::NotThisKey)
    }
}

fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(BUSY_WAIT)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(Error::Store { code: 0 });
    }
    // FULL: with NORMAL a power loss may take back a commit that the screen already called saved. The fullfsync
    // pair matters on Apple alone, where fsync does not reach the flash.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = 1;
         PRAGMA checkpoint_fullfsync = 1;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &Migrations) -> Result<(), Error> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if found > 0 && application != migrations.application_id {
        return Err(Error::Foreign);
    }
    let known = migrations.version();
    if found > known {
        return Err(Error::NeedsUpdate { found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        copy_aside(connection, path, found)?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for step in migrations.steps.iter().skip(done) {
        transaction.execute_batch(step.sql)?;
    }
    transaction.pragma_update(None, "application_id", migrations.application_id)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

fn copy_aside(connection: &Connection, path: &Path, version: u32) -> Result<(), Error> {
    checkpoint(connection)?;
    let folder = aside_folder(path)?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("database");
    let copy = folder.join(format!("{name}.v{version}"));
    fs::copy(path, &copy).map_err(Error::io)?;
    File::open(&copy)
        .and_then(|file| file.sync_all())
        .map_err(Error::io)?;
    sync_folder(&folder)
}

/// Writes everything of the write-ahead log into the database file and empties the log.
///
/// # Errors
/// [`Error::Busy`] if a reader is in the way, else what the store says.
pub fn checkpoint(connection: &Connection) -> Result<(), Error> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 { Ok(()) } else { Err(Error::Busy) }
}

/// Moves a database that cannot be read (with its log files) into `aside/` beside it and returns the new path, or
/// `None` if there was nothing to move.
///
/// # Errors
/// [`Error::Io`] if the file system refuses; then the database stays where it was.
pub fn set_aside(path: &Path) -> Result<Option<PathBuf>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let folder = aside_folder(path)?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("database")
        .to_owned();
    let mut number = 1u32;
    let target = loop {
        let candidate = folder.join(format!("{name}.damaged{number}"));
        if !candidate.exists() {
            break candidate;
        }
        number += 1;
    };
    fs::rename(path, &target).map_err(Error::io)?;
    for suffix in ["-wal", "-shm"] {
        let from = with_suffix(path, suffix);
        if from.exists() {
            fs::rename(&from, with_suffix(&target, suffix)).map_err(Error::io)?;
        }
    }
    sync_folder(&folder)?;
    Ok(Some(target))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn aside_folder(path: &Path) -> Result<PathBuf, Error> {
    let folder = path.parent().unwrap_or_else(|| Path::new(".")).join("aside");
    fs::create_dir_all(&folder).map_err(Error::io)?;
    Ok(folder)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(Error::io)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;

    const ONE: Migrations = Migrations {
        application_id: 77,
        steps: &[Migration {
            name: "0001",
            sql: "CREATE TABLE word (text TEXT NOT NULL) STRICT;",
        }],
    };
    const TWO: Migrations = Migrations {
        application_id: 77,
        steps: &[
            Migration {
                name: "0001",
                sql: "CREATE TABLE word (text TEXT NOT NULL) STRICT;",
            },
            Migration {
                name: "0002",
                sql: "ALTER TABLE word ADD COLUMN lang TEXT;",
            },
        ],
    };
    const BROKEN: Migrations = Migrations {
        application_id: 77,
        steps: &[
            Migration {
                name: "0001",
                sql: "CREATE TABLE word (text TEXT NOT NULL) STRICT;",
            },
            Migration {
                name: "0002",
                sql: "ALTER TABLE word ADD COLUMN lang TEXT; SELECT no_such_function();",
            },
        ],
    };

    fn key(fill: char) -> Vec<u8> {
        format!("x'{}'", fill.to_string().repeat(64)).into_bytes()
    }

    #[test]
    fn only_the_raw_key_form_opens() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("v.db");
        open_sqlcipher(&path, &key('a'), &ONE).unwrap();
        assert!(matches!(
            open_sqlcipher(&path, &[0xaa; 32], &ONE),
            Err(Error::KeyForm)
        ));
        assert!(matches!(
            open_sqlcipher(&path, &[b'a'; 64], &ONE),
            Err(Error::KeyForm)
        ));
        assert!(matches!(
            open_sqlcipher(&path, &key('b'), &ONE),
            Err(Error::NotThisKey)
        ));
        open_sqlcipher(&path, &key('a'), &ONE).unwrap();
    }

    #[test]
    fn bare_bytes_given_to_the_library_would_be_another_key() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("v.db");
        drop(open_sqlcipher(&path, &key('a'), &ONE).unwrap());
        let connection = Connection::open(&path).unwrap();
        quiet(&connection).unwrap();
        set_key(&connection, &[0xaa; 32]).unwrap();
        let answer = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get::<_, i64>(0));
        assert!(answer.is_err(), "32 bare bytes are a passphrase, not the key");
    }

    #[test]
    fn the_file_holds_no_plaintext_and_the_settings_hold() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("v.db");
        let connection = open_sqlcipher(&path, &key('c'), &ONE).unwrap();
        connection
            .execute("INSERT INTO word (text) VALUES ('canary-marigold')", [])
            .unwrap();
        for (pragma, value) in [
            ("synchronous", 2),
            ("secure_delete", 1),
            ("foreign_keys", 1),
            ("temp_store", 2),
        ] {
            let found: i64 = connection
                .query_row(&format!("PRAGMA {pragma}"), [], |r| r.get(0))
                .unwrap();
            assert_eq!(found, value, "{pragma}");
        }
        for entry in fs::read_dir(home.path()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(15).any(|window| window == b"canary-marigold"));
            assert!(!bytes.starts_with(b"SQLite format 3"));
        }
    }

    #[test]
    fn a_newer_schema_is_refused_and_a_foreign_one_too() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("v.db");
        drop(open_sqlcipher(&path, &key('a'), &TWO).unwrap());
        assert!(matches!(
            open_sqlcipher(&path, &key('a'), &ONE),
            Err(Error::NeedsUpdate { found: 2, known: 1 })
        ));
        let other = Migrations {
            application_id: 78,
            ..TWO
        };
        assert!(matches!(
            open_sqlcipher(&path, &key('a'), &other),
            Err(Error::Foreign)
        ));
    }

    #[test]
    fn a_migration_copies_aside_first_and_is_all_or_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("v.db");
        let connection = open_sqlcipher(&path, &key('a'), &ONE).unwrap();
        connection
            .execute("INSERT INTO word (text) VALUES ('kept')", [])
            .unwrap();
        drop(connection);
        assert!(open_sqlcipher(&path, &key('a'), &BROKEN).is_err());
        let connection = open_sqlcipher(&path, &key('a'), &ONE).expect("nothing changed");
        drop(connection);
        let connection = open_sqlcipher(&path, &key('a'), &TWO).unwrap();
        let (text, lang): (String, Option<String>) = connection
            .query_row("SELECT text, lang FROM word", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!((text.as_str(), lang), ("kept", None));
        let copy = home.path().join("aside/v.db.v1");
        let old = open_sqlcipher(&copy, &key('a'), &ONE).expect("the copy opens with the same key");
        assert_eq!(
            old.query_row("SELECT count(*) FROM word", [], |r| r.get::<_, i64>(0))
                .unwrap(),
            1
        );
    }

    #[test]
    fn what_cannot_be_read_is_moved_not_deleted() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("v.db");
        fs::write(&path, vec![7u8; 8192]).unwrap();
        assert!(matches!(
            open_sqlcipher(&path, &key('a'), &ONE),
            Err(Error::NotThisKey)
        ));
        let moved = set_aside(&path).unwrap().unwrap();
        assert_eq!(fs::read(moved).unwrap(), vec![7u8; 8192]);
        assert!(!path.exists());
        assert_eq!(set_aside(&path).unwrap(), None);
    }
}
