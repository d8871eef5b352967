//! The widths of texts, without a font.
//!
//! The widths are those of `DejaVu Sans`, the widest font of the list that diagrams use. A text that
//! another font shows is narrower than computed here, never wider.

/// The widths of the characters from space to `~`, in hundredths of the font's size.
const WIDTHS: [u8; 95] = [
    32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 69, 69, 70, 77, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75,
    79, 61, 79, 70, 64, 61, 74, 69, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 62, 64, 55, 64, 62, 36,
    64, 64, 28, 28, 58, 28, 98, 64, 62, 64, 64, 42, 52, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
];

/// How much wider a bold character is, in hundredths of the font's size.
const BOLD: u32 = 12;

/// The width of a character of a monospaced font, in hundredths of the font's size.
const CODE: u32 = 62;

/// The kind of font of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Font {
    Regular,
    Bold,
    Code,
}

/// The width of a text in a font of this size.
pub(super) fn width(text: &str, font: Font, size: f64) -> f64 {
    let hundredths: u32 = text.chars().map(|character| of(character, font)).sum();
    f64::from(hundredths) / 100.0 * size
}

fn of(character: char, font: Font) -> u32 {
    let code = u32::from(character);
    let known = code.checked_sub(32).and_then(|at| WIDTHS.get(usize::try_from(at).ok()?));
    match (known, font) {
        (Some(width), Font::Regular) => u32::from(*width),
        (Some(width), Font::Bold) => u32::from(*width) + BOLD,
        (Some(_), Font::Code) => CODE,
        // Control characters are replaced by spaces.
        (None, _) if code < 32 => CODE,
        // Latin, Greek and Cyrillic letters, and punctuation.
        (None, _) if code < 0x530 => 120,
        // Everything else: ideographs are as wide as high, and emoji somewhat wider.
        (None, _) => 140,
    }
}

/// The beginning of a text that has at most this many characters, with an ellipsis if it is cut.
pub(super) fn clip(text: &str, characters_max: usize) -> String {
    let is_long = text.chars().nth(characters_max).is_some();
    let shown = if is_long { characters_max.saturating_sub(1) } else { characters_max };
    let shown = text.chars().take(shown);
    let mut clipped: String =
        shown.map(|character| if character.is_control() { ' ' } else { character }).collect();
    if is_long {
        clipped.push('…');
    }
    clipped
}

/// Escapes a text for XML and HTML, in content and in attributes.
///
/// Characters that XML does not allow are replaced. <https://www.w3.org/TR/xml/#charsets>
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' | '\r' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if character.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Font, clip, escape, width};

    #[test]
    fn bold_text_is_wider() {
        assert!(width("company", Font::Bold, 12.0) > width("company", Font::Regular, 12.0));
        assert!((width("mm", Font::Regular, 100.0) - 196.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        assert_eq!(clip("company", 7), "company");
        assert_eq!(clip("company", 4), "com…");
        assert_eq!(clip("a\nb", 4), "a b");
    }

    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(escape("<a b='\"'>&\u{0}"), "&lt;a b=&#39;&quot;&#39;&gt;&amp;\u{fffd}");
    }
}
