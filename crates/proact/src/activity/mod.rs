//! The protocol types.
