//! Finds a lab by the id that somebody typed, and suggests the nearest one if there is none.

use crate::lab::{Labs, LoadedLab};

/// Least similarity of a suggestion, from 0 to 1; the one that clap uses for its own.
const SIMILAR: f64 = 0.7;

impl Labs {
    /// Lab with this id. The error suggests the nearest id, or lists all if none is near.
    pub fn named(&self, id: &str) -> Result<&LoadedLab, String> {
        let ids = || self.all().iter().map(|loaded| loaded.lab.id);
        self.get(id).ok_or_else(|| match nearest(id, ids()) {
            Some(near) => format!("there is no lab {id:?}; did you mean {near}?"),
            None => {
                let known = ids().collect::<Vec<_>>().join(", ");
                format!("there is no lab {id:?}; there are {known}")
            }
        })
    }
}

/// The most similar of the known words, if it is similar enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let similarity = |known| (strsim::jaro(word, known), known);
    let near = known.map(similarity).filter(|(similar, _)| *similar > SIMILAR);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_id_is_suggested_and_a_far_one_is_not() {
        let near =
            |word| nearest(word, ["n-plus-one", "blocking-n-plus-one", "hidden"].into_iter());
        assert_eq!(near("n-plus-on"), Some("n-plus-one"));
        assert_eq!(near("n_plus_one"), Some("n-plus-one"));
        assert_eq!(near("blocking-n+1"), Some("blocking-n-plus-one"));
        assert_eq!(near("xyz"), None);
    }
}
