//! Backups of the database while it is in use, and restores. A backup is complete or absent: it is
//! written beside its place, flushed to disk, and then named.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::config::DatabaseConfig;

/// Backups by pg_dump and pg_restore.
mod postgres;
/// Backups by SQLite's own VACUUM INTO.
mod sqlite;

/// First bytes of each kind of file.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const POSTGRES_MAGIC: &[u8] = b"PGDMP";

/// Copies the database into a new file; returns the file's length in bytes.
pub async fn backup(config: &DatabaseConfig, file: &Path) -> Result<u64, String> {
    demand_absent(file)?;
    let unfinished = Unfinished::beside(file)?;
    match config.file() {
        Some(database) => sqlite::copy(&database, &unfinished.0).await?,
        None => postgres::dump(config.url(), &unfinished.0)?,
    }
    unfinished.named(file)
}

/// Restores the database from a backup. It must not exist yet, or be empty on PostgreSQL.
pub async fn restore(config: &DatabaseConfig, file: &Path) -> Result<(), String> {
    let kind = begins_with(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let is = |magic: &[u8]| kind.starts_with(magic);
    match config.file() {
        Some(_) if is(POSTGRES_MAGIC) => Err(format!(
            "{} is of PostgreSQL, and DATABASE_URL names an SQLite file",
            file.display()
        )),
        None if is(SQLITE_MAGIC) => {
            Err(format!("{} is of SQLite, and DATABASE_URL names a PostgreSQL", file.display()))
        }
        Some(database) if is(SQLITE_MAGIC) => {
            // Files left over from another database would be read as part of this one.
            for suffix in ["", "-wal", "-shm", "-journal"] {
                demand_absent(&with_suffix(&database, suffix))?;
            }
            sqlite::check(file).await?;
            let unfinished = Unfinished::beside(&database)?;
            fs::copy(file, &unfinished.0).map_err(|e| format!("{}: {e}", file.display()))?;
            sqlite::check(&unfinished.0).await?;
            unfinished.named(&database).map(|_| ())
        }
        None if is(POSTGRES_MAGIC) => postgres::restore(config.url(), file).await,
        _ => Err(format!("{} is no backup of a database", file.display())),
    }
}

fn demand_absent(file: &Path) -> Result<(), String> {
    match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{}: {error}", file.display())),
        Ok(_) => Err(format!("{} exists; move it away first", file.display())),
    }
}

fn begins_with(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(SQLITE_MAGIC.len() as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file that is being written. It is deleted if it is not finished.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Path in the same folder as `file`, so that naming it needs no copy.
    fn beside(file: &Path) -> Result<Self, String> {
        let folder = folder_of(file);
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let unfinished = with_suffix(file, &format!(".{}.part", std::process::id()));
        demand_absent(&unfinished)?;
        Ok(Self(unfinished))
    }

    /// Flushes the file and names it, unless the name is taken by now. Returns its length in bytes.
    fn named(self, file: &Path) -> Result<u64, String> {
        let named = || {
            let copy = File::open(&self.0)?;
            copy.sync_all()?;
            fs::hard_link(&self.0, file)?;
            File::open(folder_of(file))?.sync_all()?;
            Ok(copy.metadata()?.len())
        };
        named().map_err(|e: io::Error| format!("{}: {e}", file.display()))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The file does not exist if nothing was written.
        let _ = fs::remove_file(&self.0);
    }
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
