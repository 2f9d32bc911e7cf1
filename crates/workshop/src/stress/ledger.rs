//! Acknowledged lines: ranges of line numbers by device. In the file, one range per line.

use std::{collections::BTreeMap, fmt::Write, ops::Range, path::Path};

#[derive(Default)]
pub struct Ledger {
    pub devices: BTreeMap<String, Vec<Range<u32>>>,
}

impl Ledger {
    pub fn add(&mut self, device: &str, lines: Range<u32>) {
        match self.devices.get_mut(device) {
            Some(ranges) => ranges.push(lines),
            None => drop(self.devices.insert(device.to_owned(), vec![lines])),
        }
    }

    /// Total of lines.
    pub fn lines(&self) -> u64 {
        self.devices.values().flatten().map(|lines| lines.len() as u64).sum()
    }

    pub fn write(&self, file: &Path) -> Result<(), String> {
        let mut text = String::new();
        for (device, ranges) in &self.devices {
            for Range { start, end } in ranges {
                // Writing to a String can't fail.
                let _ = writeln!(text, "{device} {start} {end}");
            }
        }
        std::fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))
    }

    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let mut ledger = Self::default();
        for (number, line) in text.lines().enumerate() {
            let (device, range) = parsed(line).ok_or_else(|| {
                format!("{}: line {} is not like `device 0 5`", file.display(), number + 1)
            })?;
            ledger.add(device, range);
        }
        Ok(ledger)
    }
}

fn parsed(line: &str) -> Option<(&str, Range<u32>)> {
    let mut words = line.split(' ');
    let device = words.next()?;
    let range = words.next()?.parse().ok()?..words.next()?.parse().ok()?;
    (!device.is_empty() && words.next().is_none()).then_some((device, range))
}
