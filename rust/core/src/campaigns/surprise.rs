//! How surprising is it that these accounts vote as if by one script, if nothing but their opinions and leanings was at work?
//!
//! **Without a script** a member votes as the likeliest opinion group *among the others* does, tilted by the member's own leaning ([`super::rates`]). The group is left out when opinions
//! are cut into cells and rates are counted, so that a campaign cannot explain itself; each member is given the cell that explains it best, of any size, so that opinions explain as much as they can.
//!
//! **With a script** each vote is as the script says, but for a share δ of votes, which are as above. What the script says on an item is not known: it is each choice with
//! the item's rates over all voters. The quotient of both probabilities, Π_i Σ_s π_i(s) Π_u [(1 − δ) 1(x_ui = s) / p_ui(x_ui) + δ], has mean 1 without a script: it is an e-value
//! (Vovk and Wang 2021), so P(quotient ≥ x) ≤ 1/x for any given group, and at most C(n, m) / x for the best of all groups of m among n. δ is one of [`DEVIATING`]; the best counts, divided by
//! their number. A member's own evidence is what the quotient loses without it.
//!
//! Guarantees: the e-value is exact where votes are independent given the rates; real votes are not quite, and the caller tempers it. Members are those whose evidence pays for
//! picking them, ln(n / m); a group below [`LEAST`] is none. Cost for each group: O(votes) to count, members · votes · depth · [`LEANING_ROUNDS`] for their rates. Memory: cells · items.

use super::ballots::{Ballots, CHOICES};
use super::opinions::{cells, Cell, Place, MOST};
use super::rates::{add, lean, mixed, shares, smoothed, tilted, Three, ITEM_PRIOR};
use crate::embed::log::ln;
use crate::neardup::crew::Crew;

/// The fewest accounts of a group: pairs are told too, to see how common they are.
pub const LEAST: usize = 2;
/// Accounts beyond the size of a group that may join at once.
const JOINING: usize = 5;
/// Shares of votes that follow no script.
pub const DEVIATING: [f64; 4] = [0.03, 0.1, 0.2, 0.3];
/// How often a member's leaning is moved.
const LEANING_ROUNDS: usize = 6;
/// How often members are dropped and found.
const ROUNDS: usize = 5;

/// What is known of all voters.
pub struct Setting<'a> {
    /// The votes.
    pub ballots: &'a Ballots,
    /// Where opinions are.
    pub places: &'a [Option<Place>],
    /// Probabilities without opinion groups, for each vote.
    pub plain: &'a [Three],
    /// Rates of the items over all.
    pub base: &'a [Three],
    /// The sum of ln 1, ln 2, … up to the number of voters, at 0, 1, 2, …
    pub factorials: Vec<f64>,
    /// At most so many opinion groups.
    pub cells: usize,
}

/// A group, and how surprising it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// Its accounts, ascending.
    pub members: Vec<u32>,
    /// ln of the e-value, for the best δ, divided by the number of these.
    pub evidence: f64,
    /// Of each member: by how much less it would be without it.
    pub own: Vec<f64>,
    /// Which δ.
    pub deviating: usize,
}

impl Setting<'_> {
    /// ln C(n, m).
    #[must_use]
    pub fn choices(&self, members: usize) -> f64 {
        let n = self.ballots.voters();
        self.factorials[n] - self.factorials[members] - self.factorials[n - members]
    }
}

/// ln 0!, ln 1!, … ln n!.
#[must_use]
pub fn factorials(n: usize) -> Vec<f64> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for k in 1..=n {
        sum += ln(k as f64);
        sums.push(sum);
    }
    sums
}

/// Rates of all cells among the others.
pub struct Others {
    tree: Vec<Cell>,
    rates: Vec<Three>,
    items: usize,
}

impl Others {
    /// Everybody but the group.
    #[must_use]
    pub fn without(setting: &Setting<'_>, group: &[u32]) -> Self {
        let ballots = setting.ballots;
        let (voters, items) = (ballots.voters(), ballots.items());
        let mut out = vec![false; voters];
        group.iter().for_each(|voter| out[*voter as usize] = true);
        let tree = cells(setting.places, &out, setting.cells.min(MOST));
        let mut counts = vec![[0.0; CHOICES]; tree.len() * items];
        for (at, cell) in tree.iter().enumerate().rev() {
            if let Some((left, right)) = cell.parts {
                for item in 0..items {
                    let sum = [0, 1, 2].map(|choice: usize| {
                        counts[left * items + item][choice] + counts[right * items + item][choice]
                    });
                    counts[at * items + item] = sum;
                }
            } else {
                for vote in cell
                    .voters
                    .iter()
                    .flat_map(|voter| ballots.of(*voter as usize))
                {
                    counts[at * items + ballots.item(vote)][ballots.choice(vote)] += 1.0;
                }
            }
        }
        // Those with too few votes for a place count among all.
        let placed = |voter: &usize| setting.places[*voter].is_some() || out[*voter];
        for vote in (0..voters)
            .filter(|voter| !placed(voter))
            .flat_map(|voter| ballots.of(voter))
        {
            counts[ballots.item(vote)][ballots.choice(vote)] += 1.0;
        }
        let mut rates = smoothed(&counts[..items]);
        rates.reserve(counts.len() - items);
        for (at, cell) in tree.iter().enumerate().skip(1) {
            for item in 0..items {
                let prior = rates[cell.parent * items + item];
                rates.push(mixed(&counts[at * items + item], &prior, ITEM_PRIOR));
            }
        }
        Self { tree, rates, items }
    }

    /// The rates of the items over all others.
    #[must_use]
    pub fn base(&self) -> &[Three] {
        &self.rates[..self.items]
    }

    /// The probabilities of a voter's votes in the cell that explains them best, going down from the first.
    #[must_use]
    pub fn of(&self, ballots: &Ballots, voter: usize) -> Vec<Three> {
        let mut best = self.within(ballots, voter, 0);
        let mut at = 0;
        while let Some((left, right)) = self.tree[at].parts {
            let (a, b) = (
                self.within(ballots, voter, left),
                self.within(ballots, voter, right),
            );
            let (part, next) = if b.0 > a.0 { (b, right) } else { (a, left) };
            if part.0 > best.0 {
                best = part;
            }
            at = next;
        }
        best.1
    }

    /// Log-likelihood and probabilities of a voter's votes in a cell, with the leaning fitted.
    fn within(&self, ballots: &Ballots, voter: usize, cell: usize) -> (f64, Vec<Three>) {
        let rate = |vote: usize| &self.rates[cell * self.items + ballots.item(vote)];
        let (mut counts, mut usual) = ([0.0; CHOICES], [0.0; CHOICES]);
        for vote in ballots.of(voter) {
            counts[ballots.choice(vote)] += 1.0;
            add(&mut usual, rate(vote));
        }
        let usual = shares(usual);
        let mut leaning = [1.0; CHOICES];
        for _ in 0..LEANING_ROUNDS {
            let mut given = [0.0; CHOICES];
            for vote in ballots.of(voter) {
                add(&mut given, &tilted(&leaning, rate(vote)));
            }
            lean(&mut leaning, &counts, &given, &usual);
        }
        let chances: Vec<Three> = ballots
            .of(voter)
            .map(|vote| tilted(&leaning, rate(vote)))
            .collect();
        let mut product = Product::ONE;
        for (vote, p) in ballots.of(voter).zip(&chances) {
            product.times(p[ballots.choice(vote)]);
        }
        (product.ln(), chances)
    }
}

/// A product of many numbers, far beyond what a float holds.
#[derive(Clone, Copy, Debug)]
struct Product {
    part: f64,
    twos: i64,
}

impl Product {
    const ONE: Self = Self { part: 1.0, twos: 0 };
    const STEP: i64 = 512;

    fn times(&mut self, x: f64) {
        self.part *= x;
        let (large, small) = (
            f64::from_bits((1023 + 512) << 52),
            f64::from_bits((1023 - 512) << 52),
        );
        if self.part > large {
            self.part *= small;
            self.twos += Self::STEP;
        } else if self.part < small {
            self.part *= large;
            self.twos -= Self::STEP;
        }
    }

    fn ln(self) -> f64 {
        ln(self.part) + self.twos as f64 * std::f64::consts::LN_2
    }

    /// As a float beside a product that is about as large: relative to so many twos.
    fn beside(self, twos: i64) -> f64 {
        match self.twos - twos {
            0 => self.part,
            less if less == -Self::STEP => self.part * f64::from_bits((1023 - 512) << 52),
            _ => 0.0,
        }
    }
}

/// What the votes of a group say of the script, for one δ.
struct Told {
    /// For each touched item: π(s) Π_u f_u(s), by choice.
    scores: Vec<[Product; CHOICES]>,
    touched: Vec<bool>,
    deviating: f64,
}

impl Told {
    fn by(
        ballots: &Ballots,
        group: &[u32],
        chances: &[Vec<Three>],
        base: &[Three],
        deviating: f64,
    ) -> Self {
        let mut told = Self {
            scores: base
                .iter()
                .map(|prior| prior.map(|part| Product { part, twos: 0 }))
                .collect(),
            touched: vec![false; base.len()],
            deviating,
        };
        for (voter, chances) in group.iter().zip(chances) {
            for (vote, p) in ballots.of(*voter as usize).zip(chances) {
                let (item, choice) = (ballots.item(vote), ballots.choice(vote));
                told.touched[item] = true;
                let factors = [0, 1, 2].map(|at: usize| told.factor(at == choice, p[choice]));
                for (score, factor) in told.scores[item].iter_mut().zip(factors) {
                    score.times(factor);
                }
            }
        }
        told
    }

    fn factor(&self, follows: bool, p: f64) -> f64 {
        let by_script = if follows {
            (1.0 - self.deviating) / p.max(1e-9)
        } else {
            0.0
        };
        by_script + self.deviating
    }

    /// The scores of an item as floats, in one unit.
    fn scores(&self, item: usize) -> (Three, i64) {
        let scores = &self.scores[item];
        let twos = scores.iter().map(|score| score.twos).max().unwrap_or(0);
        ([0, 1, 2].map(|at: usize| scores[at].beside(twos)), twos)
    }

    /// ln of the quotient.
    fn evidence(&self) -> f64 {
        let (mut product, mut twos) = (Product::ONE, 0);
        for item in (0..self.scores.len()).filter(|item| self.touched[*item]) {
            let (scores, more) = self.scores(item);
            product.times(super::rates::total(&scores).max(1e-150));
            twos += more;
        }
        product.ln() + twos as f64 * std::f64::consts::LN_2
    }

    /// ln of what a voter's votes add; a member's own are taken out of the script first.
    fn own(&self, ballots: &Ballots, voter: usize, chances: &[Three], member: bool) -> f64 {
        let mut product = Product::ONE;
        for (vote, p) in ballots.of(voter).zip(chances) {
            let (item, choice) = (ballots.item(vote), ballots.choice(vote));
            let (scores, _) = self.scores(item);
            let factors = [0, 1, 2].map(|at: usize| self.factor(at == choice, p[choice]));
            let (mut with, mut without) = (0.0, 0.0);
            for (score, factor) in scores.iter().zip(factors) {
                with += if member { *score } else { score * factor };
                without += if member { score / factor } else { *score };
            }
            product.times(with.max(1e-150) / without.max(1e-150));
        }
        product.ln()
    }
}

/// The evidence of a group as it is, given the probabilities of its members' votes.
fn weighed(
    ballots: &Ballots,
    group: &[u32],
    chances: &[Vec<Three>],
    base: &[Three],
) -> (Judged, Told) {
    let mut best: Option<(f64, usize, Told)> = None;
    for (at, deviating) in DEVIATING.iter().enumerate() {
        let told = Told::by(ballots, group, chances, base, *deviating);
        let evidence = told.evidence();
        if best.as_ref().is_none_or(|(most, _, _)| evidence > *most) {
            best = Some((evidence, at, told));
        }
    }
    let (evidence, deviating, told) = best.unwrap_or_else(|| {
        let told = Told::by(ballots, group, chances, base, DEVIATING[0]);
        (told.evidence(), 0, told)
    });
    let own = group
        .iter()
        .zip(chances)
        .map(|(voter, chances)| told.own(ballots, *voter as usize, chances, true));
    let judged = Judged {
        members: group.to_vec(),
        evidence: evidence - ln(DEVIATING.len() as f64),
        own: own.collect(),
        deviating,
    };
    (judged, told)
}

/// A quick look: the evidence of a group by the rates of all, for the middle δ, beyond what choosing it costs.
#[must_use]
pub fn promise(setting: &Setting<'_>, rates: &[Three], group: &[u32]) -> f64 {
    let ballots = setting.ballots;
    let chances: Vec<Vec<Three>> = group
        .iter()
        .map(|voter| rates[ballots.of(*voter as usize)].to_vec())
        .collect();
    let told = Told::by(ballots, group, &chances, setting.base, DEVIATING[2]);
    told.evidence() - setting.choices(group.len())
}

/// The evidence of a group with exactly these members.
#[must_use]
pub fn as_it_is(setting: &Setting<'_>, group: &[u32]) -> Judged {
    let others = Others::without(setting, group);
    let of = |voter: &u32| others.of(setting.ballots, *voter as usize);
    let chances: Vec<_> = group.iter().map(of).collect();
    weighed(setting.ballots, group, &chances, others.base()).0
}

/// Judges a group: those whose votes do not pay for them leave, others whose do join, until it stays. None if fewer than [`LEAST`] are left.
#[must_use]
pub fn judged(setting: &Setting<'_>, group: &[u32]) -> Option<Judged> {
    let ballots = setting.ballots;
    let mut group = with_followers(setting, group);
    let mut seen: Vec<Vec<u32>> = Vec::new();
    for round in 0.. {
        if group.len() < LEAST {
            return None;
        }
        let others = Others::without(setting, &group);
        let chances: Vec<_> = group
            .iter()
            .map(|voter| others.of(ballots, *voter as usize))
            .collect();
        let (found, told) = weighed(ballots, &group, &chances, others.base());
        let price = ln(ballots.voters() as f64 / group.len() as f64);
        let paid = |own: f64| own >= price;
        let mut next: Vec<u32> = Vec::new();
        next.extend(
            group
                .iter()
                .zip(&found.own)
                .filter(|(_, own)| paid(**own))
                .map(|(voter, _)| *voter),
        );
        let promising = found.evidence > setting.choices(group.len()) * 0.5;
        if promising && 2 * group.len() < ballots.voters() {
            for voter in near(setting, &told, &group) {
                let chances = others.of(ballots, voter as usize);
                if paid(told.own(ballots, voter as usize, &chances, false)) {
                    next.push(voter);
                }
            }
            next.sort_unstable();
        }
        if next == group || round + 1 >= ROUNDS || seen.contains(&next) {
            return Some(found);
        }
        seen.push(std::mem::replace(&mut group, next));
    }
    None
}

/// The group and all who follow its script by the rates of all, opinions or not: a part of a campaign is explained away by the rest of it.
fn with_followers(setting: &Setting<'_>, group: &[u32]) -> Vec<u32> {
    let ballots = setting.ballots;
    let plain = |voter: u32| &setting.plain[ballots.of(voter as usize)];
    let chances: Vec<_> = group.iter().map(|voter| plain(*voter).to_vec()).collect();
    let told = Told::by(ballots, group, &chances, setting.base, DEVIATING[2]);
    let price = ln(ballots.voters() as f64 / group.len() as f64);
    let follows = |voter: &u32| {
        group.binary_search(voter).is_ok()
            || told.own(ballots, *voter as usize, plain(*voter), false) >= price
    };
    let all: Vec<u32> = (0..ballots.voters() as u32).filter(follows).collect();
    if 3 * all.len() > ballots.voters() {
        group.to_vec()
    } else {
        all
    }
}

/// Others who follow the script as closely, by the rates of all: the best, as many as the group has members and a few.
fn near(setting: &Setting<'_>, told: &Told, group: &[u32]) -> Vec<u32> {
    let ballots = setting.ballots;
    let mut all: Vec<(f64, u32)> = (0..ballots.voters() as u32)
        .filter(|voter| group.binary_search(voter).is_err())
        .map(|voter| {
            let own = &setting.plain[ballots.of(voter as usize)];
            (told.own(ballots, voter as usize, own, false), voter)
        })
        .filter(|(own, _)| *own > 0.0)
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.truncate(group.len() + JOINING);
    all.into_iter().map(|(_, voter)| voter).collect()
}

/// Judges all groups. None if the crew was stopped.
pub fn all(crew: &Crew<'_>, setting: &Setting<'_>, groups: &[Vec<u32>]) -> Option<Vec<Judged>> {
    let stop = crew.stop;
    let states = crew.share("weighing scripts", groups.len(), Vec::new, |found, at| {
        if !stop.is_set() {
            found.extend(judged(setting, &groups[at]));
        }
    })?;
    let mut found: Vec<Judged> = states.concat();
    found.sort_by(|a, b| a.members.cmp(&b.members));
    found.dedup_by(|a, b| a.members == b.members);
    Some(found)
}
