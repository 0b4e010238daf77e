//! Who is there, how large are the tables, and how many people of each kind may sit at one?
//!
//! A table's share of a value is in proportion to its size: floor and ceiling of people of that value × size / people present.
//! For one feature all shares can be kept at once (a matrix can be rounded with its row and column sums); for several features
//! perhaps not.

use thiserror::Error;

/// What can be wrong with rules. Sizes of lists are the caller's promise; the rest a person may have asked for.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RulesError {
    /// A list has the wrong length, or a number in it is out of range.
    #[error("{0}: lists or numbers don't fit the people")]
    Shape(&'static str),
    /// A session has fewer people than tables.
    #[error("session {0} has fewer people than tables")]
    Tables(usize),
    /// The groups that sit together can't be placed in this session (or were not within the limit of the search).
    #[error("session {0}: no way was found to place the groups that sit together")]
    Blocks(usize),
}

/// People's values of one feature by which tables are mixed.
pub struct Mixed {
    pub(crate) codes: Vec<usize>,
    /// Fewest and most seats by session, by whether the table is one of the larger ones, by value.
    bounds: Vec<[Vec<(i64, i64)>; 2]>,
    pub(crate) values: usize,
}

impl Mixed {
    /// Fewest and most people of a value at a table.
    pub(crate) fn bound(&self, session: usize, large: bool, value: usize) -> (i64, i64) {
        self.bounds[session][usize::from(large)][value]
    }
}

/// People's values of one feature whose holders sit at as few tables as can be. None: the person has none.
pub struct Clustered {
    pub(crate) codes: Vec<Option<usize>>,
    pub(crate) values: usize,
    /// The fewest tables that hold a value's people, by session and value.
    pub(crate) least: Vec<Vec<i64>>,
}

/// All that a plan must and should keep.
pub struct Rules {
    /// Number of people.
    pub people: usize,
    /// Number of tables.
    pub tables: usize,
    /// Number of sessions.
    pub sessions: usize,
    /// In how many sessions a pair should meet at most.
    pub most_meetings: i64,
    pub(crate) present: Vec<Vec<bool>>,
    /// How many of the tables, the first ones, have one seat more.
    pub(crate) larger: Vec<usize>,
    pub(crate) size: Vec<usize>,
    pub(crate) mixed: Vec<Mixed>,
    pub(crate) clustered: Vec<Clustered>,
    pub(crate) apart: Vec<Vec<usize>>,
    pub(crate) blocks: Vec<Vec<usize>>,
    pub(crate) block_of: Vec<Option<usize>>,
}

impl Rules {
    /// Rules from lists: `present[session][person]`, `mixed[feature][person]` and `clustered[feature][person]` with values
    /// numbered from 0, pairs that sit apart, and disjoint groups that sit together.
    ///
    /// # Errors
    /// [`RulesError::Shape`] and [`RulesError::Tables`].
    pub fn new(
        tables: usize,
        present: Vec<Vec<bool>>,
        mixed: Vec<Vec<usize>>,
        clustered: Vec<Vec<Option<usize>>>,
        apart: &[(usize, usize)],
        blocks: Vec<Vec<usize>>,
    ) -> Result<Self, RulesError> {
        let people = present.first().map_or(0, Vec::len);
        let fits = |length: usize, what| {
            (length == people)
                .then_some(())
                .ok_or(RulesError::Shape(what))
        };
        present.iter().try_for_each(|p| fits(p.len(), "present"))?;
        mixed.iter().try_for_each(|f| fits(f.len(), "mixed"))?;
        clustered
            .iter()
            .try_for_each(|f| fits(f.len(), "clustered"))?;
        if apart.iter().any(|&(a, b)| a == b || a.max(b) >= people) {
            return Err(RulesError::Shape("apart"));
        }
        let mut rules = Self {
            people,
            tables,
            sessions: present.len(),
            most_meetings: i64::MAX,
            present,
            larger: Vec::new(),
            size: Vec::new(),
            mixed: Vec::new(),
            clustered: Vec::new(),
            apart: vec![Vec::new(); people],
            blocks,
            block_of: vec![None; people],
        };
        for (s, there) in rules.present.iter().enumerate() {
            let n = there.iter().filter(|p| **p).count();
            if tables == 0 || n < tables {
                return Err(RulesError::Tables(s));
            }
            rules.size.push(n / tables);
            rules.larger.push(n % tables);
        }
        for &(a, b) in apart {
            rules.apart[a].push(b);
            rules.apart[b].push(a);
        }
        for (number, block) in rules.blocks.iter().enumerate() {
            for &p in block {
                match rules.block_of.get_mut(p) {
                    Some(slot @ None) => *slot = Some(number),
                    _ => return Err(RulesError::Shape("blocks")),
                }
            }
        }
        rules.mixed = mixed.into_iter().map(|codes| rules.mix(codes)).collect();
        rules.clustered = clustered
            .into_iter()
            .map(|codes| rules.cluster(codes))
            .collect();
        Ok(rules)
    }

    /// Whether a table is one of those with a seat more.
    pub(crate) fn large(&self, session: usize, table: usize) -> bool {
        table < self.larger[session]
    }

    /// Seats at a table.
    pub(crate) fn seats(&self, session: usize, table: usize) -> usize {
        self.size[session] + usize::from(self.large(session, table))
    }

    /// Whether every person is there in every session.
    pub(crate) fn all_present(&self) -> bool {
        self.present.iter().all(|there| there.iter().all(|p| *p))
    }

    /// Whether there is anything but meetings to care for.
    pub(crate) fn has_wishes(&self) -> bool {
        !self.mixed.is_empty()
            || !self.clustered.is_empty()
            || self.apart.iter().any(|a| !a.is_empty())
    }

    fn counts(
        &self,
        session: usize,
        values: usize,
        code: impl Fn(usize) -> Option<usize>,
    ) -> Vec<usize> {
        let mut counts = vec![0; values];
        for p in (0..self.people).filter(|&p| self.present[session][p]) {
            if let Some(v) = code(p) {
                counts[v] += 1;
            }
        }
        counts
    }

    fn mix(&self, codes: Vec<usize>) -> Mixed {
        let values = codes.iter().max().map_or(0, |v| v + 1);
        let bounds = (0..self.sessions).map(|s| {
            let counts = self.counts(s, values, |p| Some(codes[p]));
            let n: usize = counts.iter().sum();
            [0, 1].map(|more| {
                let share = |c: &usize| {
                    let seats = c * (self.size[s] + more);
                    ((seats / n) as i64, seats.div_ceil(n) as i64)
                };
                counts.iter().map(share).collect()
            })
        });
        let bounds = bounds.collect();
        Mixed {
            codes,
            bounds,
            values,
        }
    }

    fn cluster(&self, codes: Vec<Option<usize>>) -> Clustered {
        let values = codes.iter().flatten().max().map_or(0, |v| v + 1);
        let least = (0..self.sessions).map(|s| {
            let counts = self.counts(s, values, |p| codes[p]);
            let fewest = |&count: &usize| {
                let mut seats = 0;
                (0..self.tables)
                    .take_while(|&t| {
                        let short = seats < count;
                        seats += self.seats(s, t);
                        short
                    })
                    .count() as i64
            };
            counts.iter().map(fewest).collect()
        });
        let least = least.collect();
        Clustered {
            codes,
            values,
            least,
        }
    }
}
