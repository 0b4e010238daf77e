//! How fast are texts read? `cargo run --release -p klero-core --example text_speed -- [texts] [rounds]`
//!
//! Texts of 20 to 200 words, drawn from a French vocabulary with few common words and many rare ones, with French punctuation. Prints the
//! best of the rounds, and a checksum so that two builds can be compared.

use std::hint::black_box;
use std::time::Instant;

use klero_core::text::{Reader, Reading};

const COMMON: [&str; 40] = [
    "de", "la", "le", "et", "les", "des", "en", "un", "du", "une", "que", "est", "pour", "qui",
    "dans", "a", "par", "plus", "pas", "au", "sur", "ne", "se", "ce", "il", "sont", "avec", "nous",
    "à", "être", "très", "même", "où", "déjà", "ça", "leur", "aux", "on", "mais", "ou",
];
const SYLLABLES: [&str; 24] = [
    "é", "con", "ta", "tion", "ment", "re", "pro", "li", "ci", "té", "mo", "bi", "vi", "le", "ra",
    "é", "ci", "toy", "en", "ne", "mé", "po", "gie", "que",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }
}

fn text(dice: &mut Dice, rare: &[String]) -> String {
    let mut text = String::new();
    let words = 20 + dice.roll(181);
    for at in 0..words {
        if at > 0 {
            text.push_str(match dice.roll(24) {
                0 | 1 => ", ",
                2 => ". ",
                3 if dice.roll(3) == 0 => " « ",
                _ => " ",
            });
        }
        if dice.roll(20) == 0 {
            text.push_str(["l’", "d’", "qu’", "L’"][dice.roll(4)]);
        }
        if dice.roll(20) < 15 {
            text.push_str(COMMON[dice.roll(COMMON.len())]);
        } else {
            text.push_str(&rare[dice.roll(rare.len())]);
        }
    }
    text
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse::<usize>().ok());
    let (texts, rounds) = (
        arguments.next().unwrap_or(20_000),
        arguments.next().unwrap_or(7),
    );
    let mut dice = Dice(1);
    let rare: Vec<String> = (0..20_000)
        .map(|_| {
            (0..1 + dice.roll(4))
                .map(|_| SYLLABLES[dice.roll(SYLLABLES.len())])
                .collect()
        })
        .collect();
    let texts: Vec<String> = (0..texts).map(|_| text(&mut dice, &rare)).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let general: Vec<String> = texts.iter().map(|text| format!("{text} ½")).collect();
    let kinds = [
        ("Latin", &texts, false, false),
        ("Latin without accents", &texts, true, false),
        ("general", &general, false, false),
        ("as specified", &texts, false, true),
    ];
    for (name, texts, fold_accents, slow) in kinds {
        let rounds = if slow { 1 } else { rounds };
        let mut reader = Reader::new(Reading {
            shingle: 3,
            fold_accents,
        });
        let (mut best, mut words, mut check) = (f64::INFINITY, 0, 0u128);
        for _ in 0..rounds {
            (words, check) = (0, 0);
            let start = Instant::now();
            for text in texts {
                let text = black_box(text.as_bytes());
                let read = if slow {
                    reader.read_as_specified(text)
                } else {
                    reader.read(text)
                };
                words += read.words;
                check = check.wrapping_mul(3).wrapping_add(
                    read.sequence ^ u128::from(read.shingles[read.shingles.len() / 2]),
                );
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        let n = texts.len() as f64;
        println!(
            "{name}: {:.0} bytes and {:.0} words a text, {:.0} ns, {:.0} texts/s, checksum {check:032x}",
            bytes as f64 / n,
            words as f64 / n,
            best / n * 1e9,
            n / best,
        );
    }
}
