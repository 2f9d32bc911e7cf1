//! Slow: asks for the password, and then each rule for the room as it is now.

use axum::extract::State;
use workshop::password;

use super::{JoinIn, Joined, guests, joined, rooms, rules};
use product::{api::state::AppState, input::Body};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Body(join): Body<JoinIn>,
) -> Joined {
    // BOTTLENECK: each join hashes a password and reads the room once a rule, so 50 guests at once
    // wait for 50 hashes and 500 reads.
    let guest = password::account(&db, &join.guest, &join.password).await?;
    for rule in rules::ALL {
        rule.demand(&rooms::named(&db, &join.room).await?, &join)?;
    }
    let room = rooms::named(&db, &join.room).await?;
    guests::enter(&db, guest.id, join).await?;
    joined(room)
}
