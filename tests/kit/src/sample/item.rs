//! The items of the sample, each written from its index alone.
//!
//! Items come in groups of 20: four customers, a product, nine orders, three members of teams and
//! their mirrors. Some groups have one violation.

use std::io::Write as _;

use super::Planted;
use super::random::{CATEGORIES, CITIES, FIRST_NAMES, LAST_NAMES, ROLES, Random, STATUSES, mix};

const GROUP: u64 = 20;
const CUSTOMERS: u64 = 4;

/// What a group may have wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    OrderOfNoCustomer,
    OrderOfNoProduct,
    MemberIsNoCustomer,
    OrderWithoutProduct,
    OrderWithHalfAProduct,
    OrderWithNumber,
    NoMirror,
    StaleMirror,
    ExtraMirror,
    UnmarkedMirror,
    BlockedMirror,
    Unknown,
}

/// Every fault, with the rule and the kind of violation.
const FAULTS: [(Fault, &str, &str); 12] = [
    (Fault::OrderOfNoCustomer, "order_customer", "dangling_reference"),
    (Fault::OrderOfNoProduct, "order_product", "dangling_reference"),
    (Fault::MemberIsNoCustomer, "member_customer", "dangling_reference"),
    (Fault::OrderWithoutProduct, "order_product", "missing_reference"),
    (Fault::OrderWithHalfAProduct, "order_product", "partial_reference"),
    (Fault::OrderWithNumber, "order_product", "malformed_reference"),
    (Fault::NoMirror, "membership", "mirror_missing"),
    (Fault::StaleMirror, "membership", "mirror_stale"),
    (Fault::ExtraMirror, "membership", "mirror_extra"),
    (Fault::UnmarkedMirror, "membership", "mirror_unmarked"),
    (Fault::BlockedMirror, "membership", "mirror_blocked"),
    (Fault::Unknown, "", "unknown_item"),
];

/// One group of this many has a violation of a certain kind.
const GROUPS_PER_FAULT: u64 = 2_500;

/// The kind of item at a place in a group.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Customer,
    Product,
    Order,
    /// A member's number, which its mirror has as well.
    Member(u64),
    Mirror(u64),
    Unknown,
}

pub(super) struct Items {
    seed: u64,
    /// The count of complete groups. The items after them are customers.
    groups: u64,
    /// The count of violations of each kind.
    each: u64,
}

impl Items {
    pub(super) fn new(items: u64, seed: u64) -> Self {
        let groups = items / GROUP;
        let each = (groups / GROUPS_PER_FAULT).max(1);
        assert!(groups >= each * FAULTS.len() as u64);
        Self { seed, groups, each }
    }

    pub(super) fn planted(&self) -> Planted {
        FAULTS.iter().map(|(_, rule, kind)| ((*rule, *kind), self.each)).collect()
    }

    /// What is wrong in a group. Faults are spread evenly.
    fn fault(&self, group: u64) -> Option<Fault> {
        let step = self.groups / (self.each * FAULTS.len() as u64);
        let number = group / step;
        let is_fault = group.is_multiple_of(step) && number < self.each * FAULTS.len() as u64;
        is_fault.then(|| FAULTS[number as usize % FAULTS.len()].0)
    }

    fn shape(&self, index: u64) -> Shape {
        let (group, place) = (index / GROUP, index % GROUP);
        if group >= self.groups {
            return Shape::Customer;
        }
        match (place, self.fault(group)) {
            (13, Some(Fault::Unknown)) => Shape::Unknown,
            (0..4, _) | (14, Some(Fault::ExtraMirror)) | (17, Some(Fault::NoMirror)) => {
                Shape::Customer
            }
            (4, _) => Shape::Product,
            (5..14, _) => Shape::Order,
            (14..17, _) => Shape::Member(index),
            _ => Shape::Mirror(index - 3),
        }
    }

    /// The hash of an item's partition key.
    pub(super) fn partition(&self, index: u64) -> u64 {
        let number = match self.shape(index) {
            Shape::Customer => self.customer_at(index),
            Shape::Product => (1 << 60) | (index / GROUP),
            Shape::Order => self.customer_of_order(index),
            Shape::Member(member) => 1 << 61 | team(member),
            Shape::Mirror(member) => self.customer_of_member(member),
            Shape::Unknown => 1 << 62 | index,
        };
        mix(self.seed ^ mix(number))
    }

    /// Writes an item's line, without the end.
    pub(super) fn write(&self, index: u64, line: &mut Vec<u8>) {
        let fault = self.fault_at(index);
        line.extend_from_slice(br#"{"Item":{"#);
        match self.shape(index) {
            Shape::Customer => self.customer(index, line),
            Shape::Product => self.product(index, line),
            Shape::Order => self.order(index, fault, line),
            Shape::Member(member) => self.member(member, line),
            Shape::Mirror(member) => self.mirror(member, fault, line),
            Shape::Unknown => {
                key(line, &format!("legacy#{index:x}"), "v0");
                attribute(line, "note", |text| self.random(index).words(12, text));
            }
        }
        line.extend_from_slice(b"}}");
    }

    fn random(&self, index: u64) -> Random {
        Random::new(self.seed, index)
    }

    /// The fault of the group, for the item that has it: its first order, member or mirror.
    fn fault_at(&self, index: u64) -> Option<Fault> {
        let (group, place) = (index / GROUP, index % GROUP);
        if group >= self.groups || ![5, 14, 17].contains(&place) { None } else { self.fault(group) }
    }

    /// The number of the customer that an item is.
    fn customer_at(&self, index: u64) -> u64 {
        let (group, place) = (index / GROUP, index % GROUP);
        if group < self.groups && place < CUSTOMERS {
            group * CUSTOMERS + place
        } else {
            // Customers in unusual places have numbers of their own.
            1 << 40 | index
        }
    }

    fn customer_of_order(&self, index: u64) -> u64 {
        if self.fault_at(index) == Some(Fault::OrderOfNoCustomer) {
            return 1 << 41 | index;
        }
        self.random(!index).below(self.groups * CUSTOMERS)
    }

    fn customer_of_member(&self, member: u64) -> u64 {
        if self.fault_at(member) == Some(Fault::MemberIsNoCustomer) {
            return 1 << 42 | member;
        }
        // The members of a team are different customers: they are at different places in groups.
        self.random(!member).below(self.groups) * CUSTOMERS + member % GROUP % CUSTOMERS
    }

    fn customer(&self, index: u64, line: &mut Vec<u8>) {
        let number = self.customer_at(index);
        let mut random = self.random(index);
        key(line, &format!("customer#{}", id(number)), "profile");
        let first = random.choice(FIRST_NAMES);
        let last = random.choice(LAST_NAMES);
        text(line, "name", &format!("{first} {last}"));
        let digits = random.below(1000);
        text(line, "email", &format!("{first}.{last}{digits}@example.com").to_lowercase());
        text(line, "city", random.choice(CITIES));
        let _ = write!(line, r#","news":{{"BOOL":{}}}"#, random.below(2) == 0);
        text(line, "token", &id(random.next()));
    }

    fn product(&self, index: u64, line: &mut Vec<u8>) {
        let mut random = self.random(index);
        let group = index / GROUP;
        key(line, &format!("product#{}#{}", category(group), id(group)), "details");
        attribute(line, "title", |text| random.words(4, text));
        number_attribute(line, "cents", 99 + 100 * random.below(300));
        attribute(line, "description", |text| random.words(6, text));
        let tags = [random.choice(CATEGORIES), random.choice(CITIES)];
        let _ = write!(line, r#","tags":{{"SS":["{}","x {}"]}}"#, tags[0], tags[1]);
    }

    fn order(&self, index: u64, fault: Option<Fault>, line: &mut Vec<u8>) {
        let mut random = self.random(index);
        let pk = format!("customer#{}", id(self.customer_of_order(index)));
        key(line, &pk, &format!("order#{}-{index:06x}", date(&mut random)));
        let product = match fault {
            Some(Fault::OrderOfNoProduct) => 1 << 43 | index,
            _ => random.below(self.groups),
        };
        if !matches!(fault, Some(Fault::OrderWithoutProduct | Fault::OrderWithHalfAProduct)) {
            text(line, "category", category(product));
        }
        match fault {
            Some(Fault::OrderWithoutProduct) => {}
            Some(Fault::OrderWithNumber) => number_attribute(line, "productId", product),
            _ => text(line, "productId", &id(product)),
        }
        number_attribute(line, "cents", 99 + 100 * random.below(900));
        text(line, "pay", &(id(random.next()) + &id(random.next())));
        text(line, "status", random.choice(STATUSES));
        attribute(line, "note", |text| {
            if random.below(16) == 0 {
                text.extend_from_slice(br#"\"gift\" "#);
            }
            let count = 2 + random.below(3);
            random.words(count, text);
        });
    }

    fn member(&self, member: u64, line: &mut Vec<u8>) {
        let customer = id(self.customer_of_member(member));
        key(line, &format!("team#{}", team_name(member)), &format!("customer#{customer}"));
        let mut random = self.random(member);
        let (joined, role) = (date(&mut random), random.choice(ROLES));
        text(line, "joinedAt", &joined);
        text(line, "role", role);
        attribute(line, "comment", |text| random.words(2, text));
    }

    fn mirror(&self, member: u64, fault: Option<Fault>, line: &mut Vec<u8>) {
        let customer = id(self.customer_of_member(member));
        key(line, &format!("customer#{customer}"), &format!("team#{}", team_name(member)));
        let mut random = self.random(member);
        let (joined, role) = (date(&mut random), random.choice(ROLES));
        let is_stale = matches!(fault, Some(Fault::StaleMirror | Fault::BlockedMirror));
        text(line, "joinedAt", &joined);
        text(line, "role", if is_stale { "none" } else { role });
        if !matches!(fault, Some(Fault::UnmarkedMirror | Fault::BlockedMirror)) {
            let fence = (u128::from(random.next()) << 24) | u128::from(random.below(1 << 24));
            let _ = write!(
                line,
                r#","_referee":{{"M":{{"rule":{{"S":"membership"}},"fence":{{"S":"{fence:040}"}}}}}}"#
            );
        }
    }
}

/// Three members share a team's partition.
fn team(member: u64) -> u64 {
    member / GROUP
}

/// A name that is different for each member of a customer, so that no two have the same key.
fn team_name(member: u64) -> String {
    format!("{}-{}", CATEGORIES[(team(member) % 8) as usize], team(member))
}

fn category(product: u64) -> &'static str {
    CATEGORIES[(product % CATEGORIES.len() as u64) as usize]
}

/// A number as letters and digits that look random and are different for each number.
fn id(number: u64) -> String {
    // Only 0 is mixed to 0, which would be an empty text.
    let mut rest = mix(number.wrapping_add(1)).max(1);
    let mut text = String::with_capacity(13);
    while rest > 0 {
        text.push(char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[(rest % 32) as usize]));
        rest /= 32;
    }
    text
}

fn date(random: &mut Random) -> String {
    let (year, month, day) = (2019 + random.below(8), 1 + random.below(12), 1 + random.below(28));
    format!("{year}-{month:02}-{day:02}")
}

fn key(line: &mut Vec<u8>, pk: &str, sk: &str) {
    let _ = write!(line, r#""pk":{{"S":"{pk}"}},"sk":{{"S":"{sk}"}}"#);
}

fn text(line: &mut Vec<u8>, name: &str, value: &str) {
    let _ = write!(line, r#","{name}":{{"S":"{value}"}}"#);
}

fn number_attribute(line: &mut Vec<u8>, name: &str, value: u64) {
    let _ = write!(line, r#","{name}":{{"N":"{value}"}}"#);
}

fn attribute(line: &mut Vec<u8>, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
    let _ = write!(line, r#","{name}":{{"S":""#);
    value(line);
    line.extend_from_slice(br#""}"#);
}
