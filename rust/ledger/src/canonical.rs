//! Are these the only bytes that could stand for this document?
//!
//! Canonical JSON: RFC 8785 (JCS), restricted to objects, arrays, NFC strings, integers below 2^53 in size and ASCII keys.
//! [`parse`] accepts exactly the bytes that [`write`] gives; whatever has two spellings is refused.
//! One pass, linear; nesting is bounded, so recursion is too.

use unicode_normalization::is_nfc;

use crate::{refuse, Fault};

/// Integers are smaller than this in size: what every JSON reader keeps exactly.
pub const INT_LIMIT: i64 = 1 << 53;
/// How many arrays and objects may stand around a value.
pub const DEPTH_LIMIT: usize = 16;

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An integer, |x| < 2^53.
    Int(i64),
    /// A string in NFC.
    Text(String),
    /// An array.
    List(Vec<Value>),
    /// An object; its keys are ASCII.
    Map(Map),
}

/// The fields of an object, by rising key. A sorted list and no tree, so that a file of millions of small objects fits into memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map(Vec<(String, Value)>);

impl Map {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let found = self
            .0
            .binary_search_by(|(other, _)| other.as_str().cmp(key));
        found.ok().map(|place| &self.0[place].1)
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, by rising key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

impl FromIterator<(String, Value)> for Map {
    /// Of fields with one key, the last stays.
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(fields: T) -> Self {
        let sorted: std::collections::BTreeMap<String, Value> = fields.into_iter().collect();
        Self(sorted.into_iter().collect())
    }
}

impl Value {
    /// A text value.
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// An object from pairs.
    pub fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }
}

/// The document that `bytes` canonically spell.
pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        refuse!("not UTF-8")
    };
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    if reader.at < text.len() {
        refuse!("byte {}: something follows the value", reader.at);
    }
    Ok(value)
}

/// The canonical bytes of a document. Its strings must be in NFC: this is not checked here.
pub fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    put(value, &mut out);
    out
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            refuse!("byte {}: «{}» expected", self.at, char::from(byte));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        match self.peek() {
            Some(b'[' | b'{') if depth == DEPTH_LIMIT => {
                refuse!("byte {}: nested more than {DEPTH_LIMIT} deep", self.at)
            }
            Some(b'[') => self.list(depth + 1),
            Some(b'{') => self.map(depth + 1),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.int().map(Value::Int),
            _ => refuse!("byte {}: no integer, string, array or object", self.at),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        while self.peek() != Some(b']') {
            if !items.is_empty() {
                self.expect(b',')?;
            }
            push(&mut items, self.value(depth)?);
        }
        self.at += 1;
        Ok(Value::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Value, Fault> {
        self.expect(b'{')?;
        let mut items: Vec<(String, Value)> = Vec::new();
        while self.peek() != Some(b'}') {
            if !items.is_empty() {
                self.expect(b',')?;
            }
            let start = self.at;
            let key = self.string()?;
            if !key.is_ascii() {
                refuse!("byte {start}: a key that is not ASCII");
            }
            if items.last().is_some_and(|(last, _)| *last >= key) {
                refuse!("byte {start}: keys twice or not sorted");
            }
            self.expect(b':')?;
            let value = self.value(depth)?;
            push(&mut items, (key, value));
        }
        self.at += 1;
        Ok(Value::Map(Map(items)))
    }

    fn int(&mut self) -> Result<i64, Fault> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let first = self.at;
        let mut size: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            size = size * 10 + i64::from(digit - b'0');
            if size >= INT_LIMIT {
                refuse!("byte {start}: an integer of 2^53 or more");
            }
            self.at += 1;
        }
        let digits = self.at - first;
        let leading_zero = self.text.as_bytes().get(first) == Some(&b'0');
        if digits == 0 || (leading_zero && (digits > 1 || negative)) {
            refuse!("byte {start}: not the canonical form of an integer");
        }
        Ok(if negative { -size } else { size })
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(plain) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                refuse!("byte {start}: a string without an end")
            };
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => out.push(self.escape()?),
                _ => refuse!("byte {}: a control character that is not escaped", self.at),
            }
        }
        self.at += 1;
        if !out.is_ascii() && !is_nfc(&out) {
            refuse!("byte {start}: a string that is not in NFC");
        }
        Ok(out)
    }

    /// Reads one escape, by trying the only spelling of each character that has one.
    fn escape(&mut self) -> Result<char, Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        for c in (0..0x20).chain([b'"', b'\\']) {
            let spelling = escaped(c);
            if rest.starts_with(spelling.as_bytes()) {
                self.at += spelling.len();
                return Ok(char::from(c));
            }
        }
        refuse!("byte {}: not the canonical form of an escape", self.at)
    }
}

/// Makes room for one, then for twice as many each time: the room for four that a list begins with would be several times what most hold.
fn push<T>(items: &mut Vec<T>, item: T) {
    if items.len() == items.capacity() {
        items.reserve_exact(items.len().max(1));
    }
    items.push(item);
}

fn escaped(c: u8) -> String {
    match c {
        b'"' => "\\\"".to_owned(),
        b'\\' => "\\\\".to_owned(),
        0x08 => "\\b".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\n' => "\\n".to_owned(),
        0x0c => "\\f".to_owned(),
        b'\r' => "\\r".to_owned(),
        _ => format!("\\u{c:04x}"),
    }
}

fn put(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(int) => out.extend_from_slice(int.to_string().as_bytes()),
        Value::Text(text) => put_string(text, out),
        Value::List(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                put(item, out);
            }
            out.push(b']');
        }
        Value::Map(items) => {
            out.push(b'{');
            for (i, (key, item)) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                put_string(key, out);
                out.push(b':');
                put(item, out);
            }
            out.push(b'}');
        }
    }
}

fn put_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            out.extend_from_slice(escaped(byte).as_bytes());
        } else {
            out.push(byte);
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    fn document() -> impl Strategy<Value = Value> {
        let text = any::<String>().prop_map(|s| s.nfc().collect::<String>());
        let leaf = prop_oneof![
            (1 - INT_LIMIT..INT_LIMIT).prop_map(Value::Int),
            text.prop_map(Value::Text)
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                proptest::collection::vec(("[ -~]{0,4}", inner), 0..6)
                    .prop_map(|fields| Value::Map(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in document()) {
            prop_assert_eq!(parse(&write(&value)), Ok(value));
        }

        #[test]
        fn what_is_read_has_one_spelling(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(value) = parse(&bytes) {
                prop_assert_eq!(write(&value), bytes);
            }
        }

        #[test]
        fn a_changed_byte_is_another_document(value in document(), place in any::<usize>(), flip in 1u8..) {
            let mut bytes = write(&value);
            let place = place % bytes.len();
            bytes[place] ^= flip;
            if let Ok(other) = parse(&bytes) {
                prop_assert_eq!(write(&other), bytes);
                prop_assert_ne!(other, value);
            }
        }
    }
}
