//! One spelling for one id, one key for one address.
//!
//! Ids: trimmed of white space and invisible marks, in NFC, as `klero._tables_cells.clean` does for tables; a whole number is its
//! decimal digits, so 7 and «7» are one id, 7 and «07» are two. Addresses: compatibility forms and accents dissolved, lower case,
//! letters and digits kept, anything else one space, a space between a digit and a letter («12bis» is «12 bis»).

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};
use unicode_normalization::{is_nfc, UnicodeNormalization};

/// Why an id can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdFault {
    /// Nothing but blanks.
    Empty,
    /// A control character inside.
    Control,
    /// Not UTF-8.
    NotText,
}

fn is_end(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{1c}'..='\u{1f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// The canonical bytes of an id.
///
/// # Errors
/// [`IdFault`] if it is empty, holds a control character or is not text.
pub fn canonical(raw: &[u8]) -> Result<Cow<'_, [u8]>, IdFault> {
    if !raw.is_empty() && raw.iter().all(|b| (0x21..0x7f).contains(b)) {
        return Ok(Cow::Borrowed(raw));
    }
    let text = std::str::from_utf8(raw).map_err(|_| IdFault::NotText)?;
    let text: Cow<'_, str> = if is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    };
    let trimmed = text.trim_matches(is_end);
    if trimmed.is_empty() {
        return Err(IdFault::Empty);
    }
    if trimmed.chars().any(char::is_control) {
        return Err(IdFault::Control);
    }
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(is_end).as_bytes()),
        Cow::Owned(_) => Cow::Owned(trimmed.as_bytes().to_vec()),
    })
}

/// The digits of a whole number, in a buffer that lives with the caller.
pub fn digits(number: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

/// An address line in normal form; empty if it holds no letter or digit.
pub fn address_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut gap, mut was_digit) = (false, None);
    for c in text
        .nfkd()
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .flat_map(char::to_lowercase)
    {
        if !c.is_alphanumeric() {
            gap = true;
            continue;
        }
        let digit = c.is_numeric();
        if !out.is_empty() && (gap || was_digit == Some(!digit)) {
            out.push(' ');
        }
        out.push(c);
        (gap, was_digit) = (false, Some(digit));
    }
    out
}

/// What people write who give no address, in normal form: such a line counts as empty. The list is that of `klero.sortition.addresses`.
fn is_nothing(line: &str) -> bool {
    matches!(
        line,
        "na" | "n a"
            | "nc"
            | "n c"
            | "nil"
            | "none"
            | "null"
            | "unknown"
            | "not known"
            | "inconnu"
            | "inconnue"
            | "inconnues"
            | "aucune"
            | "non renseigne"
            | "non renseignee"
            | "sans domicile fixe"
            | "sdf"
            | "no fixed abode"
            | "no fixed address"
            | "homeless"
    )
}

/// The key of an address: the first 16 bytes of SHA-256 over its lines in normal form, each after its length. None if no line says anything.
pub fn address(lines: &[&[u8]]) -> Option<[u8; 16]> {
    let mut hasher = Sha256::new();
    let mut blank = true;
    for line in lines {
        let mut line = address_line(&String::from_utf8_lossy(line));
        if is_nothing(&line) {
            line.clear();
        }
        blank &= line.is_empty();
        hasher.update((line.len() as u64).to_be_bytes());
        hasher.update(line);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize()[..16]);
    (!blank).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        for (raw, canon) in [
            ("A1", "A1"),
            (" A1\u{a0}", "A1"),
            ("e\u{301}", "é"),
            ("a b", "a b"),
        ] {
            assert_eq!(canonical(raw.as_bytes()).as_deref(), Ok(canon.as_bytes()));
        }
        assert_eq!(canonical(b" \t"), Err(IdFault::Empty));
        assert_eq!(canonical(b""), Err(IdFault::Empty));
        assert_eq!(canonical(b"a\nb"), Err(IdFault::Control));
        assert_eq!(canonical(b"\xff"), Err(IdFault::NotText));
    }

    #[test]
    fn whole_numbers_are_their_digits() {
        let mut buffer = [0; 20];
        for n in [0, 7, -1, i64::MAX, i64::MIN, 1000] {
            assert_eq!(digits(n, &mut buffer), n.to_string().as_bytes());
        }
    }

    #[test]
    fn addresses_that_differ_in_case_accents_spaces_and_punctuation_are_one() {
        let one = address(&["12 bis, rue de l'Église".as_bytes(), b"59000"]);
        assert_eq!(one, address(&[b"12BIS RUE  DE L EGLISE", b" 59000."]));
        assert_eq!(
            address_line("12BIS, Rue de l’Église."),
            "12 bis rue de l eglise"
        );
        assert_ne!(one, address(&[b"12 rue de l'Eglise", b"59000"]));
        assert_eq!(address(&[b" - ", b""]), None);
        assert_eq!(address(&[b"Sans domicile fixe", b"N/A"]), None);
        assert_eq!(address(&[b"INCONNU", b"59000"]), address(&[b"", b"59000"]));
        assert!(address(&[b"1 rue des Inconnus"]).is_some());
    }
}
