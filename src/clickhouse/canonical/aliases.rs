//! The other names of types (pure), from `system.data_type_families` of ClickHouse 25.8.

/// Names in capitals, and the type that each of them is.
const ALIASES: [(&str, &[&str]); 18] = [
    (
        "String",
        &[
            "BINARY LARGE OBJECT",
            "BINARY VARYING",
            "BLOB",
            "BYTEA",
            "CHAR",
            "CHAR LARGE OBJECT",
            "CHAR VARYING",
            "CHARACTER",
            "CHARACTER LARGE OBJECT",
            "CHARACTER VARYING",
            "CLOB",
            "GEOMETRY",
            "LONGBLOB",
            "LONGTEXT",
            "MEDIUMBLOB",
            "MEDIUMTEXT",
            "NATIONAL CHAR",
            "NATIONAL CHAR VARYING",
            "NATIONAL CHARACTER",
            "NATIONAL CHARACTER LARGE OBJECT",
            "NATIONAL CHARACTER VARYING",
            "NCHAR",
            "NCHAR LARGE OBJECT",
            "NCHAR VARYING",
            "NVARCHAR",
            "TEXT",
            "TINYBLOB",
            "TINYTEXT",
            "VARBINARY",
            "VARCHAR",
            "VARCHAR2",
        ],
    ),
    ("Int8", &["BYTE", "INT1", "INT1 SIGNED", "TINYINT", "TINYINT SIGNED"]),
    ("UInt8", &["INT1 UNSIGNED", "TINYINT UNSIGNED"]),
    ("Int16", &["SMALLINT", "SMALLINT SIGNED"]),
    ("UInt16", &["SMALLINT UNSIGNED", "YEAR"]),
    ("Int32", &["INT", "INT SIGNED", "INTEGER", "INTEGER SIGNED", "MEDIUMINT", "MEDIUMINT SIGNED"]),
    ("UInt32", &["INT UNSIGNED", "INTEGER UNSIGNED", "MEDIUMINT UNSIGNED"]),
    ("Int64", &["BIGINT", "BIGINT SIGNED", "SIGNED"]),
    ("UInt64", &["BIGINT UNSIGNED", "BIT", "SET", "UNSIGNED"]),
    ("Float32", &["FLOAT", "REAL", "SINGLE"]),
    ("Float64", &["DOUBLE", "DOUBLE PRECISION"]),
    ("Bool", &["BOOL", "BOOLEAN"]),
    ("Decimal", &["DEC", "DECIMAL", "FIXED", "NUMERIC"]),
    ("DateTime", &["DATETIME", "DATETIME32", "TIMESTAMP"]),
    ("IPv4", &["INET4"]),
    ("IPv6", &["INET6"]),
    ("FixedString", &["BINARY"]),
    ("Enum", &["ENUM"]),
];

/// Types whose own name may be written in any case.
const ANY_CASE: [&str; 10] =
    ["JSON", "Time", "Time64", "DateTime64", "Date", "Date32", "Decimal32", "Decimal64", "Decimal128", "Decimal256"];

/// The type that a name means: itself, where it is no other name.
pub(super) fn resolve(name: &str) -> String {
    let capitals = name.to_ascii_uppercase();
    let alias = ALIASES.iter().find(|(_, names)| names.contains(&capitals.as_str()));
    if let Some((kind, _)) = alias {
        return (*kind).to_owned();
    }
    let known = ANY_CASE.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.map_or_else(|| name.to_owned(), |known| (*known).to_owned())
}
