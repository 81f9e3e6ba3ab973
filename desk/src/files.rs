//! Files of a desk, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::{Error, Result};

/// Writes a file beside its place, makes it durable, and moves it there; only its owner may read it.
///
/// # Errors
/// [`Error::Io`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(Error::io("writing a file"))?;
    file.write_all(bytes).map_err(Error::io("writing a file"))?;
    file.sync_all().map_err(Error::io("writing a file"))?;
    fs::rename(&beside, path).map_err(Error::io("moving a file to its place"))?;
    if let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io("syncing a folder"))?;
    }
    Ok(())
}

/// Makes a folder that only its owner may enter.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::io("making a folder"))?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .map_err(Error::io("making a folder"))?;
    Ok(())
}
