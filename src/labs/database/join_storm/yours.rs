//! Yours: starts as slow does. Edit and save it; `chokepoint watch join-storm` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

use axum::extract::State;
use workshop::password;

use super::{JoinIn, Joined, guests, joined, rooms, rules};
use product::{api::state::AppState, input::Body};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Body(join): Body<JoinIn>,
) -> Joined {
    let guest = password::account(&db, &join.guest, &join.password).await?;
    for rule in rules::ALL {
        rule.demand(&rooms::named(&db, &join.room).await?, &join)?;
    }
    let room = rooms::named(&db, &join.room).await?;
    guests::enter(&db, guest.id, join).await?;
    joined(room)
}
