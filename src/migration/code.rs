//! The codes of the migrations' problems (pure).

/// A file that is not called `NNNN_name.sql`.
pub const FILE_NAME: &str = "HW0460";
/// A header that is missing, or has a part that nobody knows.
pub const HEADER: &str = "HW0461";
/// Two files of a role with one number.
pub const TWICE: &str = "HW0462";
/// A statement about what the role's schema says.
pub const STATE: &str = "HW0463";
/// A statement that has no place in a migration.
pub const NO_PLACE: &str = "HW0464";
/// A file without a statement.
pub const EMPTY: &str = "HW0465";
/// Migrations on a role whose hosts cannot run them so.
pub const NO_SUCH_SCOPE: &str = "HW0466";
