//! Canonical bytes, labelled hashes, Merkle root, seed to index and tickets, bundle checks.
