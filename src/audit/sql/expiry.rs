//! Items that have expired, in SQL: this is `integrity/expiry.rs`.

use super::expression::{Expr, Function, all, bind, call, case};
use super::value::key_text;
use crate::data::KeyKind;
use crate::integrity::expiry::limits;

/// A number of at most 18 digits before its point, in its canonical form.
const NUMBER: &str = r"^(-?[0-9]{1,18})([.][0-9]+)?\z";

/// Whether an item with this TTL attribute has expired. Never `NULL`.
pub(super) fn has_expired(item: &Expr, ttl: &str, now_ms: i64) -> Expr {
    let [ignored, passed] = limits(now_ms).map(Expr::Integer);
    let number = key_text(&item.clone().json_at(&[ttl]), KeyKind::N);
    let has_passed = bind("expiry", number, |number| {
        let whole_s = call(Function::ToBigInteger, [number.clone().captured(NUMBER, 1)]);
        let has_fraction = number.clone().matches("[.]");
        // A fraction is more than its whole seconds, and less than a second more.
        let fraction = all([
            whole_s.clone().binary(">=", ignored.clone()),
            whole_s.clone().binary("<", passed.clone()),
        ]);
        let integer = all([whole_s.clone().binary(">", ignored), whole_s.binary("<=", passed)]);
        case(
            [
                (number.matches(NUMBER).not(), Expr::Bool(false)),
                (all([has_fraction, fraction]), Expr::Bool(true)),
            ],
            integer,
        )
    });
    case([(has_passed, Expr::Bool(true))], Expr::Bool(false))
}
