//! DynamoDB's numbers in SQL: as text, since no SQL type has 38 digits and 256 powers of ten.
//!
//! This is [`Number`](crate::data::Number) in SQL.

use super::expression::{Expr, Function, all, bind, call, case, concat};

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

fn length(text: Expr) -> Expr {
    call(Function::Length, [text])
}
