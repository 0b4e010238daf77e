//! Which words of one text answer to which of another, in order?
//!
//! Patience diff (Bram Cohen): what stands exactly once in both texts is an anchor; the longest chain of anchors in the same order in both
//! (Schensted 1961, by patience sorting) is kept; what lies between two anchors is matched again, by single words that stand once on each
//! side of that gap, and small gaps exactly, by their longest common subsequence.
//!
//! Guarantees: the runs are of equal words, in ascending order in both texts, maximal; the same input gives the same runs. They need not be
//! the longest common subsequence of the whole: that would cost the product of the lengths.
//! Cost: O(n log n) for anchors, at most [`DEPTH`] times; at most [`CELLS`] for a gap that is matched exactly, so 256 steps a word at worst.
//! Memory is linear.

/// Largest table of a gap that is matched exactly.
const CELLS: usize = 1 << 16;
/// How often a gap is divided again by single words before it is given up.
const DEPTH: usize = 8;
/// A gap so many times longer on one side than on the other is left: that a few words occur somewhere in a long passage says nothing.
const LOPSIDED: usize = 64;
/// Short gaps are never too lopsided.
const SHORT: usize = 1024;

/// Equal words: `len` from word `a` of the one and word `b` of the other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First word in a.
    pub a: usize,
    /// First word in b.
    pub b: usize,
    /// Number of words.
    pub len: usize,
}

/// Scratch tables, reused from one pair to the next.
#[derive(Default)]
pub struct Aligner {
    table: Vec<u16>,
    runs: Vec<Run>,
}

/// A part of each text: words `a0..a1` and `b0..b1`.
#[derive(Clone, Copy)]
struct Gap {
    a0: usize,
    a1: usize,
    b0: usize,
    b1: usize,
}

impl Aligner {
    /// Runs of equal words. `anchors`: pairs (word of a, word of b) from which `width` words are equal, ascending in a, no word of either
    /// text twice.
    pub fn align(&mut self, a: &[u32], b: &[u32], anchors: &[(u32, u32)], width: usize) -> &[Run] {
        self.runs.clear();
        let whole = Gap {
            a0: 0,
            a1: a.len(),
            b0: 0,
            b1: b.len(),
        };
        self.between(a, b, whole, anchors, width, 0);
        &self.runs
    }

    /// Lays down the longest chain of anchors in a gap, and fills what lies between.
    fn between(
        &mut self,
        a: &[u32],
        b: &[u32],
        gap: Gap,
        anchors: &[(u32, u32)],
        width: usize,
        depth: usize,
    ) {
        let Gap { mut a0, mut b0, .. } = gap;
        for (i, j) in chain(anchors) {
            let (i, j) = (i as usize, j as usize);
            // Two anchors may overlap, by another number of words in a than in b: then only what is new of the second is laid down.
            let taken = a0.saturating_sub(i).max(b0.saturating_sub(j));
            if taken >= width {
                continue;
            }
            let (start_a, start_b) = (i + taken, j + taken);
            let before = Gap {
                a0,
                a1: start_a,
                b0,
                b1: start_b,
            };
            self.fill(a, b, before, depth);
            self.push(start_a, start_b, width - taken);
            (a0, b0) = (i + width, j + width);
        }
        self.fill(a, b, Gap { a0, b0, ..gap }, depth);
    }

    /// Matches what can be matched in a gap.
    fn fill(&mut self, a: &[u32], b: &[u32], gap: Gap, depth: usize) {
        let Gap {
            mut a0,
            mut a1,
            mut b0,
            mut b1,
        } = gap;
        let front = common(a[a0..a1].iter(), b[b0..b1].iter());
        self.push(a0, b0, front);
        (a0, b0) = (a0 + front, b0 + front);
        let back = common(a[a0..a1].iter().rev(), b[b0..b1].iter().rev());
        (a1, b1) = (a1 - back, b1 - back);
        let (long, short) = ((a1 - a0).max(b1 - b0), (a1 - a0).min(b1 - b0));
        let rest = Gap { a0, a1, b0, b1 };
        let worth = short > 0 && long <= SHORT + LOPSIDED * short;
        if worth && long * short <= CELLS {
            self.exactly(a, b, rest);
        } else if worth && depth < DEPTH {
            let anchors = once_in_both(a, b, rest);
            if !anchors.is_empty() {
                self.between(a, b, rest, &anchors, 1, depth + 1);
            }
        }
        self.push(a1, b1, back);
    }

    /// The longest common subsequence of a small gap; among equally long ones, words of b are passed over last.
    fn exactly(&mut self, a: &[u32], b: &[u32], gap: Gap) {
        let (a_words, b_words) = (&a[gap.a0..gap.a1], &b[gap.b0..gap.b1]);
        let width = b_words.len() + 1;
        // table[i·width + j]: the length for what is left from word i of a and word j of b; at most 256, since short² ≤ CELLS.
        self.table.clear();
        self.table.resize((a_words.len() + 1) * width, 0);
        for i in (0..a_words.len()).rev() {
            for j in (0..b_words.len()).rev() {
                let here = i * width + j;
                self.table[here] = if a_words[i] == b_words[j] {
                    self.table[here + width + 1] + 1
                } else {
                    self.table[here + width].max(self.table[here + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while self.table[i * width + j] > 0 {
            let here = i * width + j;
            if a_words[i] == b_words[j] {
                self.push(gap.a0 + i, gap.b0 + j, 1);
                (i, j) = (i + 1, j + 1);
            } else if self.table[here + width] >= self.table[here + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    fn push(&mut self, a: usize, b: usize, len: usize) {
        if len == 0 {
            return;
        }
        match self.runs.last_mut() {
            Some(run) if run.a + run.len == a && run.b + run.len == b => run.len += len,
            _ => self.runs.push(Run { a, b, len }),
        }
    }
}

fn common<'a>(a: impl Iterator<Item = &'a u32>, b: impl Iterator<Item = &'a u32>) -> usize {
    a.zip(b).take_while(|(x, y)| x == y).count()
}

/// Pairs of places of the words that stand once on each side of a gap, ascending in a.
fn once_in_both(a: &[u32], b: &[u32], gap: Gap) -> Vec<(u32, u32)> {
    let once = |words: &[u32], from: usize| {
        let mut places: Vec<(u32, u32)> = words.iter().copied().zip(from as u32..).collect();
        places.sort_unstable();
        let mut alone = Vec::new();
        for same in places.chunk_by(|x, y| x.0 == y.0) {
            if let [one] = same {
                alone.push(*one);
            }
        }
        alone
    };
    let in_a = once(&a[gap.a0..gap.a1], gap.a0);
    let in_b = once(&b[gap.b0..gap.b1], gap.b0);
    let mut pairs = Vec::new();
    let mut at = 0;
    for (word, i) in in_a {
        while at < in_b.len() && in_b[at].0 < word {
            at += 1;
        }
        if at < in_b.len() && in_b[at].0 == word {
            pairs.push((i, in_b[at].1));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// A longest chain of pairs ascending in both; `pairs` ascend in the first. Patience sorting, O(n log n).
fn chain(pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut tops: Vec<usize> = Vec::new(); // for each length, the pair that ends such a chain lowest
    let mut before: Vec<usize> = Vec::with_capacity(pairs.len());
    for (n, &(_, j)) in pairs.iter().enumerate() {
        let pile = tops.partition_point(|&top| pairs[top].1 < j);
        before.push(if pile == 0 { n } else { tops[pile - 1] });
        match tops.get_mut(pile) {
            Some(top) => *top = n,
            None => tops.push(n),
        }
    }
    let mut links = Vec::with_capacity(tops.len());
    let mut at = tops.last().copied();
    while let Some(n) = at {
        links.push(pairs[n]);
        at = (before[n] != n).then(|| before[n]);
    }
    links.reverse();
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<u32> {
        text.bytes().map(u32::from).collect()
    }

    /// Length of the longest common subsequence, by its definition.
    fn longest(a: &[u32], b: &[u32]) -> usize {
        match (a, b) {
            ([x, a_rest @ ..], [y, b_rest @ ..]) if x == y => 1 + longest(a_rest, b_rest),
            ([_, a_rest @ ..], [_, b_rest @ ..]) => longest(a_rest, b).max(longest(a, b_rest)),
            _ => 0,
        }
    }

    fn check(a: &[u32], b: &[u32], runs: &[Run]) {
        let (mut a0, mut b0) = (0, 0);
        for (n, run) in runs.iter().enumerate() {
            assert!(run.a >= a0 && run.b >= b0 && run.len > 0);
            assert!(
                n == 0 || run.a > a0 || run.b > b0,
                "two runs that touch are one"
            );
            assert_eq!(a[run.a..run.a + run.len], b[run.b..run.b + run.len]);
            (a0, b0) = (run.a + run.len, run.b + run.len);
        }
    }

    #[test]
    fn a_word_that_is_put_in_leaves_one_gap() {
        let (a, b) = (words("abcdefgh"), words("abcdXefgh"));
        let mut aligner = Aligner::default();
        let expected = [Run { a: 0, b: 0, len: 4 }, Run { a: 4, b: 5, len: 4 }];
        assert_eq!(aligner.align(&a, &b, &[], 3), expected);
    }

    #[test]
    fn the_longest_chain_is_that_of_patience_sorting() {
        let pairs = [(0, 3), (1, 1), (2, 2), (3, 0), (4, 5)];
        assert_eq!(chain(&pairs), [(1, 1), (2, 2), (4, 5)]);
        assert!(chain(&[]).is_empty());
    }

    #[test]
    fn a_long_gap_is_divided_by_words_that_stand_once() {
        let a: Vec<u32> = (0..2000).collect();
        let b: Vec<u32> = (0..2000)
            .map(|n| if n % 2 == 0 { n } else { n + 5000 })
            .collect();
        let mut aligner = Aligner::default();
        let runs = aligner.align(&a, &b, &[], 3);
        check(&a, &b, runs);
        assert_eq!(runs.len(), 1000);
    }

    #[test]
    fn long_gaps_of_one_word_are_left_rather_than_quadratic() {
        let mut a = vec![7; 50_000];
        let mut b = vec![7; 40_000];
        (a[0], b[0]) = (1, 2);
        (a[49_999], b[39_999]) = (3, 4);
        assert!(Aligner::default().align(&a, &b, &[], 3).is_empty());
    }

    proptest! {
        #[test]
        fn a_small_gap_is_matched_by_a_longest_common_subsequence(a in prop::collection::vec(0u32..4, 0..9), b in prop::collection::vec(0u32..4, 0..9)) {
            let mut aligner = Aligner::default();
            let runs = aligner.align(&a, &b, &[], 3).to_vec();
            check(&a, &b, &runs);
            prop_assert_eq!(runs.iter().map(|run| run.len).sum::<usize>(), longest(&a, &b));
        }

        #[test]
        fn anchors_that_overlap_give_runs_in_order(a in prop::collection::vec(0u32..9, 0..60), b in prop::collection::vec(0u32..9, 0..60), width in 1usize..4) {
            let mut anchors = Vec::new();
            for i in 0..(a.len() + 1).saturating_sub(width) {
                let alike = |words: &[u32]| -> Vec<usize> {
                    words.windows(width).enumerate().filter(|(_, w)| *w == &a[i..i + width]).map(|(n, _)| n).collect()
                };
                if let ([_], [j]) = (alike(&a).as_slice(), alike(&b).as_slice()) {
                    anchors.push((i as u32, *j as u32));
                }
            }
            let mut aligner = Aligner::default();
            let runs = aligner.align(&a, &b, &anchors, width).to_vec();
            check(&a, &b, &runs);
        }
    }
}
