//! Who voted what on what, so that both «the votes of this person» and «the votes on this item» can be read at once.
//!
//! Memory: 17 bytes a vote, 8 a voter and an item. Building it is a counting sort: linear, and the order in which votes come does not matter.

/// What a vote may be: against, pass, for.
pub const CHOICES: usize = 3;

/// What was given cannot be read as votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A voter, an item or a choice that is not there, or columns of different lengths.
    Outside,
    /// Two votes of one voter on one item.
    Twice,
    /// More votes than 32 bits number.
    Many,
}

/// The votes, by voter and by item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballots {
    first: Vec<usize>,
    voter: Vec<u32>,
    item: Vec<u32>,
    choice: Vec<u8>,
    first_of_item: Vec<usize>,
    on_item: Vec<u32>,
}

impl Ballots {
    /// Sorts the votes by voter, then by item.
    ///
    /// # Errors
    /// See [`Unfit`].
    pub fn new(
        voters: usize,
        items: usize,
        voter: &[u32],
        item: &[u32],
        choice: &[u8],
    ) -> Result<Self, Unfit> {
        let inside =
            |numbers: &[u32], count: usize| numbers.iter().all(|at| (*at as usize) < count);
        if voter.len() != item.len() || voter.len() != choice.len() {
            return Err(Unfit::Outside);
        }
        if u32::try_from(voter.len()).is_err() {
            return Err(Unfit::Many);
        }
        let known = choice.iter().all(|choice| usize::from(*choice) < CHOICES);
        if !(inside(voter, voters) && inside(item, items) && known) {
            return Err(Unfit::Outside);
        }
        let all: Vec<u32> = (0..voter.len() as u32).collect();
        let (_, by_item) = sorted(&all, items, |vote| item[vote as usize]);
        let (first, order) = sorted(&by_item, voters, |vote| voter[vote as usize]);
        let pick = |column: &[u32]| {
            order
                .iter()
                .map(|at| column[*at as usize])
                .collect::<Vec<_>>()
        };
        let (voter, item) = (pick(voter), pick(item));
        let choice = order.iter().map(|at| choice[*at as usize]).collect();
        let twice = |at: usize| voter[at] == voter[at - 1] && item[at] == item[at - 1];
        if (1..voter.len()).any(twice) {
            return Err(Unfit::Twice);
        }
        let (first_of_item, on_item) = sorted(&all, items, |vote| item[vote as usize]);
        Ok(Self {
            first,
            voter,
            item,
            choice,
            first_of_item,
            on_item,
        })
    }

    /// Number of voters, those without votes too.
    #[must_use]
    pub fn voters(&self) -> usize {
        self.first.len() - 1
    }

    /// Number of items.
    #[must_use]
    pub fn items(&self) -> usize {
        self.first_of_item.len() - 1
    }

    /// Number of votes.
    #[must_use]
    pub fn votes(&self) -> usize {
        self.voter.len()
    }

    /// Numbers of a voter's votes.
    #[must_use]
    pub fn of(&self, voter: usize) -> std::ops::Range<usize> {
        self.first[voter]..self.first[voter + 1]
    }

    /// How many votes a voter cast.
    #[must_use]
    pub fn degree(&self, voter: usize) -> usize {
        self.of(voter).len()
    }

    /// Numbers of the votes on an item, ascending by voter.
    #[must_use]
    pub fn on(&self, item: usize) -> &[u32] {
        &self.on_item[self.first_of_item[item]..self.first_of_item[item + 1]]
    }

    /// Whose vote this is.
    #[must_use]
    pub fn voter(&self, vote: usize) -> usize {
        self.voter[vote] as usize
    }

    /// On what.
    #[must_use]
    pub fn item(&self, vote: usize) -> usize {
        self.item[vote] as usize
    }

    /// What: 0 against, 1 pass, 2 for.
    #[must_use]
    pub fn choice(&self, vote: usize) -> usize {
        usize::from(self.choice[vote])
    }
}

/// A stable counting sort: where each key begins, and the entries in order.
fn sorted(entries: &[u32], keys: usize, key: impl Fn(u32) -> u32) -> (Vec<usize>, Vec<u32>) {
    let mut first = vec![0usize; keys + 1];
    for entry in entries {
        first[key(*entry) as usize + 1] += 1;
    }
    for at in 0..keys {
        first[at + 1] += first[at];
    }
    let mut next = first.clone();
    let mut order = vec![0u32; entries.len()];
    for entry in entries {
        let place = &mut next[key(*entry) as usize];
        order[*place] = *entry;
        *place += 1;
    }
    (first, order)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Ballots, Unfit};

    #[test]
    fn the_order_in_which_votes_come_does_not_matter() {
        let one = Ballots::new(3, 2, &[0, 2, 0], &[1, 0, 0], &[2, 1, 0]).unwrap();
        let other = Ballots::new(3, 2, &[0, 0, 2], &[0, 1, 0], &[0, 2, 1]).unwrap();
        assert_eq!(one, other);
        assert_eq!((one.voters(), one.items(), one.votes()), (3, 2, 3));
        assert_eq!(one.of(0), 0..2);
        assert_eq!(one.degree(1), 0);
        assert_eq!(one.on(0), [0, 2]);
        assert_eq!((one.voter(2), one.item(2), one.choice(2)), (2, 0, 1));
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let new = |voter: &[u32], choice: &[u8]| Ballots::new(2, 1, voter, &[0, 0], choice);
        assert_eq!(new(&[0, 0], &[1, 1]), Err(Unfit::Twice));
        assert_eq!(new(&[0, 2], &[1, 1]), Err(Unfit::Outside));
        assert_eq!(new(&[0, 1], &[1, 3]), Err(Unfit::Outside));
        assert_eq!(new(&[0], &[1]), Err(Unfit::Outside));
    }
}
