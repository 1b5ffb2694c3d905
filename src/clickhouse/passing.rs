//! Which failures pass by themselves: those of the connection, of the coordination and of time, never those of a
//! statement's meaning (pure).

use super::ClickHouseError;

/// Codes of failures that say nothing of the statement
/// (<https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.29-lts/src/Common/ErrorCodes.cpp>). With the coordination stopped, 25.8
/// answers an ALTER with 999 or 341, and from then on with 242; a replica that its peers are ahead of, with 517.
const PASSING: [i32; 12] = [
    159, // TIMEOUT_EXCEEDED
    202, // TOO_MANY_SIMULTANEOUS_QUERIES
    209, // SOCKET_TIMEOUT
    210, // NETWORK_ERROR
    225, // NO_ZOOKEEPER
    242, // TABLE_IS_READ_ONLY
    244, // UNEXPECTED_ZOOKEEPER_ERROR
    279, // ALL_CONNECTION_TRIES_FAILED
    341, // UNFINISHED: it is in the log of the replicas, and this one has lost its session before it was there
    473, // DEADLOCK_AVOIDED
    517, // CANNOT_ASSIGN_ALTER
    999, // KEEPER_EXCEPTION
];

impl ClickHouseError {
    /// Whether the same statement may well succeed a little later. Whether it has had its effect already, is not known then.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Unreachable(_) | Self::Timeout(_) => true,
            Self::Exception { code, .. } => PASSING.contains(code),
            Self::TooLong(_) | Self::Garbled(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_statement_says_never_passes() {
        let exception = |code| ClickHouseError::Exception { code, name: String::new(), message: String::new() };
        // SYNTAX_ERROR, UNKNOWN_TABLE, BAD_ARGUMENTS, TYPE_MISMATCH, ACCESS_DENIED, TABLE_NOT_EMPTY, MEMORY_LIMIT_EXCEEDED
        for code in [62, 60, 36, 53, 497, 705, 241] {
            assert!(!exception(code).passes(), "{code}");
        }
        assert!(PASSING.into_iter().all(|code| exception(code).passes()) && PASSING.is_sorted());
        assert!(ClickHouseError::Refused(String::new()).passes());
        assert!(!ClickHouseError::Garbled(String::new()).passes());
    }
}
