//! Indexes in which mirrors appear because they copy the index's key.

use super::{Difference, TablePart};
use crate::integrity::mirror::name_in_mirror;
use crate::rules::codes;
use crate::rules::model::{Copied, Mirror, MirrorId, Mode, Rules};
use crate::store::description::{Described, DescribedIndex};

/// A warning for each mirror rule and each global secondary index in which its mirrors appear, unless
/// the rule lists what it copies. The descriptions are in the order of the tables in the rules.
///
/// An item appears in an index if it has all attributes of the index's key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html>
#[must_use]
pub fn indexed_mirrors(rules: &Rules, described: &[Described]) -> Vec<Difference> {
    let mirrors = rules.mirrors.iter().enumerate();
    let of_mirror = |(position, mirror): (usize, &Mirror)| {
        let copies_all = matches!(mirror.copy, Copied::All | Copied::Except(_));
        let indexes = match described.get(rules[mirror.mirror].table.0) {
            Some(Described::Table(table)) if copies_all && mirror.mode != Mode::Off => {
                &*table.indexes
            }
            Some(Described::Table(_) | Described::Missing | Described::Hidden(_)) | None => &[],
        };
        let global = indexes.iter().filter(|index| index.is_global);
        let warnings = global.filter_map(|index| {
            let key = copied_key(rules, mirror, index)?;
            Some(warning(rules, MirrorId(position), &index.name, &key))
        });
        warnings.collect::<Vec<_>>()
    };
    mirrors.flat_map(of_mirror).collect()
}

/// The attributes of the index's key that mirrors copy; `None` if mirrors do not appear in the index,
/// or not because of what they copy.
fn copied_key<'i>(
    rules: &Rules,
    mirror: &Mirror,
    index: &'i DescribedIndex,
) -> Option<Vec<&'i str>> {
    let key = index.key.as_ref()?;
    let (source, target) = (&rules[mirror.source], &rules[mirror.mirror]);
    // A source in another table has the attribute only if the rules say so.
    let has = |name: &str| {
        source.table == target.table || source.attributes.keys().any(|path| path.root() == name)
    };
    let is_copied = |name: &str| name_in_mirror(rules, mirror, name).is_some() && has(name);
    let is_set = |name: &str| {
        let is_key = rules.key_schema(mirror.mirror).names().any(|key| key == name);
        is_key || target.conditions.iter().any(|(path, _)| path.root() == name)
    };
    if key.names().any(|name| !is_copied(name) && !is_set(name)) {
        return None;
    }
    let copied: Vec<&str> = key.names().filter(|name| is_copied(name) && !is_set(name)).collect();
    (!copied.is_empty()).then_some(copied)
}

fn warning(rules: &Rules, id: MirrorId, index: &str, copied: &[&str]) -> Difference {
    let mirror = &rules[id];
    let table = &rules[rules[mirror.mirror].table].name;
    let quoted: Vec<String> = copied.iter().map(|name| format!("`{name}`")).collect();
    let quoted = quoted.join(" and ");
    let already = match &mirror.copy {
        Copied::Except(names) => names.as_slice(),
        Copied::All | Copied::None | Copied::List(_) | Copied::Renamed(_) => &[],
    };
    let except = already.iter().map(String::as_str).chain(copied.iter().copied());
    let except: Vec<&str> = except.collect();
    Difference {
        code: &codes::INDEXED_MIRROR,
        part: TablePart::Mirror(id),
        problem: format!(
            "mirrors of `{}` copy {quoted}, so they appear in index `{index}` of table `{table}`",
            mirror.name
        ),
        label: format!("copies a key of index `{index}`"),
        help: format!(
            "leave the attributes out with `copy: {{ except: [{}] }}`, or list the attributes to copy",
            except.join(", ")
        ),
    }
}
