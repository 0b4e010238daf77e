//! What stands for a person in public, without saying who it is?
//!
//! Salted commitments: two keys from one salt hide identity and type, and the leaf binds both to the draw. Whoever has K_type can be shown
//! the type and still can't test a guess of the identity. Some twenty blocks of SHA-256 a person.

use crate::bundle::{Declaration, Pool};
use crate::canonical::{write, Value};
use crate::hash::{digest, hmac, seq, Digest};
use crate::rules::{HOUSEHOLD, MUST_SIT};
use crate::{refuse, Fault};

/// What a person's salt gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The commitment to the identity.
    pub c_id: Digest,
    /// The key of the commitment to the type.
    pub k_type: Digest,
    /// The leaf.
    pub leaf: Digest,
}

/// The leaf of a draw over the two commitments.
pub fn leaf(draw: &str, c_id: &Digest, c_type: &Digest) -> Digest {
    seq(
        "klero/leaf/v1",
        &[draw.as_bytes(), c_id.as_slice(), c_type.as_slice()],
    )
}

/// A person by salt, canonical identity, and canonical opening (in parts, one after the other).
pub fn person(draw: &str, salt: &Digest, identity: &[u8], opening: &[&[u8]]) -> Person {
    let k_id = hmac(salt, &[b"klero/salt/id/v1"]);
    let k_type = hmac(salt, &[b"klero/salt/type/v1"]);
    let c_id = hmac(&k_id, &[identity]);
    Person {
        c_id,
        k_type,
        leaf: leaf(draw, &c_id, &hmac(&k_type, opening)),
    }
}

/// The canonical openings of the types of a pool, cut open where the household's tag goes.
pub struct Openings(Vec<[Vec<u8>; 2]>);

impl Openings {
    /// `declaration` and `pool` may have the rules' own features; openings have none of them.
    pub fn new(declaration: &Declaration, pool: &Pool) -> Self {
        let declared = declared_features(declaration);
        let of_type = |(kind, weight): (&Vec<usize>, &i64)| {
            let attributes = declared.iter().map(|feature| {
                let (name, values) = &declaration.features[*feature];
                Value::List(vec![
                    Value::text(name),
                    Value::text(&values[kind[*feature]]),
                ])
            });
            let mut before = b"{\"attributes\":".to_vec();
            before.extend(write(&Value::List(attributes.collect())));
            before.extend_from_slice(b",\"household\":\"");
            [before, format!("\",\"weight\":{weight}}}").into_bytes()]
        };
        Self(pool.types.iter().zip(&pool.weights).map(of_type).collect())
    }

    /// The opening of a person of this type, in parts.
    pub fn parts<'a>(&'a self, kind: usize, tag: &'a str) -> [&'a [u8]; 3] {
        let [before, after] = &self.0[kind];
        [before, tag.as_bytes(), after]
    }
}

/// The numbers of the features that are not the rules' own.
pub fn declared_features(declaration: &Declaration) -> Vec<usize> {
    let names = declaration.features.iter().enumerate();
    names
        .filter(|(_, (name, _))| name != HOUSEHOLD && name != MUST_SIT)
        .map(|(feature, _)| feature)
        .collect()
}

/// The check `leaves`: lines of 64 digits, rising, as many as people.
pub fn read(bytes: &[u8], people: i64) -> Result<Vec<Digest>, Fault> {
    let lines = bytes.chunks(65);
    if i64::try_from(lines.len()) != Ok(people) {
        refuse!("there are not {people} lines of 64 hexadecimal digits and a line feed");
    }
    let mut leaves: Vec<Digest> = Vec::with_capacity(lines.len());
    for (i, line) in lines.enumerate() {
        let text = line
            .strip_suffix(b"\n")
            .and_then(|text| std::str::from_utf8(text).ok());
        let Some(leaf) = text.and_then(digest) else {
            refuse!(
                "line {}: not 64 hexadecimal digits in lower case and a line feed",
                i + 1
            );
        };
        if leaves.last().is_some_and(|last| *last >= leaf) {
            refuse!("line {}: leaves are twice there or not sorted", i + 1);
        }
        leaves.push(leaf);
    }
    Ok(leaves)
}

/// How many people are done between two looks at whether to go on.
const STRIDE: usize = 4096;

/// All people of a draw, in the order given: canonical identities and openings, and salts one after the other. Whether they are canonical
/// is for who makes them. `alive` is asked now and then whether to go on.
pub fn people<T: AsRef<[u8]>>(
    draw: &str,
    identities: &[T],
    openings: &[T],
    salts: &[u8],
    alive: &dyn Fn() -> bool,
) -> Result<Vec<Person>, Fault> {
    let n = identities.len();
    if openings.len() != n || salts.len() != 32 * n {
        refuse!(
            "{n} identities, {} openings and {} bytes of salts, 32 for each person, don't fit",
            openings.len(),
            salts.len()
        );
    }
    let mut people = Vec::with_capacity(n);
    for (i, salt) in salts.chunks(32).enumerate() {
        if i % STRIDE == 0 && !alive() {
            refuse!("stopped");
        }
        let salt = salt.try_into().map_err(|_| Fault("a salt".to_owned()))?;
        people.push(person(
            draw,
            salt,
            identities[i].as_ref(),
            &[openings[i].as_ref()],
        ));
    }
    Ok(people)
}
