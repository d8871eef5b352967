//! Random numbers and texts that depend only on a seed and an index.

/// `SplitMix64`. <https://prng.di.unimi.it/splitmix64.c>
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64, index: u64) -> Self {
        Self(mix(seed ^ mix(index)))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below a limit.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    pub(super) fn choice<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len() as u64) as usize]
    }

    /// Words in which the first of the list are the most frequent, as in a language.
    pub(super) fn words(&mut self, count: u64, text: &mut Vec<u8>) {
        let words = WORDS.len() as u64;
        for at in 0..count {
            if at > 0 {
                text.push(b' ');
            }
            let limit = 1 + self.below(words);
            text.extend_from_slice(WORDS[self.below(limit) as usize].as_bytes());
        }
    }
}

/// A bijection that looks random.
pub(super) const fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

pub(super) const FIRST_NAMES: &[&str] = &[
    "Ada",
    "Amélie",
    "Bob",
    "Chiara",
    "Daniel",
    "Elif",
    "Emma",
    "Fatima",
    "Grace",
    "Hiroshi",
    "Ines",
    "Jakub",
    "Jürgen",
    "Katarzyna",
    "Liam",
    "Maria",
    "Mehmet",
    "Noah",
    "Olivia",
    "Paulo",
    "Priya",
    "Sofia",
    "Søren",
    "Tomás",
    "Wei",
    "Yuki",
    "Zoë",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Andersen", "Bakker", "Costa", "Dubois", "Evans", "Fischer", "García", "Hansen", "Ito",
    "Jansen", "Kaya", "Kowalski", "Lopez", "Müller", "Nguyen", "O'Brien", "Patel", "Rossi",
    "Schmidt", "Silva", "Smith", "Tanaka", "Weber", "Yılmaz", "Zhang",
];

pub(super) const CITIES: &[&str] = &[
    "Amsterdam",
    "Berlin",
    "Copenhagen",
    "Dublin",
    "İzmir",
    "Kraków",
    "Lisbon",
    "London",
    "Lyon",
    "Madrid",
    "Milan",
    "Munich",
    "New York",
    "Osaka",
    "Paris",
    "Porto",
    "Seattle",
    "Zürich",
];

pub(super) const CATEGORIES: &[&str] =
    &["books", "garden", "kitchen", "music", "office", "outdoor", "sports", "toys"];

pub(super) const ROLES: &[&str] = &["member", "editor", "owner", "guest"];

pub(super) const STATUSES: &[&str] = &["delivered", "shipped", "paid", "returned", "cancelled"];

const WORDS: &[&str] = &[
    "the",
    "and",
    "please",
    "for",
    "with",
    "delivery",
    "to",
    "a",
    "leave",
    "at",
    "door",
    "order",
    "is",
    "not",
    "before",
    "gift",
    "wrap",
    "next",
    "of",
    "week",
    "call",
    "customer",
    "asked",
    "paper",
    "after",
    "front",
    "neighbour",
    "if",
    "home",
    "in",
    "green",
    "second",
    "floor",
    "by",
    "invoice",
    "company",
    "fragile",
    "keep",
    "dry",
    "return",
    "label",
    "inside",
    "size",
    "large",
    "blue",
    "instead",
    "small",
    "colour",
    "changed",
    "address",
    "evening",
    "morning",
    "birthday",
    "card",
    "happy",
    "thank",
    "you",
    "very",
    "much",
    "spare",
    "part",
    "replacement",
    "broken",
    "handle",
    "refund",
    "agreed",
    "partial",
    "discount",
    "applied",
    "loyal",
    "account",
    "manager",
    "priority",
    "express",
    "standard",
    "package",
    "box",
    "pallet",
    "heavy",
    "lift",
    "two",
    "persons",
    "needed",
    "garage",
    "code",
    "ring",
    "bell",
    "twice",
    "dog",
    "friendly",
    "warehouse",
];
