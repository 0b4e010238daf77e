//! How can a lottery become more random without anybody's probability changing at all?
//!
//! The lottery's balls are taken in packets of equal size. Two packets exchange one seat, or two, where both panels keep every quota afterwards: what one
//! panel loses the other one gains, so that each type's total over all balls stays the same to the last ball. Exchanges at random, each
//! as likely as the one that takes it back, end up with every reachable arrangement of people equally likely; and of such arrangements nearly all
//! have an entropy near the largest that the probabilities allow (maximum entropy as most ways: Jaynes, Physical Review 1957; exchanges that keep
//! margins: Besag and Clifford, Biometrika 1989).
//!
//! Guarantees: margins exactly kept, every panel within the quotas, the same result for the same stream. Not guaranteed: that every arrangement can be
//! reached; where quotas are exact, few exchanges are possible. O(features) a step. One thread.

use super::rules::RulesError;
use super::stream::Stream;

/// Steps between two looks at `alive`.
const PULSE: u64 = 1 << 14;

/// Quotas and people, by type. Unlike [`Rules`](super::rules::Rules) it takes several types with the same cells, as weights make them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Seats of a panel.
    pub size: u32,
    /// The cells of each type, one a feature.
    pub types: Vec<Vec<u32>>,
    /// Fewest seats of each cell.
    pub cell_min: Vec<u32>,
    /// Most seats of each cell.
    pub cell_max: Vec<u32>,
    /// People of each type.
    pub people: Vec<u32>,
}

impl Limits {
    fn fits(&self) -> bool {
        let cells = self.cell_min.len();
        let features = self.types.first().map_or(0, Vec::len);
        self.cell_max.len() == cells
            && self.people.len() == self.types.len()
            && self
                .types
                .iter()
                .all(|t| t.len() == features && t.iter().all(|&c| (c as usize) < cells))
    }

    fn cells_of(&self, t: u32) -> &[u32] {
        &self.types[t as usize]
    }

    fn allows(&self, panel: &[u32]) -> bool {
        let mut totals = vec![0u32; self.cell_min.len()];
        let mut seats = 0;
        for (t, &s) in (0u32..).zip(panel) {
            seats += s;
            for &c in self.cells_of(t) {
                totals[c as usize] += s;
            }
        }
        panel.len() == self.types.len()
            && seats == self.size
            && panel.iter().zip(&self.people).all(|(s, n)| s <= n)
            && (0..totals.len()).all(|c| (self.cell_min[c]..=self.cell_max[c]).contains(&totals[c]))
    }
}

/// Packets of balls, each with its panel.
#[derive(Debug, Clone)]
pub struct Packets {
    rules: Limits,
    /// The type in each seat, k a packet.
    seats: Vec<u32>,
    /// Seats by type, then by cell, of each packet.
    by_type: Vec<u32>,
    by_cell: Vec<u32>,
    /// Which packets have the same number of balls, two at least.
    groups: Vec<Vec<u32>>,
    /// Packets in all groups, by place.
    places: Vec<(u32, u32)>,
}

impl Packets {
    /// From each packet's panel (seats by type) and its number of balls.
    ///
    /// # Errors
    /// [`RulesError::Panel`] if a panel breaks a rule; [`RulesError::Shape`] if the lists don't fit.
    pub fn new(rules: Limits, panels: &[Vec<u32>], balls: &[u64]) -> Result<Self, RulesError> {
        if panels.len() != balls.len()
            || !rules.fits()
            || panels.iter().any(|p| p.len() != rules.types.len())
        {
            return Err(RulesError::Shape);
        }
        let cells = rules.cell_min.len();
        let mut packets = Self {
            seats: Vec::with_capacity(panels.len() * rules.size as usize),
            by_type: Vec::with_capacity(panels.len() * rules.types.len()),
            by_cell: vec![0; panels.len() * cells],
            groups: Vec::new(),
            places: Vec::new(),
            rules,
        };
        for (i, panel) in panels.iter().enumerate() {
            if !packets.rules.allows(panel) {
                return Err(RulesError::Panel);
            }
            packets.by_type.extend_from_slice(panel);
            for (t, &s) in (0u32..).zip(panel) {
                packets.seats.extend((0..s).map(|_| t));
                for &c in packets.rules.cells_of(t) {
                    packets.by_cell[i * cells + c as usize] += s;
                }
            }
        }
        packets.group(balls);
        Ok(packets)
    }

    fn group(&mut self, balls: &[u64]) {
        let mut order: Vec<u32> = (0..balls.len() as u32).collect();
        order.sort_by_key(|&i| balls[i as usize]);
        for group in order.chunk_by(|&a, &b| balls[a as usize] == balls[b as usize]) {
            if group.len() > 1 {
                let number = self.groups.len() as u32;
                self.places
                    .extend((0..group.len() as u32).map(|place| (number, place)));
                self.groups.push(group.to_vec());
            }
        }
    }

    /// Tries up to `steps` exchanges, of one seat and of two in turn, until `enough` are made; how many were made, or None if `alive` says no.
    pub fn shuffle(
        &mut self,
        stream: &mut Stream,
        steps: u64,
        enough: u64,
        alive: &dyn Fn() -> bool,
    ) -> Option<u64> {
        if self.places.is_empty() || self.rules.size == 0 {
            return Some(0);
        }
        let mut made = 0;
        for step in 0..steps {
            if step % PULSE == 0 && !alive() {
                return None;
            }
            made += u64::from(self.step(stream, step % 2 == 1));
            if made == enough {
                break;
            }
        }
        Some(made)
    }

    /// The panels, as seats by type.
    #[must_use]
    pub fn panels(&self) -> Vec<&[u32]> {
        self.by_type.chunks(self.rules.types.len()).collect()
    }

    /// One try.
    fn step(&mut self, stream: &mut Stream, double: bool) -> bool {
        let size = u64::from(self.rules.size);
        let (group, place) = self.places[stream.below(self.places.len() as u64) as usize];
        let mates = &self.groups[group as usize];
        // One number for the partner and the seats: a hash gives few numbers.
        let mut x = stream.below((mates.len() as u64 - 1) * size * size);
        let (a, rest) = ((x % size) as usize, x / size);
        let (b, other) = ((rest % size) as usize, (rest / size) as u32);
        let one = mates[place as usize] as usize;
        let two = mates[(other + u32::from(other >= place)) as usize] as usize;
        if !double {
            return self.exchange(stream, one, two, a, b);
        }
        // Two seats at once: the second pair is made whether or not the first alone would keep the quotas.
        x = stream.below(size * size);
        let (c, d) = ((x % size) as usize, (x / size) as usize);
        let size = self.rules.size as usize;
        let types =
            |packet: usize, i, j| [self.seats[packet * size + i], self.seats[packet * size + j]];
        let (mine, theirs) = (types(one, a, c), types(two, b, d));
        // A type on both sides makes it a single exchange; leaving those out keeps the way back as likely as the way there.
        if a == c || b == d || mine.iter().any(|t| theirs.contains(t)) {
            return false;
        }
        self.swap(one, two, a, b);
        self.swap(one, two, c, d);
        if self.keeps(one, &[a, c], two, &[b, d])
            && self.persons_agree(stream, one, two, &[(a, b), (c, d)])
        {
            return true;
        }
        self.swap(one, two, c, d);
        self.swap(one, two, a, b);
        false
    }

    fn exchange(
        &mut self,
        stream: &mut Stream,
        one: usize,
        two: usize,
        a: usize,
        b: usize,
    ) -> bool {
        let size = self.rules.size as usize;
        if self.seats[one * size + a] == self.seats[two * size + b] {
            return false;
        }
        self.swap(one, two, a, b);
        if self.keeps(one, &[a], two, &[b]) && self.persons_agree(stream, one, two, &[(a, b)]) {
            return true;
        }
        self.swap(one, two, a, b);
        false
    }

    /// Exchanges seat `a` of one packet with seat `b` of another.
    fn swap(&mut self, one: usize, two: usize, a: usize, b: usize) {
        let size = self.rules.size as usize;
        let (t, u) = (self.seats[one * size + a], self.seats[two * size + b]);
        self.seats[one * size + a] = u;
        self.seats[two * size + b] = t;
        let (types, cells) = (self.rules.types.len(), self.rules.cell_min.len());
        for (packet, leaves, joins) in [(one, t, u), (two, u, t)] {
            self.by_type[packet * types + leaves as usize] -= 1;
            self.by_type[packet * types + joins as usize] += 1;
            for (&c, &d) in self
                .rules
                .cells_of(leaves)
                .iter()
                .zip(self.rules.cells_of(joins))
            {
                self.by_cell[packet * cells + c as usize] -= 1;
                self.by_cell[packet * cells + d as usize] += 1;
            }
        }
    }

    /// Whether both packets keep the quotas, given that only these seats have changed: a cell changes in both by the same, with opposite signs.
    fn keeps(&self, one: usize, mine: &[usize], two: usize, theirs: &[usize]) -> bool {
        let (size, types, cells) = (
            self.rules.size as usize,
            self.rules.types.len(),
            self.rules.cell_min.len(),
        );
        let changed = mine
            .iter()
            .map(|&a| self.seats[one * size + a])
            .chain(theirs.iter().map(|&b| self.seats[two * size + b]));
        changed.into_iter().all(|t| {
            [one, two].into_iter().all(|packet| {
                self.by_type[packet * types + t as usize] <= self.rules.people[t as usize]
                    && self.rules.cells_of(t).iter().all(|&c| {
                        let seats = self.by_cell[packet * cells + c as usize];
                        (self.rules.cell_min[c as usize]..=self.rules.cell_max[c as usize])
                            .contains(&seats)
                    })
            })
        })
    }

    /// Types stand for people: an exchange is made only if nobody would sit twice. Of the n people of a type of whom s sit on the other panel, the one in
    /// question is among the n − s others with chance (n − s)/n; so every arrangement of people is equally likely, not of types.
    fn persons_agree(
        &self,
        stream: &mut Stream,
        one: usize,
        two: usize,
        pairs: &[(usize, usize)],
    ) -> bool {
        let (size, types) = (self.rules.size as usize, self.rules.types.len());
        let joins = |(a, b): (usize, usize)| {
            [
                (one, self.seats[one * size + a]),
                (two, self.seats[two * size + b]),
            ]
        };
        let joined: Vec<(usize, u32)> = pairs.iter().flat_map(|&pair| joins(pair)).collect();
        (0..joined.len()).all(|i| {
            let (packet, t) = joined[i];
            // A type that joins twice finds one more there the second time.
            let later = joined[i + 1..].iter().filter(|&&j| j == joined[i]).count() as u32;
            let people = self.rules.people[t as usize];
            let others = self.by_type[packet * types + t as usize] - 1 - later;
            people == 1 || others == 0 || stream.below(u64::from(people)) >= u64::from(others)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn rules() -> Limits {
        Limits {
            size: 2,
            types: vec![vec![0, 2], vec![0, 3], vec![1, 2], vec![1, 3]],
            cell_min: vec![0; 4],
            cell_max: vec![2; 4],
            people: vec![1, 1, 2, 2],
        }
    }

    #[test]
    fn totals_stay_and_quotas_hold() -> Result<(), RulesError> {
        let start = [vec![1, 0, 1, 0], vec![0, 1, 0, 1], vec![0, 0, 2, 0]];
        let panels: Vec<Vec<u32>> = (0..60).map(|i| start[i % 3].clone()).collect();
        let mut packets = Packets::new(rules(), &panels, &[5; 60])?;
        let made = packets.shuffle(&mut Stream::new(&[3; 32], 0), 20_000, u64::MAX, &|| true);
        assert!(made.is_some_and(|m| m > 1000));
        let checked = rules();
        for t in 0..4 {
            let total = |panels: &[&[u32]]| panels.iter().map(|p| p[t]).sum::<u32>();
            let before: Vec<&[u32]> = panels.iter().map(Vec::as_slice).collect();
            assert_eq!(total(&before), total(&packets.panels()));
        }
        assert!(packets.panels().iter().all(|p| checked.allows(p)));
        assert!(packets
            .shuffle(&mut Stream::new(&[3; 32], 0), 1, 1, &|| false)
            .is_none());
        Ok(())
    }

    #[test]
    fn arrangements_of_people_are_equally_likely() -> Result<(), RulesError> {
        // Two panels of two; types 0 and 1 have one person, type 2 has two, b and c. The first panel can be {0, 1} or {b, c} in one way (the
        // other then is the other), or {0, type 2} and {1, type 2} in four ways each: b or c on either panel.
        let panels = [vec![1, 1, 0, 0], vec![0, 0, 2, 0]];
        let mut packets = Packets::new(rules(), &panels, &[1; 2])?;
        let mut seen: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut stream = Stream::new(&[5; 32], 0);
        for _ in 0..30_000 {
            packets.shuffle(&mut stream, 6, 7, &|| true);
            *seen.entry(packets.panels()[0].to_vec()).or_default() += 1;
        }
        let share = f64::from(seen[&vec![0, 0, 2, 0]]) / 30_000.0;
        let mixed = f64::from(seen[&vec![1, 0, 1, 0]]) / 30_000.0;
        assert!((mixed / share - 4.0).abs() < 0.3, "{mixed} {share}");
        Ok(())
    }
}
