//! Lines on their way to the database: JSON that a single statement takes apart, so that a group of
//! any size is one bound value; and the numbers to add to the counters.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::entity::log_lines::Level;

/// New lines of one device, by level in ascending order.
pub type Counts = [u64; Level::ALL.len()];

/// Numbers that a group adds to each device, in the order of names: two instances that write at
/// once on PostgreSQL lock rows in the same order, so they cannot deadlock.
pub type Devices = BTreeMap<String, Counts>;

/// Lines of one request. `json` holds them with commas between, without brackets, so that lines of
/// many requests are joined by copying.
#[derive(Default)]
pub struct Lines {
    pub json: Vec<u8>,
    pub count: u32,
    /// One entry for each run of lines of the same device.
    pub devices: Vec<(String, Counts)>,
}

/// A line as JSON. The names are short because every line carries them to the database.
#[derive(Serialize)]
struct Row<'a> {
    d: &'a str,
    l: i16,
    m: &'a str,
    x: Option<&'a str>,
}

impl Lines {
    pub fn push(&mut self, device_id: &str, level: Level, message: &str, data: Option<&str>) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        let row = Row { d: device_id, l: level.number(), m: message, x: data };
        // Writing text to memory can't fail.
        let _ = serde_json::to_writer(&mut self.json, &row);
        self.count += 1;
        match self.devices.last_mut() {
            Some((device, counts)) if device == device_id => counts[level as usize] += 1,
            _ => {
                let mut counts = Counts::default();
                counts[level as usize] = 1;
                self.devices.push((device_id.to_owned(), counts));
            }
        }
    }
}
