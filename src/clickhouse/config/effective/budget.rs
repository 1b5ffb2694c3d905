//! How much a configuration may hold and cost before it is refused (pure).

/// More text than any `users.xml` with thousands of users has.
pub(super) const MAX_BYTES: usize = 16 << 20;
/// More nesting than any configuration has; the merge and the includes recurse.
pub(super) const MAX_DEPTH: usize = 200;
/// Nodes of one file.
pub(super) const MAX_NODES: usize = 1_000_000;
/// Nodes that a merge and its includes may look at or copy: a hundred times what large configurations need.
const MAX_STEPS: usize = 10_000_000;

/// A configuration is more than is read.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum TooMuch {
    /// Its text.
    #[error("it is larger than {} MiB", MAX_BYTES >> 20)]
    Bytes,
    /// Its depth.
    #[error("its elements are nested deeper than {MAX_DEPTH}")]
    Depth,
    /// Its elements.
    #[error("it has more than {MAX_NODES} elements and texts")]
    Nodes,
    /// What merging it costs.
    #[error("its includes and repeated elements make too much work")]
    Steps,
}

/// What is left of the work that one merge may do.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_STEPS)
    }
}

impl Budget {
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), TooMuch> {
        self.0 = self.0.checked_sub(steps).ok_or(TooMuch::Steps)?;
        Ok(())
    }
}

/// Checks a depth.
pub(super) fn deep(depth: usize) -> Result<(), TooMuch> {
    if depth > MAX_DEPTH { Err(TooMuch::Depth) } else { Ok(()) }
}
