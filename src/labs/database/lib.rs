//! Labs of the database: queries, connections, indexes. In teaching order.

use workshop::Lab;

/// A password hash and nine reads of one row at each join of a room.
pub mod join_storm;
/// A look-up by lower(title) among 100,000 rows, with no index on it.
pub mod missing_index;
/// Author and comment count of each post, one query at a time.
pub mod n_plus_one;
/// A connection held while a password is hashed and another service asked.
pub mod pool_exhaustion;
/// A list of ids in the text of its query, so each length is another statement to prepare.
pub mod statement_churn;

pub static LABS: &[&Lab] = &[
    &n_plus_one::LAB,
    &pool_exhaustion::LAB,
    &join_storm::LAB,
    &missing_index::LAB,
    &statement_churn::LAB,
];
