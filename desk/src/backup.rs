//! The copy on a second medium. Only a copy of data **and** keyring that was read back and compared makes a receipt
//! `backed_up`, and only then do phones delete theirs.

use std::fs;
use std::path::Path;

use landfall_vault::store::{checkpoint, open_sqlcipher};
use landfall_wire::control::ReceiptLevel;

use crate::home::DATABASE;
use crate::keyring::{self, Keyring};
use crate::store::{MIGRATIONS, Store};
use crate::{Desk, Error, Result, files};

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// Envelopes that count as backed up from now on.
    pub envelopes: u64,
    /// Entries in the copy.
    pub entries: u64,
}

impl Desk {
    /// Copies database, keyring and header into `medium`, reads them back from there, and compares.
    ///
    /// # Errors
    /// [`Error::Backup`] when a copy differs or does not open; then nothing counts as backed up.
    pub fn backup(&mut self, medium: &Path) -> Result<BackedUp> {
        self.backup_after(medium, || ())
    }

    /// [`Desk::backup`] with something done between writing and reading back: for tests of a medium that forgets.
    #[doc(hidden)]
    pub fn backup_after(&mut self, medium: &Path, written: impl FnOnce()) -> Result<BackedUp> {
        files::make_folder(medium)?;
        let whole = |folder: &Path| fs::canonicalize(folder).map_err(Error::io("finding the medium"));
        // Into the home it would replace the database under this program's feet, and be no second medium.
        if whole(medium)?.starts_with(whole(&self.home)?) {
            return Err(Error::SameMedium);
        }
        checkpoint(self.store.connection())?;
        let waiting: Vec<_> = self
            .store
            .envelopes()?
            .into_iter()
            .filter(|row| row.level == ReceiptLevel::Ingested)
            .map(|row| row.digest)
            .collect();
        let entries = self.store.entry_count()?;
        // A log left by whoever opened an older copy would be replayed into the new one.
        for end in ["-wal", "-shm"] {
            remove(&medium.join(format!("{DATABASE}{end}")))?;
        }
        for name in [DATABASE, keyring::FILE, "header-1", "header-2"] {
            let original = fs::read(self.home.join(name)).map_err(Error::io("reading for the backup"))?;
            files::write_whole(&medium.join(name), &original)?;
        }
        written();
        self.compare(medium, entries)?;
        self.store.backed_up(&waiting)?;
        Ok(BackedUp {
            envelopes: waiting.len() as u64,
            entries,
        })
    }

    fn compare(&self, medium: &Path, entries: u64) -> Result<()> {
        for name in [DATABASE, keyring::FILE, "header-1", "header-2"] {
            let read =
                |folder: &Path| fs::read(folder.join(name)).map_err(Error::io("reading the backup back"));
            if read(&self.home)? != read(medium)? {
                return Err(Error::Backup { what: name });
            }
        }
        // Equal bytes of a file that does not open would be an equal loss. Opened from a copy of the copy, because
        // opening writes beside a database.
        let beside = medium.join(".read-back");
        if beside.exists() {
            fs::remove_dir_all(&beside).map_err(Error::io("reading the backup back"))?;
        }
        files::make_folder(&beside)?;
        let opened = self.open_copy(medium, &beside, entries);
        fs::remove_dir_all(&beside).map_err(Error::io("reading the backup back"))?;
        opened
    }

    fn open_copy(&self, medium: &Path, beside: &Path, entries: u64) -> Result<()> {
        let copy = beside.join(DATABASE);
        fs::copy(medium.join(DATABASE), &copy).map_err(Error::io("reading the backup back"))?;
        let store = Store::new(
            open_sqlcipher(&copy, self.vrk.db_key()?.expose(), &MIGRATIONS)
                .map_err(|_| Error::Backup { what: DATABASE })?,
        );
        if store.entry_count()? != entries {
            return Err(Error::Backup { what: DATABASE });
        }
        Keyring::load(medium, &self.vrk).map_err(|_| Error::Backup { what: keyring::FILE })?;
        Ok(())
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("writing the backup")(error))
        }
        _ => Ok(()),
    }
}
