//! What differs between the dialects of SQL: everything that does is here.

use super::expression::{Expr, Function, SqlType};

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon Athena, engine version 3.
    Athena,
    /// Apache Spark 4.
    Spark,
    /// `DuckDB` 2.
    DuckDb,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Athena, Self::Spark, Self::DuckDb];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Athena => "athena",
            Self::Spark => "spark",
            Self::DuckDb => "duckdb",
        }
    }

    /// The dialect with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// What a script says about its engine.
    pub(super) const fn remark(self) -> &'static str {
        match self {
            Self::Athena => "-- Run the statements one by one on Athena, engine version 3.\n",
            Self::Spark => "-- Run with `spark-sql -f FILE`, Spark 4.\n",
            Self::DuckDb => "-- Run with `duckdb -noheader -list < FILE`, DuckDB 2.\n",
        }
    }

    /// The location of an export's data files in the script if none was given: to be replaced.
    pub(super) fn placeholder(self, table: &str) -> String {
        let files = match self {
            Self::Athena | Self::Spark => "",
            Self::DuckDb => "*.json.gz",
        };
        format!("s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID-OF-{table}/data/{files}")
    }

    /// The statements that make the lines of an export's data files available as a relation with
    /// the column `line`.
    pub(super) fn reads_lines(self, relation: &str, location: &str) -> Vec<String> {
        let location = self.literal(location);
        match self {
            // A line of JSON contains no control character, so that it is one column of the default
            // format, whose fields end at U+0001.
            Self::Athena => vec![
                format!("DROP TABLE IF EXISTS {relation}"),
                format!(
                    "CREATE EXTERNAL TABLE {relation} (line STRING)\nSTORED AS TEXTFILE\nLOCATION {location}"
                ),
            ],
            Self::Spark => vec![
                format!(
                    "CREATE OR REPLACE TEMPORARY VIEW {relation}_text\nUSING text\nOPTIONS (path {location})"
                ),
                format!(
                    "CREATE OR REPLACE TEMPORARY VIEW {relation} AS\nSELECT value AS line FROM {relation}_text"
                ),
            ],
            Self::DuckDb => vec![format!(
                "CREATE OR REPLACE TEMPORARY TABLE {relation} AS\n\
                 SELECT json AS line FROM read_json_objects({location}, format = 'newline_delimited')"
            )],
        }
    }

    /// A join with the elements of an array: the relation `unnested` has the columns `element` and
    /// `position`.
    pub(super) fn unnested(self, array: &Expr) -> String {
        let array = self.expression(array);
        match self {
            Self::Athena | Self::DuckDb => format!(
                "CROSS JOIN UNNEST({array})\n    WITH ORDINALITY AS unnested(element, position)"
            ),
            Self::Spark => {
                format!("LATERAL VIEW posexplode({array})\n    unnested AS position, element")
            }
        }
    }

    /// A string.
    fn literal(self, text: &str) -> String {
        match self {
            Self::Athena | Self::DuckDb => format!("'{}'", text.replace('\'', "''")),
            // `spark-sql` replaces `${name}`, even inside a string.
            Self::Spark => format!(
                "'{}'",
                text.replace('\\', r"\\").replace('\'', r"\'").replace("${", r"$\{")
            ),
        }
    }

    const fn type_name(self, of: SqlType) -> &'static str {
        match (self, of) {
            (Self::Athena | Self::DuckDb, SqlType::Text) => "VARCHAR",
            (Self::Athena | Self::DuckDb, SqlType::Json) => "JSON",
            (Self::Spark, SqlType::Text | SqlType::Json) => "STRING",
            (_, SqlType::Integer) => "BIGINT",
        }
    }

    /// The text of an expression.
    pub(super) fn expression(self, expr: &Expr) -> String {
        let print = |expr: &Expr| self.expression(expr);
        match expr {
            Expr::Column(name) => name.clone(),
            Expr::Variable(name) => (*name).to_owned(),
            Expr::Text(text) => self.literal(text),
            Expr::Integer(number) => number.to_string(),
            Expr::Null(of) => format!("CAST(NULL AS {})", self.type_name(*of)),
            Expr::Bool(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
            Expr::Binary(left, operator, right) => {
                format!("({} {operator} {})", print(left), print(right))
            }
            Expr::Chain(_, parts) if parts.len() == 1 => parts.iter().map(print).collect(),
            Expr::Chain(operator, parts) => {
                let parts: Vec<_> = parts.iter().map(print).collect();
                format!("({})", parts.join(&format!(" {operator} ")))
            }
            Expr::Not(condition) => {
                if let Expr::IsNull(value) = &**condition {
                    format!("({} IS NOT NULL)", print(value))
                } else {
                    format!("(NOT {})", print(condition))
                }
            }
            Expr::IsNull(value) => format!("({} IS NULL)", print(value)),
            Expr::OneOf(value, texts) => {
                let texts: Vec<_> = texts.iter().map(|text| self.literal(text)).collect();
                format!("({} IN ({}))", print(value), texts.join(", "))
            }
            Expr::Case(cases, otherwise) => {
                let when = |(condition, value): &(Expr, Expr)| {
                    format!("WHEN {} THEN {}", print(condition), print(value))
                };
                let cases: Vec<_> = cases.iter().map(when).collect();
                format!("CASE {} ELSE {} END", cases.join(" "), print(otherwise))
            }
            Expr::Position => match self {
                Self::Athena | Self::DuckDb => "(unnested.position - 1)".to_owned(),
                Self::Spark => "unnested.position".to_owned(),
            },
            Expr::JsonAt(json, path) => self.json_at(&print(json), path),
            Expr::TextAt(json, path) => self.text_at(&print(json), path),
            Expr::Call(function, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(print).collect();
                fill(self.form(*function), &arguments)
            }
            Expr::Rewrite { text, pattern, variable, body } => {
                self.rewrite(&print(text), &self.literal(pattern), variable, &print(body))
            }
            Expr::Group { variable, pattern, number } => match self {
                Self::Athena => format!("{variable}[{number}]"),
                Self::Spark | Self::DuckDb => {
                    format!("regexp_extract({variable}, {}, {number})", self.literal(pattern))
                }
            },
        }
    }

    fn json_at(self, json: &str, path: &[String]) -> String {
        match self {
            Self::Athena => format!("json_extract({json}, {})", self.literal(&brackets(path))),
            Self::Spark => object_fields(self, json, path),
            Self::DuckDb => format!("json_extract({json}, {})", self.literal(&pointer(path))),
        }
    }

    fn text_at(self, json: &str, path: &[String]) -> String {
        match self {
            Self::Athena => {
                format!("json_extract_scalar({json}, {})", self.literal(&brackets(path)))
            }
            // Spark has no type for JSON: a string inside JSON is without its quotes already.
            Self::Spark => object_fields(self, json, path),
            Self::DuckDb => {
                format!("json_extract_string({json}, {})", self.literal(&pointer(path)))
            }
        }
    }

    /// Replaces every match. Only Athena's `regexp_replace` takes a lambda; elsewhere, the text is
    /// split at the matches and put together again.
    fn rewrite(self, text: &str, pattern: &str, variable: &str, body: &str) -> String {
        match self {
            Self::Athena => format!("regexp_replace({text}, {pattern}, {variable} -> {body})"),
            Self::Spark => format!(
                "array_join(zip_with(split({text}, {pattern}), concat(transform(\
                 regexp_extract_all({text}, {pattern}, 0), {variable} -> {body}), array('')), \
                 (before, replacement) -> concat(before, replacement)), '')"
            ),
            Self::DuckDb => format!(
                "array_to_string(list_transform(list_zip(string_split_regex({text}, {pattern}), \
                 list_append(list_transform(regexp_extract_all({text}, {pattern}), \
                 lambda {variable}: {body}), '')), lambda piece: piece[1] || piece[2]), '')"
            ),
        }
    }

    /// The form of a call: `{0}` is the first argument.
    const fn form(self, function: Function) -> &'static str {
        let [athena, spark, duckdb] = forms(function);
        match self {
            Self::Athena => athena,
            Self::Spark => spark,
            Self::DuckDb => duckdb,
        }
    }
}

/// The forms of a function in Athena, Spark and `DuckDB`.
const fn forms(function: Function) -> [&'static str; 3] {
    match function {
        Function::Coalesce => ["COALESCE({0}, {1})"; 3],
        Function::Count => ["COUNT(*)"; 3],
        Function::Sum => ["SUM({0})"; 3],
        Function::Minimum => ["MIN({0})"; 3],
        Function::Bytes => ["length(to_utf8({0}))", "octet_length({0})", "strlen({0})"],
        Function::Length => ["length({0})"; 3],
        // Athena's `repeat` makes arrays.
        Function::Zeros => ["rpad('', {0}, '0')", "repeat('0', {0})", "repeat('0', {0})"],
        Function::Padded => ["lpad({0}, {1}, '0')"; 3],
        Function::Lower => ["lower({0})"; 3],
        Function::Upper => ["upper({0})"; 3],
        Function::Prefix => ["substr({0}, 1, {1})"; 3],
        Function::From => ["substr({0}, {1})"; 3],
        Function::Quotient => ["({0} / {1})", "({0} div {1})", "({0} // {1})"],
        Function::ToInteger => ["TRY_CAST({0} AS INTEGER)"; 3],
        Function::ToBigInteger => ["TRY_CAST({0} AS BIGINT)"; 3],
        Function::ToText => ["CAST({0} AS VARCHAR)", "CAST({0} AS STRING)", "CAST({0} AS VARCHAR)"],
        Function::Matches => {
            ["regexp_like({0}, {1})", "regexp_like({0}, {1})", "regexp_matches({0}, {1})"]
        }
        Function::Captured => ["regexp_extract({0}, {1}, {2})"; 3],
        Function::Replaced => [
            "regexp_replace({0}, {1}, {2})",
            "regexp_replace({0}, {1}, {2})",
            "regexp_replace({0}, {1}, {2}, 'g')",
        ],
        Function::Contains => {
            ["(strpos({0}, {1}) > 0)", "contains({0}, {1})", "contains({0}, {1})"]
        }
        Function::Quoted => [
            "json_format(CAST({0} AS JSON))",
            r"regexp_replace(to_json(array({0})), '^\\[|\\]$', '')",
            "CAST(to_json({0}) AS VARCHAR)",
        ],
        Function::Parsed => ["json_parse({0})", "{0}", "CAST({0} AS JSON)"],
        Function::JsonText => ["json_format({0})", "{0}", "CAST({0} AS VARCHAR)"],
        // Athena's JSON and the variants of the others have their keys in order.
        Function::SortedJson => [
            "json_format({0})",
            "to_json(parse_json({0}))",
            "CAST(CAST(CAST({0} AS VARIANT) AS JSON) AS VARCHAR)",
        ],
        Function::Map => [
            "CAST({0} AS MAP(VARCHAR, JSON))",
            "from_json({0}, 'MAP<STRING, STRING>')",
            "CAST({0} AS MAP(VARCHAR, JSON))",
        ],
        Function::MapKeys => ["map_keys({0})"; 3],
        Function::MapValue => ["element_at({0}, {1})", "try_element_at({0}, {1})", "{0}[{1}]"],
        Function::Tag => [
            "element_at(map_keys(CAST({0} AS MAP(VARCHAR, JSON))), 1)",
            "try_element_at(json_object_keys({0}), 1)",
            "json_keys({0})[1]",
        ],
        Function::Texts => [
            "CAST({0} AS ARRAY(VARCHAR))",
            "from_json({0}, 'ARRAY<STRING>')",
            "CAST({0} AS VARCHAR[])",
        ],
        Function::Objects => {
            ["CAST({0} AS ARRAY(JSON))", "from_json({0}, 'ARRAY<STRING>')", "CAST({0} AS JSON[])"]
        }
        Function::Single => ["ARRAY[{0}]", "array({0})", "[{0}]"],
        Function::First => ["{0}[1]", "element_at({0}, 1)", "{0}[1]"],
        Function::Size => ["cardinality({0})", "size({0})", "len({0})"],
        Function::Filter => [
            "filter({0}, {1} -> {2})",
            "filter({0}, {1} -> {2})",
            "list_filter({0}, lambda {1}: {2})",
        ],
        Function::Transform => [
            "transform({0}, {1} -> {2})",
            "transform({0}, {1} -> {2})",
            "list_transform({0}, lambda {1}: {2})",
        ],
        Function::Sorted => ["array_sort({0})", "array_sort({0})", "list_sort({0})"],
        Function::Joined => {
            ["array_join({0}, {1})", "array_join({0}, {1})", "array_to_string({0}, {1})"]
        }
    }
}

/// Fills the arguments into a form.
fn fill(form: &str, arguments: &[String]) -> String {
    let mut text = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        let (number, after) = after.split_once('}').unwrap_or((after, ""));
        let argument = number.parse().ok().and_then(|number: usize| arguments.get(number));
        text.push_str(before);
        text.push_str(argument.map_or("", String::as_str));
        rest = after;
    }
    text + rest
}

/// A path in Athena's syntax: `$["GSI1-PK"]["S"]`.
fn brackets(path: &[String]) -> String {
    let mut text = "$".to_owned();
    for name in path {
        text.extend(["[\"", &name.replace('\\', r"\\").replace('"', "\\\""), "\"]"]);
    }
    text
}

/// A path as a JSON Pointer: `/GSI1-PK/S`. <https://datatracker.ietf.org/doc/html/rfc6901>
fn pointer(path: &[String]) -> String {
    let mut text = String::new();
    for name in path {
        text.extend(["/", &name.replace('~', "~0").replace('/', "~1")]);
    }
    text
}

/// The value at a path in Spark, whose paths have no escapes: other names are looked up in maps.
fn object_fields(dialect: Dialect, json: &str, path: &[String]) -> String {
    let is_plain = |name: &String| {
        !name.is_empty()
            && name.chars().all(|it| it.is_ascii_alphanumeric() || "_-.:# /".contains(it))
    };
    let plain = path.iter().take_while(|name| is_plain(name)).count();
    let (plain, rest) = path.split_at_checked(plain).unwrap_or((path, &[]));
    let brackets: Vec<_> = plain.iter().map(|name| format!("['{name}']")).collect();
    let brackets = brackets.concat();
    let mut text = if plain.is_empty() {
        json.to_owned()
    } else {
        format!("get_json_object({json}, {})", dialect.literal(&format!("${brackets}")))
    };
    if let Some((special, rest)) = rest.split_first() {
        text = format!(
            "try_element_at(from_json({text}, 'MAP<STRING, STRING>'), {})",
            dialect.literal(special)
        );
        if !rest.is_empty() {
            text = object_fields(dialect, &text, rest);
        }
    }
    text
}
