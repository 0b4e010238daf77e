//! What is left of a group when some of its texts go?
//!
//! A letter with members left still ties its group together. Where the last member of a letter goes, the other letters of its group are
//! joined anew, on shelves of their own: whatever they match was in the same group.

use std::mem;

use super::{ids, Change, Component, IdFault, Index, Refused, Shelves, Touched, Words, NONE};
use std::collections::HashMap;

/// A text that goes.
struct Gone {
    id: String,
    words: Option<Words>,
    /// The component that it was in.
    component: Option<u32>,
}

/// A letter that is left of each component that was taken apart.
type Homes = HashMap<u32, u32>;

impl Index {
    /// Removes texts: what became of the groups that they were in.
    ///
    /// # Errors
    /// An id comes twice or is not there, or `alive` said no: nothing was removed.
    pub fn remove(
        &mut self,
        ids: &[&str],
        alive: &dyn Fn() -> bool,
    ) -> Result<Vec<Change>, Refused> {
        let mut rows: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
        let (mut faults, mut numbers) = (Vec::new(), Vec::with_capacity(ids.len()));
        for (row, id) in ids.iter().enumerate() {
            match (rows.insert(id, row), self.ids.find(id)) {
                (Some(_), _) => faults.push((row, IdFault::Twice)),
                (None, None) => faults.push((row, IdFault::Unknown)),
                (None, Some(number)) => numbers.push(number),
            }
        }
        if !faults.is_empty() {
            return Err(Refused::Ids(faults));
        }
        let gone: Vec<Gone> = numbers.iter().map(|number| self.gone(*number)).collect();
        self.take_out(&numbers, alive).map_err(|homes| {
            self.put_back(gone, homes);
            Refused::Stopped
        })
    }

    fn gone(&self, number: u32) -> Gone {
        let letter = self.places[number as usize].letter;
        let rows = &self.letters.rows;
        Gone {
            id: self.ids.text(number).to_owned(),
            words: rows.get(letter as usize).map(|row| row.words.clone()),
            component: self.component.get(letter as usize).copied(),
        }
    }

    /// Takes ids out. If `alive` says no, what is left of each group that broke stays together, and one of its letters is handed out by group.
    pub(super) fn take_out(
        &mut self,
        numbers: &[u32],
        alive: &dyn Fn() -> bool,
    ) -> Result<Vec<Change>, Homes> {
        let mut touched = Touched::new();
        let others = numbers.iter().filter(|n| !ids::whole(self.ids.text(**n)));
        let renamed = !self.ids.by_value() && others.count() == self.ids.others();
        if renamed {
            self.touch_all(&mut touched); // all names change their order
        }
        for number in numbers {
            let letter = self.places[*number as usize].letter;
            if letter != NONE {
                self.touch(self.component[letter as usize], &mut touched);
            }
        }
        let mut gone: Vec<u32> = numbers.iter().filter_map(|n| self.leave(*n)).collect();
        gone.sort_unstable();
        let mut broken: Vec<u32> = gone.iter().map(|l| self.component[*l as usize]).collect();
        broken.sort_unstable();
        broken.dedup();
        self.withdraw(&broken);
        let apart: Vec<Component> = broken.iter().map(|c| self.components.take(*c)).collect();
        gone.iter().for_each(|letter| self.forget(*letter));
        let mut after: HashMap<u32, Vec<u32>> = HashMap::new();
        let (mut homes, mut stopped) = (Homes::new(), false);
        for (component, old) in broken.into_iter().zip(apart) {
            let mut left = old.letters;
            left.retain(|l| gone.binary_search(l).is_err());
            homes.extend(left.first().map(|letter| (component, *letter)));
            after.insert(component, self.join_anew(left, alive, &mut stopped));
        }
        if stopped {
            return Err(homes);
        }
        for component in touched.keys().filter(|c| !after.contains_key(c)) {
            self.name(*component);
        }
        if renamed {
            self.name_all();
        }
        let changes = touched.into_iter().filter_map(|(component, change)| {
            let left = after.get(&component).cloned();
            self.shrunk(change, &left.unwrap_or_else(|| vec![component]))
        });
        Ok(self.ordered(changes.collect()))
    }

    /// Undoes a removal that was stopped.
    fn put_back(&mut self, gone: Vec<Gone>, mut homes: Homes) {
        for Gone {
            id,
            words,
            component,
        } in gone
        {
            let number = self.ids.enter(&id);
            let (Some(words), Some(component)) = (words, component) else {
                self.set_place(number, super::NOWHERE);
                continue;
            };
            if let Some(letter) = self.find(&words) {
                self.enter_copy(number, letter, &mut Touched::new());
                continue;
            }
            let letter = self.new_letter(words);
            self.join_letter(number, letter);
            self.new_component(letter);
            let home = *homes.entry(component).or_insert(letter);
            self.tie(home, letter);
            let mut shelves = mem::take(&mut self.shelves);
            self.shelve(letter, &mut shelves);
            self.shelves = shelves;
        }
        self.name_all();
    }

    /// Makes the components of two letters one.
    fn tie(&mut self, a: u32, b: u32) {
        let (a, b) = (self.component[a as usize], self.component[b as usize]);
        if a != b {
            self.merge(a, b, &mut None);
        }
    }

    /// Takes an id out of its letter; the letter, if that was its last.
    fn leave(&mut self, number: u32) -> Option<u32> {
        self.ids.leave(number);
        let place = mem::replace(&mut self.places[number as usize], super::NOWHERE);
        if place.letter == NONE {
            return None;
        }
        let members = &mut self.letters.rows[place.letter as usize].members;
        members.swap_remove(place.at as usize);
        if let Some(moved) = members.get(place.at as usize) {
            self.places[*moved as usize].at = place.at;
        }
        members.is_empty().then_some(place.letter)
    }

    /// Takes all letters of these components out of every list.
    fn withdraw(&mut self, components: &[u32]) {
        self.round += 1;
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for component in components {
            for letter in &self.components.rows[*component as usize].letters {
                self.met[*letter as usize] = self.round;
                let keys = self.keys(*letter);
                short.extend(keys.short);
                long.extend(keys.long);
            }
        }
        let gone = |letter: u32| self.met[letter as usize] == self.round;
        for (shelf, mut shingles) in [
            (&mut self.shelves.short, short),
            (&mut self.shelves.long, long),
        ] {
            shingles.sort_unstable();
            shingles.dedup();
            shelf.withdraw(&shingles, gone);
        }
    }

    /// Forgets a letter without members.
    fn forget(&mut self, number: u32) {
        let letter = self.letters.take(number);
        self.component[number as usize] = NONE;
        let sequence = letter.words.sequence;
        let first = self.by_sequence.get(&sequence).copied();
        if first == Some(number) {
            match letter.next {
                Some(next) => self.by_sequence.insert(sequence, next),
                None => self.by_sequence.remove(&sequence),
            };
            return;
        }
        let mut before = first;
        while let Some(at) = before {
            let row = &mut self.letters.rows[at as usize];
            if row.next == Some(number) {
                row.next = letter.next;
                return;
            }
            before = row.next;
        }
    }

    /// Joins letters that are in no component and on no shelf: their components. Once `stopped`, all become one.
    fn join_anew(
        &mut self,
        letters: Vec<u32>,
        alive: &dyn Fn() -> bool,
        stopped: &mut bool,
    ) -> Vec<u32> {
        let mut apart = Shelves::default();
        for (i, letter) in letters.iter().enumerate() {
            self.new_component(*letter);
            *stopped |= i % 64 == 63 && !alive();
            if *stopped {
                continue;
            }
            self.link(*letter, &mut apart, None, &mut Vec::new());
            self.shelve(*letter, &mut apart);
        }
        if *stopped {
            let home = letters.first().copied().unwrap_or(NONE);
            letters.iter().for_each(|letter| self.tie(home, *letter));
        }
        let mut shelves = mem::take(&mut self.shelves);
        letters
            .iter()
            .for_each(|letter| self.shelve(*letter, &mut shelves));
        self.shelves = shelves;
        let mut components: Vec<u32> = letters
            .iter()
            .map(|l| self.component[*l as usize])
            .collect();
        components.sort_unstable();
        components.dedup();
        components
    }

    /// What became of a group, if that is another than before.
    fn shrunk(&self, mut change: Change, left: &[u32]) -> Option<Change> {
        for component in left {
            let row = &self.components.rows[*component as usize];
            let names = match row.members {
                0 => continue,
                1 => &mut change.alone_after,
                _ => &mut change.groups_after,
            };
            names.push(self.ids.text(row.smallest).to_owned());
        }
        let same = change.groups_before == change.groups_after && change.alone_after.is_empty();
        (!change.groups_before.is_empty() && !same).then_some(change)
    }
}
