//! What is in the index: the matches of a text, the group of an id, all groups.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::{compare, Component, Group, Index, Letter, Standing, Words, NONE};

impl Index {
    /// Ids of the texts that match this one, and their similarity, best first, equal ones in the order of their ids: at most `most`.
    pub fn query(&mut self, words: &Words, most: usize) -> Vec<(&str, f64)> {
        let same = self.find(words);
        let mut found = self.matches(words, same);
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut numbers: Vec<(u32, f64)> = Vec::new();
        for tied in found.chunk_by(|a, b| a.1 == b.1) {
            let room = most - numbers.len();
            if room == 0 {
                break;
            }
            let rows = tied
                .iter()
                .map(|(letter, _)| &self.letters.rows[*letter as usize]);
            let mut members: Vec<u32> = rows.flat_map(|letter| &letter.members).copied().collect();
            if members.len() > room {
                members.select_nth_unstable_by(room - 1, |a, b| self.ids.order(*a, *b));
                members.truncate(room);
            }
            members.sort_unstable_by(|a, b| self.ids.order(*a, *b));
            numbers.extend(members.into_iter().map(|id| (id, tied[0].1)));
        }
        numbers
            .into_iter()
            .map(|(id, similarity)| (self.ids.text(id), similarity))
            .collect()
    }

    /// Letters that match, and how much. The same sequence of words matches whatever it has to share.
    fn matches(&mut self, words: &Words, same: Option<u32>) -> Vec<(u32, f64)> {
        let mut found: Vec<(u32, f64)> = same.map(|letter| (letter, 1.0)).into_iter().collect();
        let n = words.size();
        if n == 0 {
            return found;
        }
        let keys = self.order.keys(&self.rule, &words.shingles);
        self.round += 1;
        let x = Letter::new(&self.rule, words.clone(), None);
        let (met, round) = (&mut self.met, self.round);
        if let Some(letter) = same {
            met[letter as usize] = round;
        }
        let mut look = |number: u32| {
            if std::mem::replace(&mut met[number as usize], round) == round {
                return;
            }
            let y = &self.letters.rows[number as usize];
            if let Some(shared) = compare(&self.rule, &x, y) {
                found.push((number, self.rule.similarity(shared, n, y.words.size())));
            }
        };
        for shingle in keys.short {
            self.shelves.long.each(shingle, &mut look);
        }
        for shingle in keys.long {
            self.shelves.short.each(shingle, &mut look);
        }
        found
    }

    /// Whether an id is in the index.
    pub fn contains(&self, id: &str) -> bool {
        self.ids.find(id).is_some()
    }

    /// Where an id stands, if it is in the index.
    pub fn standing(&self, id: &str) -> Option<Standing> {
        let number = self.ids.find(id)?;
        let letter = self.places[number as usize].letter;
        if letter == NONE {
            return Some(Standing::Empty);
        }
        let component = &self.components.rows[self.component[letter as usize] as usize];
        Some(match component.members {
            0 | 1 => Standing::Alone,
            size => Standing::Grouped(self.ids.text(component.smallest).to_owned(), size),
        })
    }

    /// The names and sizes of the groups that these ids are in, and for each id which of them: −1 if it is alone, −2 if it has no words or is
    /// not there.
    pub fn standings(&self, ids: &[&str]) -> (Vec<(String, usize)>, Vec<i32>) {
        let (mut names, mut seen) = (Vec::new(), HashMap::new());
        let which = ids.iter().map(|id| {
            let number = self.ids.find(id);
            let letter = number.map_or(NONE, |number| self.places[number as usize].letter);
            if letter == NONE {
                return -2;
            }
            let component = self.component[letter as usize];
            let row = &self.components.rows[component as usize];
            if row.members < 2 {
                return -1;
            }
            *seen.entry(component).or_insert_with(|| {
                names.push((self.ids.text(row.smallest).to_owned(), row.members));
                names.len() as i32 - 1
            })
        });
        let which = which.collect();
        (names, which)
    }

    /// All groups, the largest first, those of one size in the order of their names.
    pub fn groups(&self) -> Vec<Group> {
        let rows = self.components.rows.iter();
        let mut groups: Vec<&Component> = rows.filter(|c| c.members > 1).collect();
        groups.sort_by(|a, b| {
            let sizes = Reverse(a.members).cmp(&Reverse(b.members));
            sizes.then_with(|| self.ids.order(a.smallest, b.smallest))
        });
        groups.into_iter().map(|group| self.group(group)).collect()
    }

    fn group(&self, component: &Component) -> Group {
        let letters = component
            .letters
            .iter()
            .map(|l| &self.letters.rows[*l as usize]);
        let mut members: Vec<u32> = letters
            .flat_map(|letter| &letter.members)
            .copied()
            .collect();
        members.sort_unstable_by(|a, b| self.ids.order(*a, *b));
        Group {
            members: members
                .iter()
                .map(|id| self.ids.text(*id).to_owned())
                .collect(),
            distinct: component.letters.len(),
        }
    }
}
