//! House rules. Each looks at the room and at whoever wants to join it.

use product::error::Error;

use super::{JoinIn, rooms::Model as Room};

/// A rule, and the words of its refusal.
pub struct Rule {
    holds: fn(&Room, &JoinIn) -> bool,
    refusal: &'static str,
}

/// All rules, in the order in which guests hear of them.
pub const ALL: [Rule; 8] = [
    Rule { holds: |room, _| room.is_open, refusal: "the room is closed" },
    Rule { holds: |room, _| room.is_for_guests, refusal: "the room is for members" },
    Rule {
        holds: |room, join| room.language == join.language,
        refusal: "another language is spoken in this room",
    },
    Rule {
        holds: |room, join| i64::try_from(join.age).is_ok_and(|age| age >= room.least_age),
        refusal: "the room is for older guests",
    },
    Rule {
        holds: |room, join| {
            let characters = i64::try_from(join.nickname.chars().count());
            characters.is_ok_and(|characters| characters <= room.longest_nickname)
        },
        refusal: "the nickname is too long for this room",
    },
    Rule { holds: |room, join| join.nickname != room.host, refusal: "this is the host's name" },
    Rule {
        holds: |room, join| join.nickname != room.banned_nickname,
        refusal: "this nickname is banned here",
    },
    Rule {
        holds: |room, join| i64::try_from(join.level).is_ok_and(|level| level >= room.least_level),
        refusal: "the room is for higher levels",
    },
];

impl Rule {
    pub fn demand(&self, room: &Room, join: &JoinIn) -> Result<(), Error> {
        if (self.holds)(room, join) { Ok(()) } else { Err(Error::Forbidden(self.refusal)) }
    }
}
