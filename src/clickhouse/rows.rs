//! The rows that a statement answered (pure).

use serde_json::Value;

/// A small result set, whole in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Column names in order.
    pub columns: Vec<String>,
    /// One value per column and row, as ClickHouse's `JSONCompact` writes it (64-bit integers as numbers).
    pub rows: Vec<Vec<Value>>,
}

impl Rows {
    /// The text of a cell; numbers as their digits, NULL and a missing column as nothing.
    #[must_use]
    pub fn text(&self, row: usize, column: &str) -> Option<String> {
        match self.cell(row, column)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The number in a cell, also where ClickHouse quoted it.
    #[must_use]
    pub fn number(&self, row: usize, column: &str) -> Option<u64> {
        match self.cell(row, column)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn cell(&self, row: usize, column: &str) -> Option<&Value> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.rows.get(row)?.get(index)
    }
}
