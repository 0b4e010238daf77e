//! Which of yesterday's contributions does this one repeat?
//!
//! An index that grows and shrinks: texts are added in batches and get their groups at once, old groups named; texts are removed, and
//! groups that hung together through them fall apart. After any sequence of steps the groups are those that comparing all pairs of the
//! texts that are left would give: they do not depend on the order or the batches.
//!
//! Method: prefix filtering (Chaudhuri, Ganti, Kaushik 2006; Bayardo, Ma, Srikant 2007). Two sets that share enough must meet among the
//! first elements of both, in any one order of all elements; here the order is that of the shingles' hashes, which never changes as
//! texts come and go, but that shingles which many unlike letters share move to its end, where they ask for nobody (`order`). Letters that meet in a list
//! (`postings`) are compared exactly, after a bound from 512 bits each. A
//! letter that has joined a group is not compared with the rest of it, so a campaign costs a constant number of comparisons a letter.
//! Copies (the same sequence of words) are one letter with many members.
//!
//! Guarantees: exact; all or nothing. Not guaranteed: a short time for a removal that breaks a group apart, since the group's letters
//! are joined anew. Cost: linear in practice, at worst the pairs that share a list; memory about 8 bytes a shingle, 16 for each list
//! that a letter is in (its two prefixes; by containment, one prefix and all its shingles) and 300 a text. One thread, no randomness that shows.

mod ids;
mod order;
mod overlap;
pub mod parts;
mod postings;
pub mod reading;
mod removal;
mod search;
pub mod shared;
mod shelves;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::Arc;

use ids::Ids;
use order::Order;
use overlap::{required, shared_at_least};
use postings::{Map, Spots};
use shelves::Shelves;

use super::measure::{Bitmap, Measure, Rule};

/// No letter, no component.
const NONE: u32 = u32::MAX;

/// What is known of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Its distinct shingles, ascending; none if it has no words.
    pub shingles: Arc<[u64]>,
    /// Hash of the sequence of its words.
    pub sequence: u128,
}

impl Words {
    fn size(&self) -> u32 {
        u32::try_from(self.shingles.len()).unwrap_or(u32::MAX)
    }
}

/// A distinct sequence of words.
#[derive(Default)]
struct Letter {
    words: Words,
    bitmap: Bitmap,
    /// Numbers of ids.
    members: Vec<u32>,
    /// Another letter with the same hash of its sequence (which no two texts are expected to have).
    next: Option<u32>,
}

impl Letter {
    fn new(rule: &Rule, words: Words, next: Option<u32>) -> Self {
        Self {
            bitmap: rule.bitmap(&words.shingles),
            words,
            members: Vec::new(),
            next,
        }
    }
}

/// Letters that hang together.
#[derive(Default)]
struct Component {
    letters: Vec<u32>,
    members: usize,
    /// Number of the smallest id.
    smallest: u32,
}

/// Where a text stands.
#[derive(Clone, Copy)]
struct Place {
    /// NONE for a text without words.
    letter: u32,
    /// In the letter's members.
    at: u32,
}

const NOWHERE: Place = Place {
    letter: NONE,
    at: 0,
};

/// Rows that can be used again.
#[derive(Default)]
struct Slab<T> {
    rows: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> Slab<T> {
    fn put(&mut self, row: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.rows[number as usize] = row;
            return number;
        }
        self.rows.push(row);
        (self.rows.len() - 1) as u32
    }

    fn take(&mut self, number: u32) -> T {
        self.free.push(number);
        mem::take(&mut self.rows[number as usize])
    }
}

/// The state of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In the group of this name, of so many texts.
    Grouped(String, usize),
    /// Repeats nothing.
    Alone,
    /// Has no words.
    Empty,
}

/// What happened to texts that were there before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Names of groups before.
    pub groups_before: Vec<String>,
    /// Ids of texts that were there and alone before.
    pub alone_before: Vec<String>,
    /// Names of groups after.
    pub groups_after: Vec<String>,
    /// Ids of texts that are alone after.
    pub alone_after: Vec<String>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Rows whose ids can't be taken, each with why.
    Ids(Vec<(usize, IdFault)>),
    /// More distinct texts than can be numbered.
    Full,
    /// The caller said stop.
    Stopped,
}

/// What is wrong with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdFault {
    /// It has no characters.
    Empty,
    /// It stands twice in the batch.
    Twice,
    /// It is in the index.
    Known,
    /// It is not in the index.
    Unknown,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Ids, in their order; the first is the group's name.
    pub members: Vec<String>,
    /// Distinct sequences of words.
    pub distinct: usize,
}

/// The index.
pub struct Index {
    rule: Rule,
    order: Order,
    ids: Ids,
    places: Vec<Place>,
    letters: Slab<Letter>,
    by_sequence: HashMap<u128, u32>,
    component: Vec<u32>,
    components: Slab<Component>,
    shelves: Shelves,
    spots: Spots,
    /// By letter and by component: the last round in which it was met or joined.
    met: Vec<u64>,
    joined: Vec<u64>,
    round: u64,
}

/// Components that a step touched, each with what it was made from.
type Touched = BTreeMap<u32, Change>;

impl Index {
    /// An index without texts.
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            order: Order::default(),
            ids: Ids::default(),
            places: Vec::new(),
            letters: Slab::default(),
            by_sequence: HashMap::new(),
            component: Vec::new(),
            components: Slab::default(),
            shelves: Shelves::default(),
            spots: Spots::default(),
            met: Vec::new(),
            joined: Vec::new(),
            round: 0,
        }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds texts: what became of texts that were there before; see `standing` for the new ones.
    ///
    /// # Errors
    /// An id is empty, comes twice or is there already; or `alive` said no: nothing was added.
    pub fn add(
        &mut self,
        ids: &[&str],
        words: Vec<Words>,
        alive: &dyn Fn() -> bool,
    ) -> Result<Vec<Change>, Refused> {
        self.check_new(ids)?;
        if self.letters.rows.len() + words.len() >= postings::MOST {
            return Err(Refused::Full);
        }
        let mut touched = Touched::new();
        let by_value = self.ids.by_value();
        if by_value && ids.iter().any(|id| !ids::whole(id)) {
            self.touch_all(&mut touched); // all names change their order
        }
        let mut shelves = mem::take(&mut self.shelves);
        let mut entered = Vec::with_capacity(ids.len());
        for (i, (id, words)) in ids.iter().zip(words).enumerate() {
            if i % 64 == 63 && !alive() {
                self.shelves = shelves;
                // Whatever it is asked, this goes to its end.
                let _ = self.take_out(&entered, &|| true);
                return Err(Refused::Stopped);
            }
            let number = self.ids.enter(id);
            entered.push(number);
            self.enter(number, words, &mut shelves, &mut touched);
        }
        self.shelves = shelves;
        if by_value != self.ids.by_value() {
            self.name_all();
        }
        Ok(self.grown(touched))
    }

    fn check_new(&self, ids: &[&str]) -> Result<(), Refused> {
        let mut rows: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
        let fault = |(row, id): (usize, &&'_ str)| {
            let known = self.ids.find(id).map(|_| IdFault::Known);
            let empty = id.is_empty().then_some(IdFault::Empty);
            empty.or(known).map(|fault| (row, fault))
        };
        let mut faults: Vec<_> = ids.iter().enumerate().filter_map(fault).collect();
        for (row, id) in ids.iter().enumerate() {
            if rows.insert(id, row).is_some() && !id.is_empty() {
                faults.push((row, IdFault::Twice));
            }
        }
        faults.sort_by_key(|(row, _)| *row);
        if faults.is_empty() {
            return Ok(());
        }
        Err(Refused::Ids(faults))
    }

    fn enter(&mut self, id: u32, words: Words, shelves: &mut Shelves, touched: &mut Touched) {
        if words.shingles.is_empty() {
            self.set_place(id, NOWHERE);
            return;
        }
        if let Some(letter) = self.find(&words) {
            self.enter_copy(id, letter, touched);
            return;
        }
        let letter = self.new_letter(words);
        self.join_letter(id, letter);
        self.new_component(letter);
        touched.insert(self.component[letter as usize], Change::default());
        let mut hot = Vec::new();
        self.link(letter, shelves, Some(touched), &mut hot);
        self.shelve(letter, shelves);
        self.move_back(&hot, shelves);
    }

    fn enter_copy(&mut self, id: u32, letter: u32, touched: &mut Touched) {
        let component = self.component[letter as usize];
        self.touch(component, touched);
        self.join_letter(id, letter);
        let component = &mut self.components.rows[component as usize];
        component.members += 1;
        if self.ids.order(id, component.smallest).is_lt() {
            component.smallest = id;
        }
    }

    fn set_place(&mut self, id: u32, place: Place) {
        if self.places.len() <= id as usize {
            self.places.resize(id as usize + 1, NOWHERE);
        }
        self.places[id as usize] = place;
    }

    fn join_letter(&mut self, id: u32, letter: u32) {
        let members = &mut self.letters.rows[letter as usize].members;
        let at = members.len() as u32;
        members.push(id);
        self.set_place(id, Place { letter, at });
    }

    fn find(&self, words: &Words) -> Option<u32> {
        let mut next = self.by_sequence.get(&words.sequence).copied();
        while let Some(number) = next {
            let letter = &self.letters.rows[number as usize];
            if letter.words == *words {
                return next;
            }
            next = letter.next;
        }
        None
    }

    fn new_letter(&mut self, words: Words) -> u32 {
        let sequence = words.sequence;
        let next = self.by_sequence.get(&sequence).copied();
        let number = self.letters.put(Letter::new(&self.rule, words, next));
        self.by_sequence.insert(sequence, number);
        if self.component.len() <= number as usize {
            self.component.resize(number as usize + 1, NONE);
            self.met.resize(number as usize + 1, 0);
        }
        number
    }

    /// A component of one letter, which has members.
    fn new_component(&mut self, letter: u32) {
        let members = &self.letters.rows[letter as usize].members;
        let smallest = members
            .iter()
            .copied()
            .min_by(|a, b| self.ids.order(*a, *b));
        let component = Component {
            letters: vec![letter],
            members: members.len(),
            smallest: smallest.unwrap_or(NONE),
        };
        let number = self.components.put(component);
        self.component[letter as usize] = number;
        if self.joined.len() <= number as usize {
            self.joined.resize(number as usize + 1, 0);
        }
    }

    /// Joins the components on the shelves that a letter matches with its own; notes shingles that too many unlike letters share.
    fn link(
        &mut self,
        letter: u32,
        shelves: &mut Shelves,
        mut touched: Option<&mut Touched>,
        hot: &mut Vec<u64>,
    ) {
        for component in self.matching(letter, shelves, hot) {
            if let Some(touched) = touched.as_deref_mut() {
                self.touch(component, touched);
            }
            self.merge(self.component[letter as usize], component, &mut touched);
        }
    }

    /// Components on the shelves with a letter that matches this one.
    fn matching(&mut self, letter: u32, shelves: &mut Shelves, hot: &mut Vec<u64>) -> Vec<u32> {
        self.round += 1;
        let x = &self.letters.rows[letter as usize];
        let keys = self.order.keys(&self.rule, &x.words.shingles);
        let order = &self.order;
        let (rows, rule, round) = (&self.letters.rows, self.rule, self.round);
        let (met, joined, spots) = (&mut self.met, &mut self.joined, &mut self.spots);
        let several = |c: u32| self.components.rows[c as usize].letters.len() > 1;
        let map = Map {
            component: &self.component,
            several: &several,
        };
        let mut found = Vec::new();
        let mut passes = |component: u32, y: u32| {
            if joined[component as usize] == round {
                return true;
            }
            if met[y as usize] == round {
                return false;
            }
            met[y as usize] = round;
            let matched = compare(&rule, x, &rows[y as usize]).is_some();
            if matched {
                joined[component as usize] = round;
                found.push(component);
            }
            matched
        };
        for (keys, shelf) in [
            (&keys.short, &mut shelves.long),
            (&keys.long, &mut shelves.short),
        ] {
            for shingle in keys {
                let unlike = shelf.walk(*shingle, &map, spots, &mut passes);
                if unlike > order.crowd && !order.is_last(*shingle) {
                    hot.push(*shingle);
                }
            }
        }
        found
    }

    /// Puts the smaller component into the larger.
    fn merge(&mut self, a: u32, b: u32, touched: &mut Option<&mut Touched>) {
        let size = |c: u32| self.components.rows[c as usize].letters.len();
        let (large, small) = if size(a) >= size(b) { (a, b) } else { (b, a) };
        let mut gone = self.components.take(small);
        for letter in &gone.letters {
            self.component[*letter as usize] = large;
        }
        let home = &mut self.components.rows[large as usize];
        home.letters.append(&mut gone.letters);
        home.members += gone.members;
        if self.ids.order(gone.smallest, home.smallest).is_lt() {
            home.smallest = gone.smallest;
        }
        if let Some(touched) = touched.as_deref_mut() {
            let mut past = touched.remove(&small).unwrap_or_default();
            let whole = touched.entry(large).or_default();
            whole.groups_before.append(&mut past.groups_before);
            whole.alone_before.append(&mut past.alone_before);
        }
    }

    fn touch_all(&self, touched: &mut Touched) {
        for (number, component) in self.components.rows.iter().enumerate() {
            if component.members > 0 {
                self.touch(number as u32, touched);
            }
        }
    }

    /// Notes what a component was before the step, once.
    fn touch(&self, component: u32, touched: &mut Touched) {
        touched.entry(component).or_insert_with(|| {
            let row = &self.components.rows[component as usize];
            let name = vec![self.ids.text(row.smallest).to_owned()];
            let mut change = Change::default();
            if row.members > 1 {
                change.groups_before = name;
            } else {
                change.alone_before = name;
            }
            change
        });
    }

    fn name_all(&mut self) {
        for number in 0..self.components.rows.len() {
            self.name(number as u32);
        }
    }

    /// Counts a component's members anew and finds the smallest.
    fn name(&mut self, component: u32) {
        let letters = &self.components.rows[component as usize].letters;
        let members = || {
            letters
                .iter()
                .flat_map(|l| &self.letters.rows[*l as usize].members)
        };
        let smallest = members().copied().min_by(|a, b| self.ids.order(*a, *b));
        let count = members().count();
        let row = &mut self.components.rows[component as usize];
        (row.members, row.smallest) = (count, smallest.unwrap_or(NONE));
    }

    /// Changes of groups that only grew, merged or were renamed.
    fn grown(&self, touched: Touched) -> Vec<Change> {
        let changes = touched.into_iter().filter_map(|(component, mut change)| {
            let row = &self.components.rows[component as usize];
            if row.members < 2 {
                return None;
            }
            change.groups_after = vec![self.ids.text(row.smallest).to_owned()];
            let same =
                change.groups_before == change.groups_after && change.alone_before.is_empty();
            let new = change.groups_before.is_empty() && change.alone_before.is_empty();
            (!same && !new).then_some(change)
        });
        self.ordered(changes.collect())
    }

    fn ordered(&self, mut changes: Vec<Change>) -> Vec<Change> {
        for change in &mut changes {
            let lists = [
                &mut change.groups_before,
                &mut change.alone_before,
                &mut change.groups_after,
                &mut change.alone_after,
            ];
            for names in lists {
                names.sort_unstable_by(|a, b| self.ids.order_texts(a, b));
            }
        }
        let by = |a: &[String], b: &[String]| {
            let pairs = a.iter().zip(b).map(|(a, b)| self.ids.order_texts(a, b));
            let first = pairs.into_iter().find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        };
        changes.sort_by(|a, b| {
            by(&a.groups_after, &b.groups_after)
                .then_with(|| by(&a.groups_before, &b.groups_before))
        });
        changes
    }
}

/// How many shingles two letters share, if they match.
fn compare(rule: &Rule, x: &Letter, y: &Letter) -> Option<u32> {
    let (a, b) = (x.words.size(), y.words.size());
    let most = rule.most_shared(&x.bitmap, &y.bitmap, a, b);
    if !rule.matches(most, a, b) {
        return None;
    }
    shared_at_least(&x.words.shingles, &y.words.shingles, required(rule, a, b))
}
