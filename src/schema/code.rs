//! The codes of the schema's problems and notes (pure).

/// Something else than a CREATE.
pub const NO_CREATE: &str = "HW0402";
/// `ON CLUSTER`.
pub const ON_CLUSTER: &str = "HW0403";
/// `CREATE OR REPLACE TABLE`.
pub const OR_REPLACE: &str = "HW0404";
/// Two objects of one name in a role.
pub const TWICE: &str = "HW0405";
/// Objects that wait for each other.
pub const CYCLE: &str = "HW0406";
/// A role has a schema and no host (note).
pub const NO_HOST: &str = "HW0407";
/// A statement that ClickHouse cannot read.
pub const UNREADABLE: &str = "HW0409";
/// An engine that keeps rows, on a role that keeps nothing.
pub const STORAGE_ON_STATELESS: &str = "HW0410";
/// A queue's consumer on a role that stores data (note).
pub const QUEUE_ON_STORAGE: &str = "HW0411";
/// A schema on a role whose hosts run no ClickHouse.
pub const SCHEMA_ON_KEEPER: &str = "HW0412";
/// A materialized view keeps its rows in a table that has no name of its own (note).
pub const HIDDEN_TABLE: &str = "HW0413";
/// A codec where no rows are kept (note).
pub const CODEC_ON_PROXY: &str = "HW0414";
/// Distributed over a cluster that the fleet does not have.
pub const NO_CLUSTER: &str = "HW0420";
/// Hosts of the cluster do not have the remote table.
pub const NO_REMOTE_TABLE: &str = "HW0421";
/// Distributed over several shards without a sharding key.
pub const NO_SHARDING_KEY: &str = "HW0422";
/// Rows are spread over shards of a table that every host has in full (note).
pub const SPREAD_OVER_COPIES: &str = "HW0423";
/// One part of a table is taken for a full copy of it (note).
pub const PARTS_AS_COPIES: &str = "HW0424";
/// A column that the remote table does not have.
pub const NO_REMOTE_COLUMN: &str = "HW0425";
/// Rows that are committed and not sent yet are lost with a stateless host (note).
pub const ASYNCHRONOUS_INSERTS: &str = "HW0426";
/// A column that has another type in the remote table (note).
pub const CONVERTED_COLUMN: &str = "HW0427";
/// A view reads from what its hosts do not have.
pub const NO_SOURCE: &str = "HW0430";
/// A view writes to what its hosts do not have.
pub const NO_TARGET: &str = "HW0431";
/// A Keeper path without the shard, on several shards (note).
pub const PATH_WITHOUT_SHARD: &str = "HW0440";
/// Two hosts would be the same replica.
pub const SAME_REPLICA: &str = "HW0441";
/// Two tables share a Keeper path.
pub const SAME_PATH: &str = "HW0442";
/// A secret written into the statement.
pub const LITERAL_SECRET: &str = "HW0408";
/// Brokers written into the statement (note).
pub const LITERAL_BROKERS: &str = "HW0450";
/// Several consumers share one thread (note).
pub const ONE_THREAD: &str = "HW0451";
/// A named collection that the hosts do not have.
pub const NO_COLLECTION: &str = "HW0452";
/// A named collection that nothing tells about (note).
pub const UNKNOWN_COLLECTION: &str = "HW0453";
/// Two tables read one topic as one consumer group (note).
pub const SAME_GROUP: &str = "HW0454";
/// More consumers than partitions (note).
pub const IDLE_CONSUMERS: &str = "HW0455";
/// More consumers than cores.
pub const CONSUMERS_OVER_CORES: &str = "HW0456";
/// A pool of threads that is smaller than the consumers (note).
pub const SMALL_POOL: &str = "HW0457";

/// Whether a problem says that an object is not there: nobody knows while a statement cannot be read.
#[must_use]
pub fn misses_an_object(code: &str) -> bool {
    [NO_REMOTE_TABLE, NO_REMOTE_COLUMN, NO_SOURCE, NO_TARGET].contains(&code)
}
