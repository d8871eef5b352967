//! DynamoDB's numbers in SQL: as text, since no SQL type has 38 digits and 256 powers of ten.
//!
//! This is [`Number`](crate::data::Number) in SQL.

use super::expression::{Expr, Function, all, any, bind, call, case, concat};
use crate::data::Number;
use crate::rules::model::Comparison;

/// An integer that is in its canonical form already, which nearly all are.
const SHORT_INTEGER: &str = r"^(0|-?[1-9][0-9]{0,37})\z";

/// The canonical text of a number, so that equal numbers have equal texts.
pub(super) fn canonical(number: Expr) -> Expr {
    bind("number", number, |number| {
        let is_short = number.clone().matches(SHORT_INTEGER);
        case([(is_short, number.clone())], plain(&number))
    })
}

/// The text without an exponent and superfluous zeros.
fn plain(number: &Expr) -> Expr {
    let or = |value, otherwise| call(Function::Coalesce, [value, otherwise]);
    let integer = number.clone().captured("^[+-]?([0-9]*)", 1);
    let fraction = or(number.clone().captured("^[+-]?[0-9]*[.]([0-9]*)", 1), Expr::text(""));
    let exponent = call(Function::ToInteger, [number.clone().captured(r"[eE][+]?(-?[0-9]+)\z", 1)]);
    let all_digits = concat([integer.clone(), fraction]);
    let zeros = length(all_digits.clone()).binary("-", length(all_digits.clone().without("^0+")));
    let point = length(integer).binary("-", zeros).binary("+", or(exponent, Expr::Integer(0)));
    let sign = case([(number.clone().matches("^-"), Expr::text("-"))], Expr::text(""));
    bind("digits", all_digits.without(r"^0+|0+\z"), |digits| {
        bind("point", point, |point| {
            let nothing = digits.clone().equals(Expr::text(""));
            let is_fraction = point.clone().binary("<=", Expr::Integer(0));
            let is_integer = point.clone().binary(">=", length(digits.clone()));
            let zeros = |count: Expr| call(Function::Zeros, [count]);
            let before = call(Function::Prefix, [digits.clone(), point.clone()]);
            let after =
                call(Function::From, [digits.clone(), point.clone().binary("+", Expr::Integer(1))]);
            let below_one = [
                sign.clone(),
                Expr::text("0."),
                zeros(Expr::Integer(0).binary("-", point.clone())),
                digits.clone(),
            ];
            let whole = [sign.clone(), digits.clone(), zeros(point.binary("-", length(digits)))];
            case(
                [
                    (nothing, Expr::text("0")),
                    (is_fraction, concat(below_one)),
                    (is_integer, concat(whole)),
                ],
                concat([sign, before, Expr::text("."), after]),
            )
        })
    })
}

/// Whether a text is a number that DynamoDB accepts, in its canonical form.
pub(super) fn is_canonical(text: &Expr) -> Expr {
    let decimal = r"^(0|-?[1-9][0-9]{0,125}|-?(0|[1-9][0-9]{0,125})[.][0-9]*[1-9])\z";
    let too_small = "^-?0[.]0{130}";
    let digits = text.clone().without("[-.]").without(r"^0+|0+\z");
    all([
        text.clone().matches(decimal),
        text.clone().matches(too_small).not(),
        length(digits).binary("<=", Expr::Integer(38)),
    ])
}

/// Whether a number compares like this to a literal. The result may be `NULL`.
///
/// Both are compared as their canonical texts: first the lengths of the integers, then the digits.
pub(super) fn compare(number: Expr, comparison: Comparison, literal: &Number<'_>) -> Expr {
    let (is_less, includes_equal) = match comparison {
        Comparison::Less => (true, false),
        Comparison::LessOrEqual => (true, true),
        Comparison::Greater => (false, false),
        Comparison::GreaterOrEqual => (false, true),
    };
    bind("compared", canonical(number), |number| {
        let is_negative = number.clone().matches("^-");
        let has_sign = if is_less { is_negative } else { is_negative.not() };
        let is_apart = if is_less == literal.is_negative() {
            all([has_sign, has_magnitude(&number, ">", literal)])
        } else {
            any([has_sign, has_magnitude(&number, "<", literal)])
        };
        let equal = number.equals(Expr::text(literal.as_str()));
        if includes_equal { any([is_apart, equal]) } else { is_apart }
    })
}

/// Whether a number is less or more than a literal, without their signs.
fn has_magnitude(number: &Expr, operator: &'static str, literal: &Number<'_>) -> Expr {
    let digits = literal.as_str().trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let own_whole = number.clone().captured("^-?([0-9]+)", 1);
    let own_fraction = number.clone().captured("[.]([0-9]+)", 1);
    let own_fraction = call(Function::Coalesce, [own_fraction, Expr::text("")]);
    let length_of_whole = Expr::Integer(i64::try_from(whole.len()).unwrap_or(i64::MAX));
    let by_fraction = all([
        own_whole.clone().equals(Expr::text(whole)),
        own_fraction.binary(operator, Expr::text(fraction)),
    ]);
    let by_digits = any([own_whole.clone().binary(operator, Expr::text(whole)), by_fraction]);
    any([
        length(own_whole.clone()).binary(operator, length_of_whole.clone()),
        all([length(own_whole).equals(length_of_whole), by_digits]),
    ])
}

fn length(text: Expr) -> Expr {
    call(Function::Length, [text])
}
