//! Letters of other scripts that are drawn like Latin ones.
//!
//! A fixed table, one Latin letter at most for each Cyrillic letter and for each Greek one, so that two texts of one script never become
//! the same. Lower case only: folding comes first. A letter is listed if its small or its capital form can pass for the Latin one
//! (`н` for its capital `Н`). Left out on purpose: `μ`, which is also the sign for a millionth, and letters that need goodwill (`п`, `ω`).

/// Cyrillic.
const CYRILLIC: [(char, char); 20] = [
    ('а', 'a'),
    ('в', 'b'),
    ('е', 'e'),
    ('к', 'k'),
    ('м', 'm'),
    ('н', 'h'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('т', 't'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('ѵ', 'v'),
    ('ӏ', 'l'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
];

/// Greek.
const GREEK: [(char, char); 15] = [
    ('α', 'a'),
    ('β', 'b'),
    ('ε', 'e'),
    ('ζ', 'z'),
    ('η', 'n'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('γ', 'y'),
    ('ϳ', 'j'),
];

/// The Latin letter that it looks like.
pub(super) fn alike(c: char) -> Option<char> {
    let table: &[(char, char)] = match c {
        'α'..='ϳ' => &GREEK,
        'а'..='ԝ' => &CYRILLIC,
        _ => return None,
    };
    let found = table.iter().find(|(other, _)| *other == c);
    found.map(|(_, latin)| *latin)
}
