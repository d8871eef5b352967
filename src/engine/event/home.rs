//! The account and the Region of a function, from which streams are accepted.

use crate::rules::model::Table;

/// The Region in the ARNs of DynamoDB Local. Its streams belong to no Region and no account.
const LOCAL: &str = "ddblocal";

/// The account and the Region of the function, where they are known.
///
/// A table of another account or Region may have the same name. The function would then read and
/// write its own table after changes of the other one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Home {
    account: Option<String>,
    region: Option<String>,
}

impl Home {
    /// The account and the Region in the ARN of a function,
    /// `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`. Both are unknown if the text is not such
    /// an ARN, as under an emulator of Lambda.
    /// <https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html>
    #[must_use]
    pub fn of_function(arn: &str) -> Self {
        match arn.split(':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "lambda", region, account, "function", ..] => {
                let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
                Self { account: known(account), region: known(region) }
            }
            _ => Self::default(),
        }
    }

    /// Fails if a stream, `arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`, is not one
    /// of the table that the rules mean.
    pub(super) fn check(&self, stream: &str, table: &Table) -> Result<(), String> {
        let mut parts = stream.split(':').skip(3);
        let (Some(region), Some(account)) = (parts.next(), parts.next()) else { return Ok(()) };
        if region == LOCAL {
            return Ok(());
        }
        compare("Region", region, (&table.region, &self.region), "region", table)?;
        compare("account", account, (&table.account, &self.account), "account", table)
    }
}

fn compare(
    what: &str,
    found: &str,
    (declared, own): (&Option<String>, &Option<String>),
    key: &str,
    table: &Table,
) -> Result<(), String> {
    let Some(expected) = declared.as_ref().or(own.as_ref()).filter(|it| *it != found) else {
        return Ok(());
    };
    let of = if declared.is_some() { "the rule file declares" } else { "the function runs in" };
    Err(format!(
        "the stream is of table `{}` in {what} {found}, but {of} {what} {expected}\n\
         help: remove the event source mapping, or write `{key}: \"{found}\"` for the table in the \
         rule file if this stream is meant",
        table.name
    ))
}
