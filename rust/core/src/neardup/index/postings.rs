//! Which letters hold this shingle?
//!
//! A list of letters for each shingle. Within a list, letters of one component lie together in a *block*, so that a new letter that has
//! already joined a component passes over thousands of its letters in one step. Components only grow between rebuilds, so blocks are put
//! together when a list is next walked through; a component that is taken apart is first taken out of every list (`withdraw`).

use std::collections::HashMap;

/// Values from here on are numbers of lists; below, a shingle's one letter.
const MANY: u32 = 1 << 31;

/// The largest number of letters.
pub const MOST: usize = MANY as usize;

#[derive(Default)]
struct List {
    /// Letters that were alone in their component when the list was last walked through.
    singles: Vec<u32>,
    /// Letters of one component each.
    blocks: Vec<Vec<u32>>,
}

/// Lists of letters by shingle.
#[derive(Default)]
pub struct Postings {
    places: HashMap<u64, u32>,
    lists: Vec<List>,
    free: Vec<u32>,
}

/// Which component each letter is in, and which of them have several letters.
pub struct Map<'a> {
    /// By letter.
    pub component: &'a [u32],
    /// By component.
    pub several: &'a dyn Fn(u32) -> bool,
}

/// Where in a list each component has its block: scratch space, valid for one walk.
#[derive(Default)]
pub struct Spots {
    round: u64,
    by_component: Vec<(u64, usize)>,
}

impl Spots {
    fn begin(&mut self) {
        self.round += 1;
    }

    /// The spot of a component; `else_at` becomes its spot if it has none.
    fn of(&mut self, component: u32, else_at: usize) -> Option<usize> {
        let i = component as usize;
        if i >= self.by_component.len() {
            self.by_component.resize(i + 1, (0, 0));
        }
        let (round, spot) = &mut self.by_component[i];
        if *round == self.round {
            return Some(*spot);
        }
        (*round, *spot) = (self.round, else_at);
        None
    }
}

impl List {
    /// Puts letters of one component into one block.
    fn tidy(&mut self, map: &Map<'_>, spots: &mut Spots) {
        spots.begin();
        let mut i = 0;
        while let Some(first) = self.blocks.get(i).and_then(|block| block.first()) {
            match spots.of(map.component[*first as usize], i) {
                None => i += 1,
                Some(at) => {
                    let mut block = self.blocks.swap_remove(i);
                    let home = &mut self.blocks[at];
                    if home.len() < block.len() {
                        std::mem::swap(home, &mut block);
                    }
                    home.append(&mut block);
                }
            }
        }
        let mut i = 0;
        while let Some(letter) = self.singles.get(i).copied() {
            let component = map.component[letter as usize];
            if !(map.several)(component) {
                i += 1;
                continue;
            }
            self.singles.swap_remove(i);
            match spots.of(component, self.blocks.len()) {
                Some(at) => self.blocks[at].push(letter),
                None => self.blocks.push(vec![letter]),
            }
        }
    }
}

impl Postings {
    /// Adds a letter to a shingle's list.
    pub fn insert(&mut self, shingle: u64, letter: u32) {
        let Some(place) = self.places.get_mut(&shingle) else {
            self.places.insert(shingle, letter);
            return;
        };
        if *place >= MANY {
            self.lists[(*place - MANY) as usize].singles.push(letter);
            return;
        }
        let list = List {
            singles: vec![*place, letter],
            blocks: Vec::new(),
        };
        *place = match self.free.pop() {
            Some(number) => {
                self.lists[number as usize] = list;
                MANY + number
            }
            None => {
                self.lists.push(list);
                MANY + (self.lists.len() - 1) as u32
            }
        };
    }

    /// Takes out of the lists of `shingles` all letters that are `gone`.
    pub fn withdraw(&mut self, shingles: &[u64], gone: impl Fn(u32) -> bool) {
        for shingle in shingles {
            let Some(place) = self.places.get(shingle).copied() else {
                continue;
            };
            let empty = if place < MANY {
                gone(place)
            } else {
                let list = &mut self.lists[(place - MANY) as usize];
                list.singles.retain(|letter| !gone(*letter));
                list.blocks.retain_mut(|block| {
                    block.retain(|letter| !gone(*letter));
                    !block.is_empty()
                });
                list.singles.is_empty() && list.blocks.is_empty()
            };
            if empty {
                self.places.remove(shingle);
                if place >= MANY {
                    self.lists[(place - MANY) as usize] = List::default();
                    self.free.push(place - MANY);
                }
            }
        }
    }

    /// Calls `passes` with the component and number of letters of a shingle's list. Once it says yes, the rest of that component's letters are
    /// passed over. How many components, or letters that are alone, the list has.
    pub fn walk(
        &mut self,
        shingle: u64,
        map: &Map<'_>,
        spots: &mut Spots,
        mut passes: impl FnMut(u32, u32) -> bool,
    ) -> usize {
        let Some(place) = self.places.get(&shingle).copied() else {
            return 0;
        };
        if place < MANY {
            passes(map.component[place as usize], place);
            return 1;
        }
        let list = &mut self.lists[(place - MANY) as usize];
        list.tidy(map, spots);
        for letter in &list.singles {
            passes(map.component[*letter as usize], *letter);
        }
        for block in &list.blocks {
            // The latest first: the letters of a campaign mostly come together.
            for letter in block.iter().rev() {
                if passes(map.component[*letter as usize], *letter) {
                    break;
                }
            }
        }
        list.singles.len() + list.blocks.len()
    }

    /// Every letter of a shingle's list.
    pub fn each(&self, shingle: u64, mut act: impl FnMut(u32)) {
        match self.places.get(&shingle) {
            Some(place) if *place >= MANY => {
                let list = &self.lists[(*place - MANY) as usize];
                list.singles.iter().for_each(|letter| act(*letter));
                list.blocks.iter().flatten().for_each(|letter| act(*letter));
            }
            Some(letter) => act(*letter),
            None => {}
        }
    }
}
