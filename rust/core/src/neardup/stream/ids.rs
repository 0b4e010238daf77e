//! Which of two ids comes first, where ids do not fit into memory?
//!
//! The order of ids names groups and decides between equals. Only ids of one group are compared, so no rank of all ids is needed: they are read when a group
//! is looked at, and of copies only the smallest is held.

use std::cmp::Ordering;

use super::super::groups::Distinct;
use super::super::join::Group;

/// Ids by row, in an order of their own.
pub trait Ids: Sync {
    /// Looks at the id of a row.
    fn with<R>(&self, row: u32, scratch: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> R) -> R;
    /// Whether all ids are whole numbers, which then compare as such.
    fn numbers(&self) -> bool;
}

/// Compares two ids: whole numbers in canonical spelling by value, others by code points.
#[must_use]
pub fn compare_ids(a: &[u8], b: &[u8], numbers: bool) -> Ordering {
    if !numbers {
        return a.cmp(b);
    }
    match (a.first() == Some(&b'-'), b.first() == Some(&b'-')) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (true, true) => b.len().cmp(&a.len()).then_with(|| b.cmp(a)),
    }
}

/// Whether an id is a whole number as it is spelled without need for anything more: no `+`, no leading zero, no `-0`.
#[must_use]
pub fn is_number(id: &[u8]) -> bool {
    let digits = id.strip_prefix(b"-").unwrap_or(id);
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain && (digits[0] != b'0' || id.len() == 1)
}

/// The order of ids, read as they are needed: of a group's copies only the smallest is held.
pub(super) struct Order<'a, I: Ids> {
    ids: &'a I,
    scratch: Vec<u8>,
    least: Vec<u8>,
}

impl<'a, I: Ids> Order<'a, I> {
    pub(super) fn new(ids: &'a I) -> Self {
        Self {
            ids,
            scratch: Vec::new(),
            least: Vec::new(),
        }
    }

    /// The row with the smallest id, which is then in `least`.
    pub(super) fn smallest(&mut self, rows: impl Iterator<Item = u32>) -> u32 {
        let mut best = None;
        for row in rows {
            let (least, numbers) = (&mut self.least, self.ids.numbers());
            let less = self.ids.with(row, &mut self.scratch, |id| {
                let less = best.is_none() || compare_ids(id, least, numbers).is_lt();
                if less {
                    least.clear();
                    least.extend_from_slice(id);
                }
                less
            });
            if less {
                best = Some(row);
            }
        }
        best.unwrap_or_default()
    }

    /// Ranks texts by their smallest ids; the row of the smallest of all.
    pub(super) fn rank(&mut self, texts: &mut [Distinct]) -> u32 {
        // One behind the other, not each in a place of its own: a group may hold most of all texts.
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(texts.len()));
        for text in texts.iter() {
            let keep = |id: &[u8]| bytes.extend_from_slice(id);
            self.ids.with(text.smallest, &mut self.scratch, keep);
            ends.push(bytes.len());
        }
        let id = |i: u32| {
            let end = |i: u32| ends.get(i as usize).copied().unwrap_or_default();
            let start = i.checked_sub(1).map_or(0, end);
            bytes.get(start..end(i)).unwrap_or_default()
        };
        let numbers = self.ids.numbers();
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        order.sort_unstable_by(|a, b| compare_ids(id(*a), id(*b), numbers).then(a.cmp(b)));
        for (rank, i) in (0..).zip(&order) {
            texts[*i as usize].rank = rank;
        }
        order.first().map_or(0, |i| texts[*i as usize].smallest)
    }
}

/// The largest `count` groups, the largest first, then by id. One reading of an id for each group that is no smaller than those found before it.
pub fn largest<I: Ids>(groups: &[Group], ids: &I, count: usize) -> Vec<Group> {
    let (mut best, mut scratch) = (Vec::<(Vec<u8>, Group)>::new(), Vec::new());
    let numbers = ids.numbers();
    for group in groups {
        let full = best.len() == count;
        if full && best.last().is_none_or(|(_, last)| group.size < last.size) {
            continue;
        }
        let id = ids.with(group.name, &mut scratch, <[u8]>::to_vec);
        let place = best.partition_point(|(name, other)| {
            let by_size = group.size.cmp(&other.size);
            by_size
                .then_with(|| compare_ids(name, &id, numbers))
                .is_lt()
        });
        if place < count {
            best.insert(place, (id, *group));
            best.truncate(count);
        }
    }
    best.into_iter().map(|(_, group)| group).collect()
}
