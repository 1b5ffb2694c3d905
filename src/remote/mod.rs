//! What can be asked of a host, as data: paths, commands, batches and what comes back (pure).
//!
//! A batch is one remote process and one round trip. No text in here is ever shell: only
//! `transport::shell` quotes.

mod archive;
mod command;
mod output;
mod path;

pub use archive::{ArchiveError, Entry, EntryKind, pack, pack_entries, unpack};
pub use command::{Batch, Command, DirectoryWrite, Expect, Expected, FileWrite, TreeRead, UnitAction, WriteSet};
pub use output::{Output, Status};
pub use path::{RemotePath, RemotePathError, UnitName};
