//! Which rare words are most likely a common word with one slip of the pen?
//!
//! A family of letters in which every tenth word is misspelt on purpose shares few runs of words. So a word of [`LONG`] letters or more that at most
//! [`RARE`] contributions have is read as the most frequent word within one edit (Damerau 1964: a letter left out, put in, replaced, or two neighbours
//! swapped), if many more have that one. An error that several people share is not rare and stays: it is evidence.
//!
//! Words within one edit have a spelling in common once a letter at most is left out of each (Garbe's symmetric deletes), so pairs are found by sorting.
//! Cost: a hash for each letter of each word, and a sort. Guarantees: the result depends on words and counts alone. Not guaranteed: that the writer meant
//! the other word; rare forms of a word are read as its common form, in all texts alike.

use crate::text::hash;

/// Letters that a word has at least.
const LONG: usize = 5;
/// Contributions that have a word that is read as another, at most.
const RARE: u32 = 2;
/// Contributions that have the other, at least.
const COMMON: u32 = 8;

/// Calls `each` with the hashes of a word and of what is left of it without one letter.
fn spellings(word: &[char], mut each: impl FnMut(u64)) {
    let mut bytes = Vec::with_capacity(word.len() * 4);
    for left_out in 0..=word.len() {
        bytes.clear();
        for (at, letter) in word.iter().enumerate() {
            if at != left_out {
                bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        each(hash::word(&bytes));
    }
}

/// Whether one edit makes one word of the other.
fn within_one(a: &[char], b: &[char]) -> bool {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let front = long.iter().zip(short).take_while(|(x, y)| x == y).count();
    let rest = |word: &[char], from: usize| word.get(from..).unwrap_or_default().to_vec();
    match long.len() - short.len() {
        0 => {
            let swapped = match (
                long.get(front),
                long.get(front + 1),
                short.get(front),
                short.get(front + 1),
            ) {
                (Some(x1), Some(x2), Some(y1), Some(y2)) => x1 == y2 && x2 == y1,
                _ => false,
            };
            rest(long, front + 1) == rest(short, front + 1)
                || (swapped && rest(long, front + 2) == rest(short, front + 2))
        }
        1 => rest(long, front + 1) == rest(short, front),
        _ => false,
    }
}

/// For each word, the number of the word that it is read as: mostly itself. `counts`: contributions that have it.
pub(super) fn read_as(words: &[String], counts: &[u32]) -> Vec<u32> {
    let letters: Vec<Vec<char>> = words.iter().map(|word| word.chars().collect()).collect();
    let mut common = Vec::new();
    for (number, word) in letters.iter().enumerate() {
        if counts[number] >= COMMON && word.len() + 1 >= LONG {
            spellings(word, |hash| common.push((hash, number as u32)));
        }
    }
    common.sort_unstable();
    let mut read: Vec<u32> = (0..words.len() as u32).collect();
    for (number, word) in letters.iter().enumerate() {
        let digits = word.iter().any(char::is_ascii_digit);
        if counts[number] > RARE || word.len() < LONG || digits {
            continue;
        }
        let mut best: Option<(u32, std::cmp::Reverse<&str>, u32)> = None;
        spellings(word, |hash| {
            let first = common.partition_point(|entry| entry.0 < hash);
            let same = common[first..].iter().take_while(|entry| entry.0 == hash);
            for &(_, other) in same {
                let at = other as usize;
                let place = (counts[at], std::cmp::Reverse(words[at].as_str()), other);
                if within_one(word, &letters[at]) && best.is_none_or(|best| best < place) {
                    best = Some(place);
                }
            }
        });
        if let Some((_, _, other)) = best {
            read[number] = other;
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letters(word: &str) -> Vec<char> {
        word.chars().collect()
    }

    /// All words that one edit makes, over a small alphabet.
    fn edits(word: &[char], alphabet: &[char]) -> Vec<Vec<char>> {
        let mut all = vec![word.to_vec()];
        for at in 0..=word.len() {
            let (head, tail) = word.split_at(at);
            if let [_, rest @ ..] = tail {
                all.push([head, rest].concat());
                all.extend(alphabet.iter().map(|c| [head, &[*c], rest].concat()));
            }
            if let [x, y, rest @ ..] = tail {
                all.push([head, &[*y, *x], rest].concat());
            }
            all.extend(alphabet.iter().map(|c| [head, &[*c], tail].concat()));
        }
        all
    }

    proptest! {
        #[test]
        fn one_edit_is_what_it_says(a in "[abc]{0,5}", b in "[abc]{0,5}") {
            let (a, b) = (letters(&a), letters(&b));
            prop_assert_eq!(within_one(&a, &b), edits(&a, &['a', 'b', 'c']).contains(&b));
        }
    }

    #[test]
    fn a_slip_is_mended_and_a_shared_error_is_not() {
        let words: Vec<String> = [
            "ville", "vilel", "vile", "villle", "vlle", "budgets", "2019a", "20190",
        ]
        .iter()
        .map(|word| (*word).to_owned())
        .collect();
        let read = read_as(&words, &[90, 1, 1, 2, 3, 1, 1, 50]);
        // «vile» has four letters, «vlle» is in three contributions, «2019a» has digits.
        assert_eq!(read, [0, 0, 2, 0, 4, 5, 6, 7]);
    }

    #[test]
    fn of_two_words_the_more_frequent_is_meant() {
        let words: Vec<String> = ["porte", "porta", "portx"]
            .iter()
            .map(|w| (*w).to_owned())
            .collect();
        assert_eq!(read_as(&words, &[10, 20, 1]), [0, 1, 1]);
        assert_eq!(read_as(&words, &[20, 20, 1]), [0, 1, 1]);
    }
}
