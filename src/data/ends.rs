//! Where names and values end in DynamoDB's JSON, as AWS writes it: without spaces.
//!
//! Skipping a value costs as little as finding its closing quote. What ends is valid JSON; anything
//! else has no end.

/// The maximum depth of nesting in a value. DynamoDB allows 32 levels, of two brackets each.
const DEPTH_MAX: usize = 70;

/// The position after this byte.
#[inline]
pub(crate) fn past(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (*bytes.get(at)? == byte).then_some(at + 1)
}

/// The end of an attribute's value, and whether it is a string without escapes.
#[inline]
pub(crate) fn typed_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let start: &[u8; 6] = bytes.get(at..)?.first_chunk()?;
    let [b'{', b'"', tag @ (b'S' | b'N' | b'B'), b'"', b':', b'"'] = *start else {
        past(bytes, at, b'{')?;
        return Some((value_end(bytes, at)?, false));
    };
    let (end, is_plain) = text_end(bytes, at + 6)?;
    Some((past(bytes, end + 1, b'}')?, is_plain && tag == b'S'))
}

/// The end of any value that consists of texts, flags, lists and maps, as all of DynamoDB's do.
pub(crate) fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    nested_end(bytes, at, 0)
}

fn nested_end(bytes: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth == DEPTH_MAX {
        return None;
    }
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'"' => text_end(bytes, at + 1).map(|(end, _)| end + 1),
        b't' => rest.starts_with(b"true").then_some(at + 4),
        b'f' => rest.starts_with(b"false").then_some(at + 5),
        b'[' => elements_end(bytes, at + 1, b']', |at| nested_end(bytes, at, depth + 1)),
        b'{' => elements_end(bytes, at + 1, b'}', |at| {
            let (name_end, _) = text_end(bytes, past(bytes, at, b'"')?)?;
            nested_end(bytes, past(bytes, name_end + 1, b':')?, depth + 1)
        }),
        _ => None,
    }
}

/// The end of a list or map. `element_end` returns the end of the element at a position.
fn elements_end(
    bytes: &[u8],
    mut at: usize,
    close: u8,
    element_end: impl Fn(usize) -> Option<usize>,
) -> Option<usize> {
    if *bytes.get(at)? == close {
        return Some(at + 1);
    }
    loop {
        let end = element_end(at)?;
        at = end + 1;
        match *bytes.get(end)? {
            b',' => {}
            byte if byte == close => return Some(at),
            _ => return None,
        }
    }
}

/// The position of the closing quote of a text without escapes; `None` if it has any.
#[inline]
pub(crate) fn plain_end(bytes: &[u8], at: usize) -> Option<usize> {
    let end = special(bytes, at)?;
    (*bytes.get(end)? == b'"').then_some(end)
}

/// The position of the closing quote of a text, and whether the text has no escapes.
#[inline]
pub(crate) fn text_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut end = special(bytes, at)?;
    let mut is_plain = true;
    loop {
        match *bytes.get(end)? {
            b'"' => return Some((end, is_plain)),
            b'\\' => end = special(bytes, escape_end(bytes, end + 1)?)?,
            // A control character.
            _ => return None,
        }
        is_plain = false;
    }
}

/// The end of an escape, from the byte after the backslash.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => {
            let digits = bytes.get(at + 1..at + 5)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
        }
        _ => None,
    }
}

/// The position of the next quote, backslash or control character. Looks at 16 bytes at a time: most
/// texts are too short for the set-up of a vectorized search.
#[inline]
fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>())
        && let ([first, second], _) = block.as_chunks()
    {
        let first = specials(u64::from_le_bytes(*first));
        let second = specials(u64::from_le_bytes(*second));
        if first | second != 0 {
            let (found, start) = if first == 0 { (second, at + 8) } else { (first, at) };
            return Some(start + found.trailing_zeros() as usize / 8);
        }
        at += 16;
    }
    if let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = specials(u64::from_le_bytes(*eight));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(*byte, b'"' | b'\\' | 0..=0x1f);
    Some(at + bytes.get(at..)?.iter().position(is_special)?)
}

/// Sets the upper bit of each byte that is a quote, a backslash or a control character. Only the
/// lowest bit that is set is reliable.
/// <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
const fn specials(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // Exchanges the quote with the space, the first byte that is no control character.
    let quote_or_control = (eight ^ (ONES * (b'"' ^ b' ') as u64)).wrapping_sub(ONES * 0x21);
    let backslash = (eight ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (quote_or_control | backslash) & !eight & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_is() {
        for length in 1..40 {
            for position in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b' '; length];
                    if let Some(at) = bytes.get_mut(position) {
                        *at = byte;
                    }
                    let is_special = byte < b' ' || byte == b'"' || byte == b'\\';
                    assert_eq!(special(&bytes, 0), is_special.then_some(position), "{bytes:?}");
                }
            }
        }
    }
}
