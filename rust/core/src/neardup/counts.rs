//! How often does each shingle come?
//!
//! Open addressing, since shingles are hashes already; nothing depends on the order of slots.

/// A count for each shingle.
#[derive(Default)]
pub struct Counts {
    /// Shingle and count; a count of 0 is a free slot.
    slots: Vec<(u64, u32)>,
    used: usize,
}

const FEW_SLOTS: usize = 1 << 10;

impl Counts {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.slots.resize(FEW_SLOTS, (0, 0));
        self.used = 0;
    }

    /// Different shingles.
    #[must_use]
    pub fn different(&self) -> usize {
        self.used
    }

    fn slot(&self, shingle: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (shingle >> 7) as usize & mask;
        while self.slots[at].1 != 0 && self.slots[at].0 != shingle {
            at = (at + 1) & mask;
        }
        at
    }

    /// Adds `copies`, at least one, to a shingle's count.
    pub fn add(&mut self, shingle: u64, copies: u32) {
        if self.slots.is_empty() {
            self.clear();
        }
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let at = self.slot(shingle);
        self.used += usize::from(self.slots[at].1 == 0);
        self.slots[at] = (shingle, self.slots[at].1 + copies);
    }

    fn grow(&mut self) {
        let larger = vec![(0, 0); self.slots.len() * 2];
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot.1 > 0 {
                let at = self.slot(slot.0);
                self.slots[at] = slot;
            }
        }
    }

    /// The count of a shingle.
    #[must_use]
    pub fn of(&self, shingle: u64) -> u32 {
        if self.slots.is_empty() {
            return 0;
        }
        self.slots[self.slot(shingle)].1
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn counts_are_kept_while_the_table_grows() {
        let mut counts = Counts::default();
        assert_eq!(counts.of(5), 0);
        for i in 0..5000u64 {
            counts.add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15), (i % 7) as u32 + 1);
            counts.add((i / 2).wrapping_mul(0x9e37_79b9_7f4a_7c15), 1);
        }
        for i in 0..5000u64 {
            let twice = if i < 2500 { 2 } else { 0 };
            let count = counts.of(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert_eq!(count, (i % 7) as u32 + 1 + twice);
        }
        counts.clear();
        assert_eq!(counts.of(0), 0);
    }
}
