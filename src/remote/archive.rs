//! The wire format of files: a tar archive (pure).

use std::io::{self, Read};

use bytes::Bytes;

use super::{FileWrite, RemotePath};

/// One member of an archive that a host sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is on the host.
    pub path: RemotePath,
    /// Owning user's name; the number as text where the host knows no name.
    pub owner: String,
    /// Owning group's name; the number as text where the host knows no name.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
    /// File with content, directory, or something else.
    pub kind: EntryKind,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file with its whole content.
    File(Bytes),
    /// A directory.
    Directory,
    /// A link, device, socket or pipe.
    Other,
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the host's archive cannot be read")]
pub struct ArchiveError(#[from] io::Error);

/// Reads an archive whose member names are paths below `/`.
///
/// # Errors
/// Refuses a truncated archive and names that are not paths; a control character in a name becomes `\u{fffd}`, which no
/// path that we ask for holds.
pub fn unpack(archive: &[u8]) -> Result<Vec<Entry>, ArchiveError> {
    let mut entries = Vec::new();
    for member in tar::Archive::new(archive).entries()? {
        let mut member = member?;
        let name = String::from_utf8_lossy(&member.path_bytes()).replace(char::is_control, "\u{fffd}");
        let path = RemotePath::new(format!("/{}", name.trim_matches('/')))
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let header = member.header();
        let (mode, size) = (header.mode()? & 0o7777, header.size()?);
        let owner = header.username().ok().flatten().filter(|name| !name.is_empty()).map(str::to_owned);
        let group = header.groupname().ok().flatten().filter(|name| !name.is_empty()).map(str::to_owned);
        let owner = match owner {
            Some(owner) => owner,
            None => header.uid()?.to_string(),
        };
        let group = match group {
            Some(group) => group,
            None => header.gid()?.to_string(),
        };
        let kind = match header.entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(archive.len()));
                member.read_to_end(&mut content)?;
                if content.len() as u64 != size {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                EntryKind::File(content.into())
            }
            tar::EntryType::Directory => EntryKind::Directory,
            _ => EntryKind::Other,
        };
        entries.push(Entry { path, owner, group, mode, kind });
    }
    Ok(entries)
}

/// Packs files under the names that `name_of` gives (relative to `/`), with owner, group and mode in the headers.
///
/// # Errors
/// Fails only for names that tar cannot hold.
pub fn pack<'a>(
    files: impl IntoIterator<Item = &'a FileWrite>,
    name_of: impl Fn(&RemotePath) -> String,
) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let content = file.content.expose();
        let mut header = header(&file.owner, &file.group, file.mode, tar::EntryType::Regular)?;
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name_of(&file.path).trim_start_matches('/'), content.as_ref())?;
    }
    Ok(archive.into_inner()?)
}

/// Packs entries as a host does: the reverse of [`unpack`].
///
/// # Errors
/// Fails only for names that tar cannot hold.
pub fn pack_entries(entries: &[Entry]) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let (kind, content): (_, &[u8]) = match &entry.kind {
            EntryKind::File(content) => (tar::EntryType::Regular, content),
            EntryKind::Directory => (tar::EntryType::Directory, &[]),
            EntryKind::Other => (tar::EntryType::Fifo, &[]),
        };
        let mut header = header(&entry.owner, &entry.group, entry.mode, kind)?;
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, entry.path.as_str().trim_start_matches('/'), content)?;
    }
    Ok(archive.into_inner()?)
}

/// A header that says owner and group by name.
fn header(owner: &str, group: &str, mode: u32, kind: tar::EntryType) -> Result<tar::Header, io::Error> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    // A name that is a number is one: `tar` looks names up and falls back to these.
    header.set_uid(owner.parse().unwrap_or(0));
    header.set_gid(group.parse().unwrap_or(0));
    header.set_mtime(0);
    header.set_username(owner)?;
    header.set_groupname(group)?;
    header.set_entry_type(kind);
    Ok(header)
}
