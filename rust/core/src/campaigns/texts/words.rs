//! Which words has each contribution, and which contributions have the same?
//!
//! Words are those of «klero-text/1» without accents, with slips of the pen mended ([`spelling`](super::spelling)). An address of the web or of e-mail is
//! one word, whatever it is made of: whoever follows the same link has not written the same text. Contributions with the same words are one *text*; all
//! that follows counts texts and, for each, its authors.
//!
//! Guarantees: words are numbered by their hashes, texts by their first contribution, so nothing depends on threads. Cost: linear; memory 4 bytes a word.

use std::collections::HashMap;

use super::spelling;
use crate::keywords::addresses;
use crate::neardup::crew::Crew;
use crate::neardup::Texts;
use crate::text::{hash, Reader, Reading};

/// Of a contribution without words: it has no text.
pub const NO_TEXT: u32 = u32::MAX;

/// Rows that are read at once.
const BLOCK: usize = 256;
/// What the hash of an address begins with, so that it is no word's.
const ADDRESS: u64 = 0x9e37_79b9_7f4a_7c15;

/// What is known of the contributions beside their texts, a number for each.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Numbers of accounts.
    pub author: Vec<u32>,
    /// Numbers of questions; one without a question has the last number, which has no name.
    pub question: Vec<u32>,
    /// -1 against, 1 for; anything else is not known.
    pub stance: Vec<i8>,
}

/// All contributions, read.
#[derive(Debug)]
pub struct Corpus {
    /// Each word, folded.
    pub names: Vec<String>,
    /// Whether a word is an address.
    pub address: Vec<bool>,
    /// The text of each row, or [`NO_TEXT`].
    pub text: Vec<u32>,
    /// Hash of the words of each row as they were written, before slips are mended.
    pub written: Vec<u128>,
    /// What is known of the rows.
    pub facts: Facts,
    /// The words of each question's name.
    pub questions: Vec<Vec<u32>>,
    words: Vec<u32>,
    ends: Vec<usize>,
    rows: Vec<u32>,
    row_ends: Vec<usize>,
    authors: Vec<u32>,
    author_ends: Vec<usize>,
}

/// Numbers the words of one text after the other, as they are met.
struct Cutter {
    reader: Reader,
    numbers: HashMap<u64, u32>,
    /// Hash, word, whether it is an address.
    names: Vec<(u64, String, bool)>,
    words: Vec<u32>,
}

impl Cutter {
    fn new() -> Self {
        Self {
            reader: Reader::new(Reading {
                shingle: 1,
                fold_accents: true,
            }),
            numbers: HashMap::new(),
            names: Vec::new(),
            words: Vec::new(),
        }
    }

    fn cut(&mut self, text: &str) {
        self.words.clear();
        let mut from = 0;
        for address in addresses(text) {
            self.plain(text.get(from..address.start).unwrap_or_default());
            self.address(text.get(address.clone()).unwrap_or_default());
            from = address.end;
        }
        self.plain(text.get(from..).unwrap_or_default());
    }

    fn plain(&mut self, text: &str) {
        let (numbers, names, words) = (&mut self.numbers, &mut self.names, &mut self.words);
        self.reader.words(text, |word| {
            let hash = hash::word(word.as_bytes());
            words.push(*numbers.entry(hash).or_insert_with(|| {
                names.push((hash, word.to_owned(), false));
                names.len() as u32 - 1
            }));
        });
    }

    /// An address by its words, so that «www.» written large or with a stop behind it is the same.
    fn address(&mut self, text: &str) {
        let (mut hash, mut folded) = (ADDRESS, Vec::new());
        self.reader.words(text, |word| {
            hash = hash.rotate_left(7) ^ hash::word(word.as_bytes());
            folded.push(word.to_owned());
        });
        if !folded.is_empty() {
            let names = &mut self.names;
            self.words
                .push(*self.numbers.entry(hash).or_insert_with(|| {
                    names.push((hash, folded.join(" "), true));
                    names.len() as u32 - 1
                }));
        }
    }
}

/// The words of some rows, as one thread numbered them: the block, the words, and where each row ends.
type Block = (usize, Vec<u32>, Vec<usize>);

/// All words by hash, ascending, and the words of each text as places among them.
type Numbered = (Vec<(u64, String, bool)>, Vec<Vec<u32>>);

/// Reads texts, and some more. None if it was stopped.
fn numbered<T: Texts + ?Sized>(crew: &Crew<'_>, texts: &T, more: &[String]) -> Option<Numbered> {
    let rows = texts.len();
    let hand = || (Cutter::new(), Vec::<Block>::new(), Vec::new());
    let mut hands = crew.share(
        "reading",
        rows.div_ceil(BLOCK),
        hand,
        |(cutter, blocks, scratch), number| {
            let (mut words, mut ends) = (Vec::new(), Vec::new());
            for row in number * BLOCK..rows.min((number + 1) * BLOCK) {
                texts.with(row as u32, scratch, |text| {
                    cutter.cut(&String::from_utf8_lossy(text));
                });
                words.extend_from_slice(&cutter.words);
                ends.push(words.len());
            }
            blocks.push((number, words, ends));
        },
    )?;
    let mut last = Cutter::new();
    let mut block = (rows.div_ceil(BLOCK), Vec::new(), Vec::new());
    for text in more {
        last.cut(text);
        block.1.extend_from_slice(&last.words);
        block.2.push(block.1.len());
    }
    hands.push((last, vec![block], Vec::new()));
    let hashes = hands.iter().flat_map(|(cutter, ..)| &cutter.names);
    let mut hashes: Vec<u64> = hashes.map(|name| name.0).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let mut names = vec![(0, String::new(), false); hashes.len()];
    let mut blocks = Vec::new();
    for (cutter, some, _) in hands {
        let place = |name: &(u64, String, bool)| hashes.partition_point(|hash| *hash < name.0);
        let places: Vec<u32> = cutter.names.iter().map(|name| place(name) as u32).collect();
        for (name, place) in cutter.names.into_iter().zip(&places) {
            names[*place as usize] = name;
        }
        blocks.extend(some.into_iter().map(|(number, mut words, ends)| {
            words
                .iter_mut()
                .for_each(|word| *word = places[*word as usize]);
            (number, words, ends)
        }));
    }
    blocks.sort_unstable_by_key(|block| block.0);
    let mut all: Vec<Vec<u32>> = Vec::with_capacity(rows + more.len());
    for (_, words, ends) in &blocks {
        let mut from = 0;
        for end in ends {
            all.push(words.get(from..*end).unwrap_or_default().to_vec());
            from = *end;
        }
    }
    Some((names, all))
}

impl Corpus {
    /// Reads all contributions; `questions` are the names of the questions. None if it was stopped.
    ///
    /// Facts that are too short are filled up: authors by numbers of their own, questions by none.
    pub fn read<T: Texts + ?Sized>(
        crew: &Crew<'_>,
        texts: &T,
        mut facts: Facts,
        questions: &[String],
    ) -> Option<Self> {
        let rows = texts.len();
        let (names, mut read) = numbered(crew, texts, questions)?;
        let mut asked = read.split_off(rows);
        let fresh = facts.author.iter().max().map_or(0, |most| most + 1);
        let short = facts.author.len() as u32;
        facts
            .author
            .extend((short..rows as u32).map(|row| fresh + row));
        facts.question.resize(rows, questions.len() as u32);
        for question in &mut facts.question {
            *question = (*question).min(questions.len() as u32);
        }
        facts.stance.resize(rows, 2);
        let hashes: Vec<u64> = names.iter().map(|name| name.0).collect();
        let address: Vec<bool> = names.iter().map(|name| name.2).collect();
        let names: Vec<String> = names.into_iter().map(|name| name.1).collect();
        let written = read.iter().map(|words| {
            let hashes: Vec<u64> = words.iter().map(|word| hashes[*word as usize]).collect();
            hash::sequence(&hashes)
        });
        let written = written.collect();
        let mended = spelling::read_as(&names, &contributions_with(&read, names.len()));
        for words in read.iter_mut().chain(&mut asked) {
            for word in words {
                if !address[*word as usize] {
                    *word = mended[*word as usize];
                }
            }
        }
        asked.push(Vec::new());
        let mut corpus = Self {
            names,
            address,
            text: Vec::with_capacity(rows),
            written,
            facts,
            questions: asked,
            words: Vec::new(),
            ends: Vec::new(),
            rows: Vec::new(),
            row_ends: Vec::new(),
            authors: Vec::new(),
            author_ends: Vec::new(),
        };
        corpus.join_copies(read);
        Some(corpus)
    }

    /// Numbers the texts, and lists their rows and authors.
    fn join_copies(&mut self, read: Vec<Vec<u32>>) {
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
        for words in read {
            if words.is_empty() {
                self.text.push(NO_TEXT);
                continue;
            }
            let next = self.ends.len() as u32;
            let number = *numbers.entry(words).or_insert_with_key(|words| {
                self.words.extend_from_slice(words);
                self.ends.push(self.words.len());
                next
            });
            self.text.push(number);
        }
        let mut order: Vec<(u32, u32)> = (self.text.iter().copied().zip(0..))
            .filter(|(text, _)| *text != NO_TEXT)
            .collect();
        order.sort_unstable();
        for same in order.chunk_by(|a, b| a.0 == b.0) {
            self.rows.extend(same.iter().map(|(_, row)| *row));
            self.row_ends.push(self.rows.len());
            let mut authors: Vec<u32> = same
                .iter()
                .map(|(_, row)| self.facts.author[*row as usize])
                .collect();
            authors.sort_unstable();
            authors.dedup();
            self.authors.extend_from_slice(&authors);
            self.author_ends.push(self.authors.len());
        }
    }

    /// Number of different texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The words of a text.
    #[must_use]
    pub fn words(&self, text: u32) -> &[u32] {
        part(&self.words, &self.ends, text)
    }

    /// The rows that have a text, ascending.
    #[must_use]
    pub fn rows(&self, text: u32) -> &[u32] {
        part(&self.rows, &self.row_ends, text)
    }

    /// The authors of a text, ascending.
    #[must_use]
    pub fn authors(&self, text: u32) -> &[u32] {
        part(&self.authors, &self.author_ends, text)
    }

    /// The question that a text answers: that of its first row.
    #[must_use]
    pub fn question(&self, text: u32) -> u32 {
        let row = self.rows(text).first().copied().unwrap_or_default();
        let none = self.questions.len().saturating_sub(1) as u32;
        self.facts
            .question
            .get(row as usize)
            .copied()
            .unwrap_or(none)
    }
}

fn part<'a>(values: &'a [u32], ends: &[usize], at: u32) -> &'a [u32] {
    let at = at as usize;
    let start = if at == 0 { 0 } else { ends[at - 1] };
    &values[start..ends[at]]
}

/// Where each word of a text stands in it, in bytes: the words that [`Corpus::words`] has of it, an address as one.
pub fn places(reader: &mut Reader, text: &str) -> Vec<(usize, usize)> {
    let (mut all, mut spans, mut from) = (Vec::new(), Vec::new(), 0);
    let mut some = |from: usize, to: usize, whole: bool| {
        reader.spans(text.get(from..to).unwrap_or_default(), &mut spans);
        let places = spans
            .iter()
            .map(|span| (from + span.start, from + span.end));
        match (whole, spans.first(), spans.last()) {
            (true, Some(first), Some(last)) => all.push((from + first.start, from + last.end)),
            _ => all.extend(places),
        }
    };
    for address in addresses(text) {
        some(from, address.start, false);
        some(address.start, address.end, true);
        from = address.end;
    }
    some(from, text.len(), false);
    all
}

/// How many contributions have each word.
fn contributions_with(read: &[Vec<u32>], words: usize) -> Vec<u32> {
    let (mut counts, mut last) = (vec![0u32; words], vec![u32::MAX; words]);
    for (row, read) in (0u32..).zip(read) {
        for word in read {
            let word = *word as usize;
            if last[word] != row {
                last[word] = row;
                counts[word] += 1;
            }
        }
    }
    counts
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::neardup::crew::Stop;

    /// A corpus of texts by authors, all on one question.
    pub(in super::super) fn corpus(texts: &[(&str, u32)]) -> Corpus {
        corpus_on(texts, &["de quoi s’agit-il ?"], &[])
    }

    /// The same with questions and stances.
    pub(in super::super) fn corpus_on(
        texts: &[(&str, u32)],
        questions: &[&str],
        stance: &[i8],
    ) -> Corpus {
        let (texts, author): (Vec<&str>, Vec<u32>) = texts.iter().copied().unzip();
        let questions: Vec<String> = questions.iter().map(|name| (*name).to_owned()).collect();
        let facts = Facts {
            question: vec![0; texts.len()],
            author,
            stance: stance.to_vec(),
        };
        let stop = Stop::new();
        let crew = Crew {
            threads: 2,
            watch: &|_, _| true,
            stop: &stop,
        };
        Corpus::read(&crew, texts.as_slice(), facts, &questions).unwrap_or_else(|| unreachable!())
    }

    fn said(corpus: &Corpus, text: u32) -> String {
        let names: Vec<&str> = corpus
            .words(text)
            .iter()
            .map(|word| corpus.names[*word as usize].as_str())
            .collect();
        names.join(" ")
    }

    #[test]
    fn texts_with_the_same_words_are_one() {
        let corpus = corpus(&[
            ("Été, à Lille !", 4),
            ("", 1),
            ("ete a LILLE", 3),
            ("ete", 4),
            ("Été à Lille", 4),
        ]);
        assert_eq!(corpus.text, [0, NO_TEXT, 0, 1, 0]);
        assert_eq!(
            (corpus.rows(0), corpus.authors(0)),
            ([0, 2, 4].as_slice(), [3, 4].as_slice())
        );
        assert_eq!(said(&corpus, 0), "ete a lille");
    }

    #[test]
    fn an_address_is_one_word() {
        let corpus = corpus(&[
            ("voir https://a.fr/b?c=d ici", 0),
            ("voir HTTPS://A.fr/b?c=d. ici", 1),
            ("voir www.a.fr ici", 2),
        ]);
        assert_eq!(corpus.text, [0, 0, 1]);
        assert_eq!(corpus.words(0).len(), 3);
        assert_eq!(
            corpus
                .words(0)
                .iter()
                .filter(|word| corpus.address[**word as usize])
                .count(),
            1
        );
    }

    #[test]
    fn places_are_those_of_the_words() {
        let text = "Été : voir https://a.fr/b?c=d. Ici !";
        let mut reader = Reader::new(Reading {
            shingle: 1,
            fold_accents: true,
        });
        let found: Vec<&str> = places(&mut reader, text)
            .iter()
            .map(|(from, to)| &text[*from..*to])
            .collect();
        assert_eq!(found, ["Été", "voir", "https://a.fr/b?c=d", "Ici"]);
        assert_eq!(found.len(), corpus(&[(text, 0)]).words(0).len());
    }

    #[test]
    fn a_slip_is_mended_but_what_was_written_is_known() {
        let mut texts = vec![("la mairie ouvre", 0), ("la mairei ouvre", 1)];
        texts.extend([("mairie", 2); 8]);
        let corpus = corpus(&texts);
        assert_eq!(corpus.text[..2], [0, 0]);
        assert_ne!(corpus.written[0], corpus.written[1]);
    }
}
