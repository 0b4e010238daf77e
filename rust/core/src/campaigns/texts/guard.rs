//! Do two texts that share most of their words say the opposite?
//!
//! «Les chats sont gris» and «les chats ne sont pas gris» share nearly all words and are not one message. Two texts are aligned word by word; where they
//! differ by a few words, at most [`DIFFERENCE`] on either side, of which one side has a negation and the other has none, the aligned words within
//! [`REACH`] on each side are *turned*. If these are more than half of the shorter text, the texts are opposed. So one «not» turns a short text, and does
//! not part a long letter from its copies; a sentence that stands elsewhere, or is left out, turns nothing: whoever puts a stray negation into each copy
//! evades nothing.
//!
//! Words of negation and refusal: French, English, Spanish, folded without accents. «Ne» alone is none (it is left out in speech, and «ne … que» denies
//! nothing). Cost: one alignment. Not guaranteed: irony, and whatever a list of words can't see.

use super::words::Corpus;
use crate::neardup::align::Aligner;

/// Aligned words that a negation reaches, on each side.
const REACH: usize = 6;
/// Words of either text that stand in the place of each other, at most, where a negation makes the difference.
const DIFFERENCE: usize = 4;
/// Aligned words that two texts have at least, so that one can oppose the other.
const FEWEST: usize = 2;

const DENIALS: [&str; 42] = [
    // French
    "pas",
    "non",
    "jamais",
    "aucun",
    "aucune",
    "rien",
    "ni",
    "nullement",
    "guere",
    "contre",
    "oppose",
    "opposee",
    "opposes",
    "opposons",
    "defavorable",
    "defavorables",
    "desaccord",
    "refuse",
    "refusons",
    "rejette", // English
    "not",
    "no",
    "never",
    "nor",
    "neither",
    "cannot",
    "against",
    "opposed",
    "disagree",
    "reject",
    "nothing",
    "nobody", // Spanish
    "nunca",
    "jamas",
    "tampoco",
    "ningun",
    "ninguna",
    "nada",
    "contra",
    "rechazo",
    "desacuerdo",
    "opongo",
];
/// What stands before «t» in «don't».
const BEFORE_T: [&str; 17] = [
    "don", "doesn", "didn", "isn", "aren", "wasn", "weren", "won", "wouldn", "can", "couldn",
    "shouldn", "hasn", "haven", "hadn", "mustn", "needn",
];

/// Words of denial, by the numbers of a corpus.
pub struct Guard {
    denies: Vec<bool>,
    before_t: Vec<bool>,
    t: Option<u32>,
    aligner: Aligner,
}

impl Guard {
    /// For the words of a corpus.
    #[must_use]
    pub fn new(corpus: &Corpus) -> Self {
        let among = |list: &[&str]| -> Vec<bool> {
            let names = corpus.names.iter().zip(&corpus.address);
            names
                .map(|(name, address)| !address && list.contains(&name.as_str()))
                .collect()
        };
        let t = corpus.names.iter().position(|name| name == "t");
        Self {
            denies: among(&DENIALS),
            before_t: among(&BEFORE_T),
            t: t.map(|t| t as u32),
            aligner: Aligner::default(),
        }
    }

    fn denial(&self, words: &[u32], from: usize, to: usize) -> bool {
        (from..to).any(|at| {
            let word = words[at];
            self.denies[word as usize]
                || (Some(word) == self.t && at > 0 && self.before_t[words[at - 1] as usize])
        })
    }

    /// Whether one text says the opposite of another.
    pub fn opposed(&mut self, a: &[u32], b: &[u32]) -> bool {
        if a == b {
            return false;
        }
        let mut aligner = std::mem::take(&mut self.aligner);
        let runs = aligner.align(a, b, &[], 1);
        let aligned: usize = runs.iter().map(|run| run.len).sum();
        // Aligned words before each difference in which just one of the texts denies.
        let (mut before, mut at_a, mut at_b, mut turns) = (0, 0, 0, Vec::new());
        let ends = runs.iter().map(|run| (run.a, run.b, run.len));
        for (next_a, next_b, len) in ends.chain([(a.len(), b.len(), 0)]) {
            let small = (next_a - at_a).max(next_b - at_b) <= DIFFERENCE;
            if small && self.denial(a, at_a, next_a) != self.denial(b, at_b, next_b) {
                turns.push(before);
            }
            before += len;
            (at_a, at_b) = (next_a + len, next_b + len);
        }
        self.aligner = aligner;
        let (mut turned, mut done) = (0, 0);
        for turn in turns {
            let from = turn.saturating_sub(REACH).max(done);
            let to = (turn + REACH).min(aligned);
            turned += to.saturating_sub(from);
            done = to.max(done);
        }
        aligned >= FEWEST && 2 * turned > a.len().min(b.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::corpus;
    use super::*;

    fn opposed(a: &str, b: &str) -> bool {
        let corpus = corpus(&[(a, 0), (b, 1)]);
        let mut guard = Guard::new(&corpus);
        let found = guard.opposed(corpus.words(0), corpus.words(corpus.text[1]));
        assert_eq!(
            found,
            guard.opposed(corpus.words(corpus.text[1]), corpus.words(0))
        );
        found
    }

    #[test]
    fn a_negation_turns_a_short_text() {
        assert!(opposed("les chats sont gris", "les chats ne sont pas gris"));
        assert!(opposed("the cats are grey", "the cats are not grey"));
        assert!(opposed("we want this tax", "we don't want this tax"));
        assert!(opposed("quiero este proyecto", "no quiero este proyecto"));
        assert!(opposed(
            "je suis pour ce projet",
            "je suis contre ce projet"
        ));
    }

    #[test]
    fn another_word_or_another_negation_turns_nothing() {
        assert!(!opposed("les chats sont gris", "les chats sont noirs"));
        assert!(!opposed(
            "les chats ne sont pas gris",
            "les chats sont pas gris"
        ));
        assert!(!opposed(
            "ce n'est jamais bon pour nous",
            "ce n'est pas bon pour nous"
        ));
        assert!(!opposed("chats", "pas chiens"));
    }

    #[test]
    fn a_negation_elsewhere_does_not_part_a_long_letter() {
        let letter = "nous demandons que la ligne de bus numero quatre circule aussi le dimanche car beaucoup de familles n ont aucune voiture et le marche attire tout le canton";
        assert!(!opposed(letter, &letter.replace("aussi le", "pas que le")));
        assert!(!opposed(
            letter,
            &format!("{letter} et je ne suis pas seul a le dire")
        ));
    }
}
