//! In which order do ids stand?
//!
//! Ids that are all whole numbers in their one usual spelling («7», «-12», not «07») stand by value; as soon as one id is not, all stand
//! by code points. So the order is a property of the ids that are there, not of their history.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::super::stream::{compare_ids, is_number};

/// Whether `id` is a whole number in its usual spelling.
pub fn whole(id: &str) -> bool {
    is_number(id.as_bytes())
}

/// Ids by number.
#[derive(Default)]
pub struct Ids {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Option<Arc<str>>>,
    free: Vec<u32>,
    /// How many are no whole numbers.
    others: usize,
}

impl Ids {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of an id.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// The id of a number.
    pub fn text(&self, number: u32) -> &str {
        self.texts[number as usize].as_deref().unwrap_or_default()
    }

    /// Gives an id that is not there a number, the smallest that was given back or the next.
    pub fn enter(&mut self, id: &str) -> u32 {
        let text: Arc<str> = id.into();
        let number = self.free.pop().unwrap_or(self.texts.len() as u32);
        if number as usize == self.texts.len() {
            self.texts.push(None);
        }
        self.texts[number as usize] = Some(Arc::clone(&text));
        self.others += usize::from(!whole(id));
        self.numbers.insert(text, number);
        number
    }

    /// Takes a number back.
    pub fn leave(&mut self, number: u32) {
        if let Some(text) = self.texts[number as usize].take() {
            self.others -= usize::from(!whole(&text));
            self.numbers.remove(&text);
            self.free.push(number);
        }
    }

    /// How many are no whole numbers.
    pub fn others(&self) -> usize {
        self.others
    }

    /// Whether all stand by value.
    pub fn by_value(&self) -> bool {
        self.others == 0
    }

    /// The order of two ids.
    pub fn order(&self, a: u32, b: u32) -> Ordering {
        self.order_texts(self.text(a), self.text(b))
    }

    /// The order of two ids, also of such as are not there any more.
    pub fn order_texts(&self, a: &str, b: &str) -> Ordering {
        compare_ids(a.as_bytes(), b.as_bytes(), self.by_value())
    }

    /// All numbers, by the code points of their ids.
    pub fn by_code_points(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.numbers.values().copied().collect();
        numbers.sort_unstable_by(|a, b| self.text(*a).cmp(self.text(*b)));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(ids: &[&str]) -> Vec<String> {
        let mut all = Ids::default();
        let mut numbers: Vec<u32> = ids.iter().map(|id| all.enter(id)).collect();
        numbers.sort_by(|a, b| all.order(*a, *b));
        numbers.iter().map(|n| all.text(*n).to_owned()).collect()
    }

    #[test]
    fn whole_numbers_stand_by_value_until_another_id_comes() {
        assert_eq!(
            sorted(&["10", "9", "-2", "0", "-10"]),
            ["-10", "-2", "0", "9", "10"]
        );
        assert_eq!(sorted(&["10", "9", "a"]), ["10", "9", "a"]);
        assert_eq!(sorted(&["10", "9", "09"]), ["09", "10", "9"]);
    }

    #[test]
    fn numbers_have_one_spelling() {
        assert!(["0", "7", "-7", "123456789012345678901234567890"]
            .iter()
            .all(|id| whole(id)));
        assert!(!["", "-", "-0", "007", "+1", "1.0", " 1", "१"]
            .iter()
            .any(|id| whole(id)));
    }

    #[test]
    fn numbers_that_left_are_given_again() {
        let mut ids = Ids::default();
        let (a, b) = (ids.enter("a"), ids.enter("b"));
        ids.leave(a);
        assert_eq!(
            (ids.find("a"), ids.find("b"), ids.len()),
            (None, Some(b), 1)
        );
        assert_eq!(ids.enter("1"), a);
        ids.leave(b);
        assert!(ids.by_value());
    }
}
