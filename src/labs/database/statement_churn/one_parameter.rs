//! The condition that an id is in a list, with the whole list in one parameter.

use sea_orm::{
    ConnectionTrait, DbBackend,
    sea_query::{Expr, SimpleExpr},
};

/// The array is taken apart by the database: PostgreSQL could take `= ANY` of its own arrays as well.
pub fn is_in(db: &impl ConnectionTrait, ids: &[i32]) -> SimpleExpr {
    // Integers and commas are JSON as they are.
    let array = format!("{ids:?}");
    match db.get_database_backend() {
        DbBackend::Postgres => Expr::cust_with_values(
            "id IN (SELECT CAST(value AS INTEGER) FROM json_array_elements_text(CAST($1 AS JSON)))",
            [array],
        ),
        _ => Expr::cust_with_values("id IN (SELECT value FROM json_each(?))", [array]),
    }
}
