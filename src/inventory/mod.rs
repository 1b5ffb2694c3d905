//! What the operator wrote about hosts: documents with spans, groups, variables, patterns (pure; `load` reads the disk).
