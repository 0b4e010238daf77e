//! Of the rows under one key, which match?
//!
//! Only rows that are not yet in one component are compared, so a campaign of m letters costs about m comparisons and not m². Before two texts are
//! read, their sizes and bitmaps say whether they can match at all; then their sets are intersected.
//!
//! Where many rows share a key and hardly any match (letters of one template just under the threshold), comparing all of them would be quadratic. Then the rows under the key
//! are joined as if they were the corpus: by their rarest shingles, counted among them alone.

use super::counts::Counts;
use super::crew::Stop;
use super::entries::{asks, key_of, row_of, Entry};
use super::measure::{shared, Bitmap, Measure, Rule, WORDS};
use super::sets::{Kept, Sets};
use super::union::Forest;

/// What is known of every row.
pub struct Rows<'a, const W: usize = WORDS> {
    /// Sizes of the sets.
    pub sizes: &'a [u32],
    /// Their bitmaps.
    pub bitmaps: &'a [Bitmap<W>],
    /// For each row the one that stands for all with the same words.
    pub carriers: &'a [u32],
    /// The components found so far.
    pub forest: &'a Forest,
    /// Which pairs match.
    pub rule: Rule,
    /// Sets that were kept.
    pub kept: &'a Kept,
    /// Whether to stop.
    pub stop: &'a Stop,
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// Entries whose key somebody else may have.
    pub entries: u64,
    /// Pairs whose bitmaps were compared.
    pub candidates: u64,
    /// Pairs whose sets were intersected.
    pub verified: u64,
    /// Pairs that joined two components.
    pub joined: u64,
}

impl Work {
    /// Adds another's work.
    pub fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.candidates += other.candidates;
        self.verified += other.verified;
        self.joined += other.joined;
    }
}

/// Compares what one thread finds under keys.
pub struct Matcher<'a, 's, S: Sets, const W: usize = WORDS> {
    rows: &'a Rows<'a, W>,
    sets: &'s mut S,
    /// Counters of the work done.
    pub work: Work,
    crowd: Vec<Member>,
    queue: Vec<(u32, bool)>,
    newly: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    root: u32,
    row: u32,
    asks: bool,
}

/// Comparisons in vain, for each row under a key, before its rows are joined by their rarest shingles.
const IN_VAIN: u64 = 64;

impl<'a, 's, S: Sets, const W: usize> Matcher<'a, 's, S, W> {
    /// A matcher that reads sets through `sets`.
    pub fn new(rows: &'a Rows<'a, W>, sets: &'s mut S) -> Self {
        let (crowd, queue, newly) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            rows,
            sets,
            work: Work::default(),
            crowd,
            queue,
            newly,
        }
    }

    /// Joins whatever matches under the keys of a part. Entries are sorted.
    pub fn part(&mut self, entries: &[Entry]) {
        self.work.entries += entries.len() as u64;
        for bucket in entries.chunk_by(|a, b| key_of(*a) == key_of(*b)) {
            match bucket {
                [_] => {}
                [a, b] => self.two(*a, *b),
                _ => {
                    let members = bucket.iter().map(|entry| (row_of(*entry), asks(*entry)));
                    // In exact mode few ask where little is shared; under a band's key everybody does.
                    let all = bucket.iter().all(|entry| asks(*entry));
                    self.many(members, all.then_some(IN_VAIN * bucket.len() as u64));
                }
            }
            if self.rows.stop.is_set() {
                return;
            }
        }
    }

    fn two(&mut self, a: Entry, b: Entry) {
        let (x, y) = (row_of(a), row_of(b));
        let forest = self.rows.forest;
        // Copies are in one component from the start.
        if (asks(a) || asks(b)) && x != y && forest.find(x) != forest.find(y) {
            self.compare(x, y);
        }
    }

    /// Joins what matches among rows, of which some ask. `patience`: comparisons in vain before another way is tried.
    fn many(&mut self, members: impl Iterator<Item = (u32, bool)>, patience: Option<u64>) {
        let (rows, forest) = (self.rows, self.rows.forest);
        let mut crowd = std::mem::take(&mut self.crowd);
        crowd.clear();
        // Copies have the same entries: one stands for all.
        let carrier = |(row, _): &(u32, bool)| rows.carriers[*row as usize] == *row;
        crowd.extend(members.filter(carrier).map(|(row, asks)| Member {
            root: forest.find(row),
            row,
            asks,
        }));
        crowd.sort_unstable();
        let before = self.work;
        while let Some(last) = crowd.last().copied() {
            if crowd.first().is_some_and(|member| member.root == last.root) {
                break;
            }
            // The last component asks all others; whatever joins it asks in its turn those that are left.
            let start = crowd.partition_point(|member| member.root < last.root);
            self.queue.clear();
            self.queue
                .extend(crowd.drain(start..).map(|member| (member.row, member.asks)));
            while let Some((row, asks)) = self.queue.pop() {
                self.ask(row, asks, &mut crowd);
                let in_vain = self.work.candidates - before.candidates;
                if patience.is_some_and(|patience| in_vain > patience) {
                    let left = crowd.iter().map(|member| member.row);
                    let left: Vec<u32> =
                        left.chain(self.queue.iter().map(|(row, _)| *row)).collect();
                    self.rarely(&left);
                    self.queue.clear();
                    crowd.clear();
                }
                if rows.stop.is_set() {
                    return;
                }
            }
        }
        self.crowd = crowd;
    }

    /// Joins what matches among rows by their shingles that are rarest among these rows.
    fn rarely(&mut self, rows: &[u32]) {
        let mut counts = Counts::default();
        for row in rows {
            let add = |set: &[u64]| set.iter().for_each(|shingle| counts.add(*shingle, 1));
            self.sets.one(*row, add);
        }
        let rule = self.rows.rule;
        let mut entries: Vec<(u64, u32, bool)> = Vec::new();
        let mut order: Vec<(u32, u64)> = Vec::new();
        for row in rows {
            self.sets.one(*row, |set| {
                order.clear();
                order.extend(set.iter().map(|shingle| (counts.of(*shingle), *shingle)));
                order.sort_unstable();
                let (asking, prefix) =
                    (rule.asking(set.len() as u32), rule.prefix(set.len() as u32));
                let answering = match rule.measure {
                    Measure::Jaccard => prefix as usize,
                    Measure::Containment => set.len(),
                };
                let some = (0..).zip(order.iter().take(answering));
                let shared = some.filter(|(_, (count, _))| *count > 1);
                entries.extend(shared.map(|(at, (_, shingle))| (*shingle, *row, at < asking)));
            });
        }
        drop((counts, order));
        entries.sort_unstable();
        for bucket in entries.chunk_by(|a, b| a.0 == b.0) {
            let asked = bucket.iter().any(|(_, _, asks)| *asks);
            if bucket.len() > 1 && asked && !self.rows.stop.is_set() {
                self.many(bucket.iter().map(|(_, row, asks)| (*row, *asks)), None);
            }
        }
    }

    /// Compares a row with all others in the crowd; those whose component joins move to the queue.
    fn ask(&mut self, row: u32, asks: bool, crowd: &mut Vec<Member>) {
        self.newly.clear();
        for member in crowd.iter() {
            let known = self.newly.last() == Some(&member.root);
            if !known && (asks || member.asks) && member.row != row && self.compare(row, member.row)
            {
                self.newly.push(member.root);
            }
        }
        if !self.newly.is_empty() {
            // Both are sorted by root.
            let (queue, mut newly) = (&mut self.queue, self.newly.iter().peekable());
            crowd.retain(|member| {
                while newly.next_if(|root| **root < member.root).is_some() {}
                let joins = newly.peek() == Some(&&member.root);
                if joins {
                    queue.push((member.row, member.asks));
                }
                !joins
            });
        }
    }

    fn compare(&mut self, a: u32, b: u32) -> bool {
        let rows = self.rows;
        let (i, j) = (a as usize, b as usize);
        let (m, n) = (rows.sizes[i], rows.sizes[j]);
        self.work.candidates += 1;
        let most = rows
            .rule
            .most_shared(&rows.bitmaps[i], &rows.bitmaps[j], m, n);
        if !rows.rule.may_match(most, m, n) {
            return false;
        }
        self.work.verified += 1;
        let common = self.sets.pair(a, b, shared);
        let matches = rows.rule.matches(common, m, n);
        if matches {
            self.work.joined += u64::from(rows.forest.join(a, b));
        }
        matches
    }
}
