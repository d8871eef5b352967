//! Reports in the XML of `JUnit`, which CI systems read.

use std::fmt::Write as _;

use super::case::Tested;

/// The report of all cases.
pub(super) fn report(tested: &[Tested]) -> String {
    let failures = tested.iter().filter(|it| it.error.is_none() && it.has_failed()).count();
    let errors = tested.iter().filter(|it| it.error.is_some()).count();
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", tested.len());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite \
         name=\"referee\" {counts}>\n"
    );
    for case in tested {
        let _ =
            write!(text, "    <testcase classname=\"referee\" name=\"{}\"", escaped(&case.name));
        if !case.has_failed() {
            text.push_str("/>\n");
            continue;
        }
        let (element, message) = match &case.error {
            Some(error) => ("error", error.as_str()),
            None => ("failure", "the results differ from the expected ones"),
        };
        let _ = write!(
            text,
            ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>\n",
            escaped(message),
            escaped(&case.details())
        );
    }
    text + "  </testsuite>\n</testsuites>\n"
}

/// A text in XML. Characters that XML does not allow are replaced.
/// <https://www.w3.org/TR/xml/#charsets>
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(char),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_xml() {
        let tested = |name: &str, error: Option<&str>| Tested {
            name: name.to_owned(),
            error: error.map(str::to_owned),
            differences: Vec::new(),
            is_updated: false,
        };
        let report = report(&[tested("cases/a", None), tested("cases/<b>", Some("\"x\" & \u{1}"))]);
        assert_eq!(
            report,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites tests=\"2\" failures=\"0\" errors=\"1\">\n  \
             <testsuite name=\"referee\" tests=\"2\" failures=\"0\" errors=\"1\">\n    \
             <testcase classname=\"referee\" name=\"cases/a\"/>\n    \
             <testcase classname=\"referee\" name=\"cases/&lt;b&gt;\">\n      \
             <error message=\"&quot;x&quot; &amp; \u{fffd}\">error: &quot;x&quot; &amp; \u{fffd}\n</error>\n    \
             </testcase>\n  </testsuite>\n</testsuites>\n"
        );
    }
}
