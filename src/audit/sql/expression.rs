//! SQL expressions, independent of a dialect.

/// An SQL expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    /// A column, with the name of its relation if there are several: `mirrors.item`. The names are
    /// valid identifiers in every dialect.
    Column(String),
    /// The variable of a lambda.
    Variable(&'static str),
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// No value, of a type: a `NULL` without a type has another one in each dialect.
    Null(SqlType),
    /// A truth value.
    Bool(bool),
    /// Two expressions and an operator between them.
    Binary(Box<Expr>, &'static str, Box<Expr>),
    /// Several expressions, and the operator between each two of them: at least one.
    Chain(&'static str, Vec<Expr>),
    /// Whether the condition does not hold.
    Not(Box<Expr>),
    /// Whether there is no value.
    IsNull(Box<Expr>),
    /// Whether the text is one of these, of which there is at least one.
    OneOf(Box<Expr>, Vec<String>),
    /// The value of the first condition that holds.
    Case(Vec<(Expr, Expr)>, Box<Expr>),
    /// The JSON at a path inside JSON: the names of the keys.
    JsonAt(Box<Expr>, Vec<String>),
    /// The text of the string or truth value at a path inside JSON.
    TextAt(Box<Expr>, Vec<String>),
    /// An element's index in the array of [`Join::Elements`](super::query::Join), from 0.
    Position,
    /// A function of the dialect.
    Call(Function, Vec<Expr>),
    /// A text, with each match of a pattern replaced. The replacement uses [`Expr::Group`].
    Rewrite {
        /// The text.
        text: Box<Expr>,
        /// The regular expression.
        pattern: &'static str,
        /// The name of the match in the replacement.
        variable: &'static str,
        /// The replacement.
        body: Box<Expr>,
    },
    /// A group of the match of [`Expr::Rewrite`].
    Group {
        /// The name of the match.
        variable: &'static str,
        /// The regular expression.
        pattern: &'static str,
        /// The number of the group; 1 is the first.
        number: i64,
    },
}

/// The type of a value in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SqlType {
    /// A string.
    Text,
    /// JSON; a string in dialects without the type.
    Json,
    /// An integer.
    Integer,
}

/// A function. [`Dialect`](super::Dialect) has its name and form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// The first value that is not `NULL`.
    Coalesce,
    /// The number of rows.
    Count,
    /// The sum over all rows.
    Sum,
    /// The minimum over all rows.
    Minimum,
    /// A text's length in bytes of UTF-8.
    Bytes,
    /// A text's length in characters.
    Length,
    /// As many zeros.
    Zeros,
    /// A text with leading zeros, up to a length.
    Padded,
    /// A text in lower case.
    Lower,
    /// A text in upper case.
    Upper,
    /// The first characters of a text, as many as the second argument says.
    Prefix,
    /// A text from the position on, which the second argument gives; the first is 1.
    From,
    /// The quotient of two integers, rounded down.
    Quotient,
    /// The integer in a text, or `NULL`.
    ToInteger,
    /// The integer of up to 18 digits in a text, or `NULL`.
    ToBigInteger,
    /// A number as text.
    ToText,
    /// Whether a text contains a match of a regular expression.
    Matches,
    /// A group of the first match of a regular expression.
    Captured,
    /// A text with all matches of a regular expression replaced.
    Replaced,
    /// Whether a text contains another.
    Contains,
    /// A text as a string of JSON, in quotes.
    Quoted,
    /// JSON in a text.
    Parsed,
    /// JSON as text.
    JsonText,
    /// JSON as text, with the keys of all objects in order.
    SortedJson,
    /// An object of JSON as a map from names to JSON.
    Map,
    /// The names in a map.
    MapKeys,
    /// The value of a name in a map.
    MapValue,
    /// The only key of an object of JSON: the type tag of a value in DynamoDB's JSON.
    Tag,
    /// The strings in an array of JSON, as an array.
    Texts,
    /// The objects in an array of JSON, as an array.
    Objects,
    /// An array of one element.
    Single,
    /// The first element of an array.
    First,
    /// The number of elements in an array.
    Size,
    /// The elements of an array for which a condition holds: array, variable, condition.
    Filter,
    /// An array of the values of an expression for each element: array, variable, expression.
    Transform,
    /// An array in order.
    Sorted,
    /// The elements of an array as one text, with a separator.
    Joined,
}

impl Expr {
    /// Whether this is a value over several rows.
    pub(super) const fn is_aggregate(&self) -> bool {
        matches!(self, Self::Call(Function::Count | Function::Sum | Function::Minimum, _))
    }

    /// A column.
    pub(super) fn column(name: impl Into<String>) -> Self {
        Self::Column(name.into())
    }

    /// A string.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The JSON at a path.
    pub(super) fn json_at(self, path: &[&str]) -> Self {
        let (json, path) = self.extended(path);
        Self::JsonAt(json, path)
    }

    /// The text at a path.
    pub(super) fn text_at(self, path: &[&str]) -> Self {
        let (json, path) = self.extended(path);
        Self::TextAt(json, path)
    }

    /// This expression and the path from it, without a path inside a path.
    fn extended(self, path: &[&str]) -> (Box<Self>, Vec<String>) {
        let path = path.iter().map(|name| (*name).to_owned());
        if let Self::JsonAt(json, before) = self {
            return (json, before.into_iter().chain(path).collect());
        }
        (Box::new(self), path.collect())
    }

    /// A comparison or an arithmetic operation.
    pub(super) fn binary(self, operator: &'static str, other: Self) -> Self {
        Self::Binary(Box::new(self), operator, Box::new(other))
    }

    /// Whether two values are equal.
    pub(super) fn equals(self, other: Self) -> Self {
        self.binary("=", other)
    }

    /// Whether two values differ.
    pub(super) fn differs(self, other: Self) -> Self {
        self.binary("<>", other)
    }

    /// Whether there is no value.
    #[expect(clippy::wrong_self_convention, reason = "it builds an expression")]
    pub(super) fn is_null(self) -> Self {
        Self::IsNull(Box::new(self))
    }

    /// Whether there is a value.
    #[expect(clippy::wrong_self_convention, reason = "it builds an expression")]
    pub(super) fn is_present(self) -> Self {
        self.is_null().not()
    }

    /// Whether the condition does not hold.
    pub(super) fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Whether the text matches a regular expression.
    pub(super) fn matches(self, pattern: impl Into<String>) -> Self {
        call(Function::Matches, [self, Self::text(pattern)])
    }

    /// A group of the first match of a regular expression.
    pub(super) fn captured(self, pattern: impl Into<String>, group: i64) -> Self {
        call(Function::Captured, [self, Self::text(pattern), Self::Integer(group)])
    }

    /// The text with all matches of a regular expression removed.
    pub(super) fn without(self, pattern: &str) -> Self {
        call(Function::Replaced, [self, Self::text(pattern), Self::text("")])
    }

    /// The text as a string of JSON.
    pub(super) fn quoted(self) -> Self {
        call(Function::Quoted, [self])
    }
}

/// A call of a function.
pub(super) fn call(function: Function, arguments: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Call(function, arguments.into_iter().collect())
}

/// Texts, one after the other.
pub(super) fn concat(parts: impl IntoIterator<Item = Expr>) -> Expr {
    let mut joined: Vec<Expr> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Expr::Text(text)), Expr::Text(more)) => text.push_str(&more),
            (_, part) => joined.push(part),
        }
    }
    joined.retain(|part| *part != Expr::text(""));
    match joined.len() {
        0 => Expr::text(""),
        _ => Expr::Chain("||", joined),
    }
}

/// Whether all conditions hold.
pub(super) fn all(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    chain("AND", conditions, true)
}

/// Whether any condition holds.
pub(super) fn any(conditions: impl IntoIterator<Item = Expr>) -> Expr {
    chain("OR", conditions, false)
}

fn chain(
    operator: &'static str,
    conditions: impl IntoIterator<Item = Expr>,
    neutral: bool,
) -> Expr {
    let conditions: Vec<Expr> =
        conditions.into_iter().filter(|it| *it != Expr::Bool(neutral)).collect();
    if conditions.is_empty() { Expr::Bool(neutral) } else { Expr::Chain(operator, conditions) }
}

/// The value of the first condition that holds.
pub(super) fn case(cases: impl IntoIterator<Item = (Expr, Expr)>, otherwise: Expr) -> Expr {
    let cases: Vec<_> = cases.into_iter().collect();
    if cases.is_empty() { otherwise } else { Expr::Case(cases, Box::new(otherwise)) }
}

/// An expression that uses a value several times, by a name: `WITH` for expressions.
///
/// SQL has no such thing, but all dialects have arrays with lambdas.
pub(super) fn bind(variable: &'static str, value: Expr, body: impl FnOnce(Expr) -> Expr) -> Expr {
    let name = Expr::Variable(variable);
    let single = call(Function::Single, [value]);
    let body = body(name.clone());
    call(Function::First, [call(Function::Transform, [single, name, body])])
}
