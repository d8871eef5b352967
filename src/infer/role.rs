//! Words for roles: of persons, of other items of the same entity, and of quantities.

use super::capture::Capture;
use super::names::{stem, words};

/// Names of persons' roles, and names of entities that are persons.
pub(super) const ROLES: [&str; 51] = [
    "author",
    "owner",
    "creator",
    "manager",
    "supervisor",
    "assignee",
    "reporter",
    "reviewer",
    "approver",
    "sender",
    "recipient",
    "receiver",
    "follower",
    "followee",
    "following",
    "friend",
    "invitee",
    "inviter",
    "host",
    "guest",
    "member",
    "leader",
    "lead",
    "agent",
    "rep",
    "user",
    "editor",
    "poster",
    "buyer",
    "client",
    "watcher",
    "subscriber",
    "participant",
    "attendee",
    "invitedby",
    "createdby",
    "updatedby",
    "by",
    "mentor",
    "contact",
    "admin",
    "organizer",
    "holder",
    "to",
    "founder",
    "moderator",
    "support",
    "responsible",
    "driver",
    "teacher",
    "instructor",
];
const PERSONS: [&str; 15] = [
    "person", "account", "profile", "staff", "student", "contact", "agent", "people", "patient",
    "client", "guest", "host", "friend", "tenant", "rep",
];
/// Endings of words for persons, and words with these endings that are something else.
const PERSON_ENDINGS: [&str; 5] = ["er", "or", "ee", "ist", "ian"];
const THINGS: [&str; 36] = [
    "order",
    "number",
    "folder",
    "offer",
    "server",
    "letter",
    "paper",
    "layer",
    "header",
    "footer",
    "chapter",
    "counter",
    "trigger",
    "container",
    "cluster",
    "router",
    "filter",
    "timer",
    "banner",
    "transfer",
    "sensor",
    "monitor",
    "color",
    "error",
    "floor",
    "factor",
    "indicator",
    "parameter",
    "register",
    "ledger",
    "voucher",
    "fee",
    "tier",
    "identifier",
    "list",
    "playlist",
];
/// Names of references to an item of the same entity.
const SELF: [&str; 16] = [
    "parent",
    "manager",
    "supervisor",
    "boss",
    "reportsto",
    "previous",
    "prev",
    "next",
    "root",
    "reply",
    "replyto",
    "inreplyto",
    "related",
    "superior",
    "duplicate",
    "original",
];
/// Names of quantities, which are no references even if the numbers fit.
pub(super) const QUANTITIES: [&str; 40] = [
    "quantity",
    "qty",
    "count",
    "total",
    "price",
    "amount",
    "size",
    "age",
    "year",
    "rating",
    "version",
    "position",
    "sequence",
    "rank",
    "score",
    "milliseconds",
    "bytes",
    "width",
    "height",
    "weight",
    "length",
    "discount",
    "tax",
    "cost",
    "balance",
    "duration",
    "priority",
    "level",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "ttl",
    "time",
    "at",
    "availqty",
    "stock",
    "date",
    "percent",
];

/// Whether words say that an item refers to another one of its entity, as `parent_category` does in
/// a category, but not `original_language` in a film.
pub(super) fn is_self(own: &[String], target: &[String]) -> bool {
    let is_word = |word: &str| SELF.contains(&word);
    let last = own.last();
    is_word(&own.concat())
        || own.first().is_some_and(|first| first == "report")
        || last.is_some_and(|last| is_word(last))
        || (last == target.last() && own.iter().any(|word| is_word(word)))
}

/// How well a role names an entity by a capture: if it is a person, or identified by one.
pub(super) fn person(target: &[String], capture: &Capture) -> f64 {
    let is_last = |words: &[String]| words.last().is_some_and(|word| is_person(word));
    let names = std::iter::once(&capture.name).chain(&capture.same_as);
    if is_last(target) {
        4.0
    } else if names.into_iter().any(|name| is_last(&stem(&words(name)))) {
        3.5
    } else {
        0.0
    }
}

/// Whether a word names a person.
pub(super) fn is_person(word: &str) -> bool {
    let is_word = |ending: &&str| word.len() >= 4 && word.ends_with(ending);
    PERSONS.contains(&word) || (PERSON_ENDINGS.iter().any(is_word) && !THINGS.contains(&word))
}
