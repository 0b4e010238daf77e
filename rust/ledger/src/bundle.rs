//! What do the files of a bundle say?
//!
//! Readers from documents to plain structures. Each refuses a field too many, a field missing, a number out of range and an
//! order that is not the canonical one, as `docs/audit/bundle.md` sets them out; no field is read and then ignored.
//! Linear in the size of the file.

use num_bigint::BigInt;
use num_traits::Zero;

use crate::canonical::{Value, INT_LIMIT};
use crate::number::{integer, rational, Ratio};
use crate::rules;
use crate::{refuse, Fault};

/// What a lottery is to be best at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// No chance far above or below the even share.
    Goldilocks,
    /// The smallest chance, then the next, …
    Leximin,
    /// The smallest chance.
    Maximin,
    /// The largest chance.
    Minimax,
    /// The product of all.
    Nash,
}

impl Objective {
    /// Whether it is proved by one claim instead of rising levels.
    #[must_use]
    pub fn with_claim(self) -> bool {
        !matches!(self, Self::Leximin | Self::Maximin)
    }
}

/// The rules of the lottery.
#[derive(Debug)]
pub struct Declaration {
    /// Each feature's name and its values.
    pub features: Vec<(String, Vec<String>)>,
    /// Minimum and maximum of each cell.
    pub bounds: Vec<(i64, i64)>,
    /// The number of each feature's first cell.
    pub first_cell: Vec<usize>,
    /// k, the panel's size.
    pub size: i64,
    /// n, the number of people.
    pub people: i64,
    /// M, what the counts sum to.
    pub denominator: i64,
    /// What the lottery is to be best at.
    pub objective: Objective,
    /// The most people of one household on a panel; 0 if there is no such rule.
    pub household: i64,
}

/// The people, who have no names here, and their types.
#[derive(Debug)]
pub struct Pool {
    /// The type of each person, in the file's order.
    pub people: Vec<usize>,
    /// The value index per feature of each type.
    pub types: Vec<Vec<usize>>,
    /// The cells of each type.
    pub cells: Vec<Vec<usize>>,
    /// n_T, the number of people of each type.
    pub counts: Vec<i64>,
    /// w_T, the weight of each type.
    pub weights: Vec<i64>,
    /// People (by number, rising) who live together, where they are more than may sit.
    pub households: Vec<Vec<usize>>,
    /// The household of each person, if it is one of those.
    pub home: Vec<Option<usize>>,
}

impl Pool {
    /// a_T = n_T·w_T.
    #[must_use]
    pub fn share(&self, t: usize) -> BigInt {
        BigInt::from(self.counts[t]) * self.weights[t]
    }
}

/// A count and the seats of each type.
pub type Panel = (i64, Vec<(usize, i64)>);

/// Indices and their weights that are not zero.
pub type Weights = Vec<(usize, BigInt)>;

/// A node of a proof.
#[derive(Debug)]
pub enum Node {
    /// Panels with at most `at_most` seats of `kind` go to node `below`, the others to `above`.
    Split {
        /// The type that is split.
        kind: usize,
        /// The most seats below.
        at_most: i64,
        /// The node for the panels with fewer.
        below: usize,
        /// The node for the panels with more.
        above: usize,
    },
    /// Panels bounded by dual weights over `scale`.
    Leaf {
        /// s ≥ 1.
        scale: BigInt,
        /// λ'.
        cells: Weights,
        /// ν'.
        seats: BigInt,
    },
}

/// One claim: this group can't all have more than `value`.
#[derive(Debug)]
pub struct Level {
    /// The bound that is claimed.
    pub value: Ratio,
    /// y, at least 1.
    pub types: Weights,
    /// λ.
    pub cells: Weights,
    /// ν.
    pub seats: BigInt,
    /// z: what a proof makes of the types settled before. Empty for a linear bound.
    pub held: Weights,
    /// Empty for a linear bound.
    pub proof: Vec<Node>,
}

/// The certificate of fairness.
#[derive(Debug)]
pub struct Certificate {
    /// The stated gap.
    pub gap: Ratio,
    /// Whether it says that a level has a proof («L1»).
    pub with_proof: bool,
    /// The claims.
    pub levels: Vec<Level>,
    /// The claim of nash, goldilocks and minimax.
    pub claim: Option<Claim>,
}

/// What nash, goldilocks and minimax prove: see `claim`.
#[derive(Debug)]
pub struct Claim {
    /// c.
    pub weights: Weights,
    /// α, or zero.
    pub tangent: Ratio,
    /// The tree.
    pub proof: Vec<Node>,
}

/// The values of exactly these keys, in this order.
pub fn fields<'a, const N: usize>(
    value: &'a Value,
    keys: [&str; N],
) -> Result<[&'a Value; N], Fault> {
    let Value::Map(map) = value else {
        refuse!("an object is expected")
    };
    let found: Vec<&Value> = keys.iter().filter_map(|key| map.get(key)).collect();
    match found.try_into() {
        Ok(values) if map.len() == N => Ok(values),
        _ => refuse!("an object must have exactly the fields {}", keys.join(", ")),
    }
}

/// A string.
pub fn text(value: &Value) -> Result<&str, Fault> {
    match value {
        Value::Text(text) => Ok(text),
        _ => refuse!("a string is expected"),
    }
}

/// An integer from `low` to `high`.
pub fn int(value: &Value, low: i64, high: i64) -> Result<i64, Fault> {
    match value {
        Value::Int(int) if (low..=high).contains(int) => Ok(*int),
        Value::Int(int) => refuse!("{int} is not from {low} to {high}"),
        _ => refuse!("an integer is expected"),
    }
}

/// An array.
pub fn list(value: &Value) -> Result<&[Value], Fault> {
    match value {
        Value::List(items) => Ok(items),
        _ => refuse!("an array is expected"),
    }
}

/// An array of two.
pub fn pair(value: &Value) -> Result<(&Value, &Value), Fault> {
    match list(value)? {
        [first, second] => Ok((first, second)),
        _ => refuse!("an array of two is expected"),
    }
}

/// A number below `count`, as an index.
pub fn index(value: &Value, count: usize) -> Result<usize, Fault> {
    match value {
        Value::Int(int) => match usize::try_from(*int) {
            Ok(index) if index < count => Ok(index),
            _ => refuse!("{int} is not the number of one of {count}"),
        },
        _ => refuse!("an integer is expected"),
    }
}

/// Exactly this text.
pub fn constant(value: &Value, expected: &str) -> Result<(), Fault> {
    if text(value)? != expected {
        refuse!("«{expected}» is expected");
    }
    Ok(())
}

/// Refuses what is not strictly rising; `what` names it in the plural.
pub fn rising<T: PartialOrd>(items: &[T], what: &str) -> Result<(), Fault> {
    if items.windows(2).any(|two| two[0] >= two[1]) {
        refuse!("{what} are twice there or not sorted");
    }
    Ok(())
}

/// Reads declaration.json.
pub fn declaration(value: &Value) -> Result<Declaration, Fault> {
    let [algorithm, denominator, features, format, household, id_column, kind, objective, people, protocol, size] =
        fields(
            value,
            [
                "algorithm",
                "denominator",
                "features",
                "format",
                "household",
                "id_column",
                "kind",
                "objective",
                "people",
                "protocol",
                "size",
            ],
        )?;
    constant(format, "klero-bundle/2")?;
    constant(kind, "trial")?;
    constant(protocol, "klero-draw/1")?;
    text(id_column)?;
    lottery_rules(LotteryFields {
        algorithm,
        denominator,
        features,
        household,
        objective,
        people,
        size,
    })
}

/// The fields that every declaration of a lottery has.
pub struct LotteryFields<'a> {
    /// The algorithm's name and version.
    pub algorithm: &'a Value,
    /// M.
    pub denominator: &'a Value,
    /// Names, values and quotas.
    pub features: &'a Value,
    /// m.
    pub household: &'a Value,
    /// The objective's name.
    pub objective: &'a Value,
    /// n.
    pub people: &'a Value,
    /// k.
    pub size: &'a Value,
}

/// Reads the rules of a lottery.
pub fn lottery_rules(fields: LotteryFields<'_>) -> Result<Declaration, Fault> {
    constant(fields.algorithm, "klero-lottery/2")?;
    let denominator = int(fields.denominator, 1000, 1_000_000_000_000)?;
    if !(3..=12).any(|d| 10_i64.pow(d) == denominator) {
        refuse!("the denominator is no power of ten");
    }
    let objective = match text(fields.objective)? {
        "goldilocks" => Objective::Goldilocks,
        "leximin" => Objective::Leximin,
        "maximin" => Objective::Maximin,
        "minimax" => Objective::Minimax,
        "nash" => Objective::Nash,
        _ => refuse!("there is no such objective"),
    };
    let people = int(fields.people, 1, INT_LIMIT)?;
    let size = int(fields.size, 1, people)?;
    let (mut features, mut bounds, mut first_cell) = (Vec::new(), Vec::new(), Vec::new());
    for item in list(fields.features)? {
        let [name, values] = self::fields(item, ["name", "values"])?;
        first_cell.push(bounds.len());
        let mut words = Vec::new();
        for entry in list(values)? {
            let [max, min, value] = self::fields(entry, ["max", "min", "value"])?;
            let max = int(max, 0, INT_LIMIT)?;
            bounds.push((int(min, 0, max)?, max));
            words.push(text(value)?.to_owned());
        }
        rising(&words, "values of a feature")?;
        features.push((text(name)?.to_owned(), words));
    }
    if features.windows(2).any(|two| two[0].0 >= two[1].0) {
        refuse!("features are twice there or not sorted");
    }
    Ok(Declaration {
        features,
        bounds,
        first_cell,
        size,
        people,
        denominator,
        objective,
        household: int(fields.household, 0, INT_LIMIT)?,
    })
}

/// Reads pool.json: the ids and the pool.
pub fn pool(value: &Value, declaration: &Declaration) -> Result<(Vec<String>, Pool), Fault> {
    let [households, people, types, weights] =
        fields(value, ["households", "people", "types", "weights"])?;
    let (ids, people) = persons(people)?;
    Ok((
        ids,
        typed_pool(declaration, people, households, types, weights)?,
    ))
}

/// The pool of people whose types are given, with households, types and weights as a file gives them.
pub fn typed_pool(
    declaration: &Declaration,
    people: Vec<&Value>,
    households: &Value,
    types: &Value,
    weights: &Value,
) -> Result<Pool, Fault> {
    let (kinds, weights) = (kinds(types, declaration)?, list(weights)?);
    if weights.len() != kinds.len() {
        refuse!("there must be one weight for each of {} types", kinds.len());
    }
    let weights = weights
        .iter()
        .map(|w| int(w, 1, MOST_WEIGHT))
        .collect::<Result<Vec<_>, _>>()?;
    let different: Vec<_> = kinds.iter().zip(&weights).collect();
    rising(&different, "types")?;
    let mut counts = vec![0; kinds.len()];
    let people = people
        .into_iter()
        .map(|kind| index(kind, kinds.len()).inspect(|kind| counts[*kind] += 1))
        .collect::<Result<Vec<_>, _>>()?;
    if counts.contains(&0) {
        refuse!("a type without people");
    }
    if i64::try_from(people.len()) != Ok(declaration.people) {
        refuse!(
            "{} people are listed, {} declared",
            people.len(),
            declaration.people
        );
    }
    let cells = kinds
        .iter()
        .map(|kind| {
            let firsts = kind.iter().zip(&declaration.first_cell);
            firsts.map(|(v, first)| v + first).collect()
        })
        .collect();
    let (households, home) = homes(households, people.len())?;
    let pool = Pool {
        people,
        types: kinds,
        cells,
        counts,
        weights,
        households,
        home,
    };
    rules::must_sit(declaration, &pool)?;
    rules::household(declaration, &pool)?;
    Ok(pool)
}

/// A type's weight is at most this.
const MOST_WEIGHT: i64 = 1_000_000_000_000;

/// The value index per feature of each type.
fn kinds(types: &Value, declaration: &Declaration) -> Result<Vec<Vec<usize>>, Fault> {
    let mut kinds = Vec::new();
    for item in list(types)? {
        let item = list(item)?;
        if item.len() != declaration.features.len() {
            refuse!(
                "a type must have one value for each of {} features",
                declaration.features.len()
            );
        }
        let pairs = item.iter().zip(&declaration.features);
        let kind = pairs.map(|(v, (_, values))| index(v, values.len()));
        kinds.push(kind.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(kinds)
}

/// The ids of the people, and the value that stands for each one's type.
fn persons(people: &Value) -> Result<(Vec<String>, Vec<&Value>), Fault> {
    let (mut ids, mut kinds) = (Vec::<String>::new(), Vec::new());
    for item in list(people)? {
        let (id, kind) = pair(item)?;
        let id = text(id)?;
        if ids.last().map_or(id.is_empty(), |last| last.as_str() >= id) {
            refuse!("ids are empty, twice there or not sorted");
        }
        ids.push(id.to_owned());
        kinds.push(kind);
    }
    Ok((ids, kinds))
}

type Homes = (Vec<Vec<usize>>, Vec<Option<usize>>);

/// The households, each person in one at most, and where each person lives.
fn homes(households: &Value, people: usize) -> Result<Homes, Fault> {
    let (mut read, mut home): Homes = (Vec::new(), vec![None; people]);
    for item in list(households)? {
        let members = list(item)?
            .iter()
            .map(|i| index(i, people))
            .collect::<Result<Vec<_>, _>>()?;
        rising(&members, "members of a household")?;
        for member in &members {
            if home[*member].replace(read.len()).is_some() {
                refuse!("somebody lives in two households");
            }
        }
        read.push(members);
    }
    rising(&read, "households")?;
    Ok((read, home))
}

/// Reads lottery.json: form, order and the sum of the counts. Quotas are another check.
pub fn lottery(value: &Value, declaration: &Declaration, pool: &Pool) -> Result<Vec<Panel>, Fault> {
    let [panels] = fields(value, ["panels"])?;
    let mut read: Vec<Panel> = Vec::new();
    let mut total = 0;
    for item in list(panels)? {
        let (count, seats) = pair(item)?;
        let count = int(count, 1, declaration.denominator)?;
        let mut panel: Vec<(usize, i64)> = Vec::new();
        for entry in list(seats)? {
            let (kind, seats) = pair(entry)?;
            let kind = index(kind, pool.types.len())?;
            if panel.last().is_some_and(|(last, _)| *last >= kind) {
                refuse!("panel {}: types are twice there or not sorted", read.len());
            }
            panel.push((kind, int(seats, 1, INT_LIMIT)?));
        }
        if read.last().is_some_and(|(_, last)| *last >= panel) {
            refuse!("panel {}: panels are twice there or not sorted", read.len());
        }
        // In i128, since each count may be as large as M.
        total += i128::from(count);
        read.push((count, panel));
    }
    if total != i128::from(declaration.denominator) {
        refuse!(
            "the counts sum to {total}, not to {}",
            declaration.denominator
        );
    }
    Ok(read)
}

/// Reads certificate.json.
pub fn certificate(
    value: &Value,
    declaration: &Declaration,
    pool: &Pool,
) -> Result<Certificate, Fault> {
    let (claim, [gap, level, levels]) = if declaration.objective.with_claim() {
        let [claim, gap, level, levels] = fields(value, ["claim", "gap", "level", "levels"])?;
        (Some(claim), [gap, level, levels])
    } else {
        (None, fields(value, ["gap", "level", "levels"])?)
    };
    let with_proof = match text(level)? {
        "L0" => false,
        "L1" => true,
        _ => refuse!("the level is neither L0 nor L1"),
    };
    let gap = rational(text(gap)?)?;
    let (types, cells) = (pool.types.len(), declaration.bounds.len());
    let levels = list(levels)?
        .iter()
        .map(|item| one_level(item, types, cells))
        .collect::<Result<_, _>>()?;
    let claim = claim.map(|claim| one_claim(claim, types, cells));
    Ok(Certificate {
        gap,
        with_proof,
        levels,
        claim: claim.transpose()?,
    })
}

fn one_claim(value: &Value, type_count: usize, cell_count: usize) -> Result<Claim, Fault> {
    let [proof, tangent, given] = fields(value, ["proof", "tangent", "weights"])?;
    Ok(Claim {
        weights: weights(given, type_count)?,
        tangent: rational(text(tangent)?)?,
        proof: list(proof)?
            .iter()
            .map(|node| one_node(node, type_count, cell_count))
            .collect::<Result<_, _>>()?,
    })
}

fn one_level(value: &Value, type_count: usize, cell_count: usize) -> Result<Level, Fault> {
    let [cells, held, proof, seats, types, value] =
        fields(value, ["cells", "held", "proof", "seats", "types", "value"])?;
    let level = Level {
        value: rational(text(value)?)?,
        types: weights(types, type_count)?,
        cells: weights(cells, cell_count)?,
        seats: integer(text(seats)?)?,
        held: weights(held, type_count)?,
        proof: list(proof)?
            .iter()
            .map(|node| one_node(node, type_count, cell_count))
            .collect::<Result<_, _>>()?,
    };
    if level.types.is_empty() || level.types.iter().any(|(_, y)| *y < BigInt::from(1)) {
        refuse!("a level needs types, with weights of 1 or more");
    }
    let unused = if level.proof.is_empty() {
        level.held.is_empty()
    } else {
        level.cells.is_empty() && level.seats.is_zero()
    };
    if !unused {
        refuse!("a level has weights that nothing uses");
    }
    Ok(level)
}

fn one_node(value: &Value, type_count: usize, cell_count: usize) -> Result<Node, Fault> {
    if let Ok([above, at_most, below, kind]) = fields(value, ["above", "at_most", "below", "type"])
    {
        return Ok(Node::Split {
            kind: index(kind, type_count)?,
            at_most: int(at_most, 0, INT_LIMIT)?,
            below: index(below, usize::MAX)?,
            above: index(above, usize::MAX)?,
        });
    }
    let [cells, scale, seats] = fields(value, ["cells", "scale", "seats"])?;
    let scale = integer(text(scale)?)?;
    if scale < BigInt::from(1) {
        refuse!("a leaf's scale is below 1");
    }
    Ok(Node::Leaf {
        scale,
        cells: weights(cells, cell_count)?,
        seats: integer(text(seats)?)?,
    })
}

fn weights(value: &Value, count: usize) -> Result<Weights, Fault> {
    let mut read: Weights = Vec::new();
    for item in list(value)? {
        let (place, weight) = pair(item)?;
        let (place, weight) = (index(place, count)?, integer(text(weight)?)?);
        if weight.is_zero() || read.last().is_some_and(|(last, _)| *last >= place) {
            refuse!("weights are zero, twice there or not sorted");
        }
        read.push((place, weight));
    }
    Ok(read)
}
