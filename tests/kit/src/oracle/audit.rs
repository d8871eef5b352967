//! What an audit of the tables must report.

use referee::rules::model::{Mirror, Mode, OnMirrorEdit};

use super::mirrors::{expected, is_same_item};
use super::tables::captures;
use super::{Defect, ItemName, Kind, MARK, Oracle};

/// A finding that an audit must report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audited {
    /// The rule's name.
    pub rule: String,
    /// The kind, as output names it.
    pub kind: String,
    /// The referencing item, or the mirror.
    pub referencing: ItemName,
    /// The referenced item, or the source; `None` if the item is wrong by itself.
    pub referenced: Option<ItemName>,
}

impl Oracle<'_> {
    /// Everything that an audit of the tables must report, in no particular order, each once.
    pub fn audited(&self) -> Vec<Audited> {
        let audited = self.defects().into_iter().filter_map(|defect| self.audited_as(defect));
        let mut audited: Vec<Audited> = audited.collect();
        audited.sort();
        audited.dedup();
        audited
    }

    fn audited_as(&self, defect: Defect) -> Option<Audited> {
        let kind = match defect.kind {
            // Marks of cascades are not audited.
            Kind::MarkLeft => return None,
            Kind::MirrorBlocked => self.blocked_as(&defect)?,
            Kind::Unowned if !self.is_mirror(&defect) => return None,
            Kind::DanglingReference
            | Kind::MissingReference
            | Kind::PartialReference
            | Kind::MalformedReference
            | Kind::MirrorMissing
            | Kind::MirrorStale
            | Kind::MirrorExtra
            | Kind::Unowned => defect.kind.name(),
        };
        let Defect { rule, referencing, referenced, .. } = defect;
        Some(Audited { rule, kind: kind.to_owned(), referencing, referenced })
    }

    /// The kind of an item without the rule's mark at the key of an existing source's mirror.
    fn blocked_as(&self, defect: &Defect) -> Option<&'static str> {
        let rules = self.rules;
        let mirror = self.mirror_rule(defect)?;
        let source = self.tables.beside(mirror.source).get(&defect.referenced.as_ref()?.key)?;
        let key = &defect.referencing.key;
        let item = self.tables.beside(mirror.mirror).get(key)?;
        if item.contains_key(MARK) {
            return Some("mirror_blocked");
        }
        let adopts = mirror.adopt && mirror.on_mirror_edit == OnMirrorEdit::Overwrite;
        let equals = is_same_item(item, &expected(rules, mirror, source, key));
        Some(match (equals, adopts) {
            (true, _) => "mirror_unmarked",
            (false, true) => "mirror_stale",
            (false, false) => "mirror_blocked",
        })
    }

    /// Whether the item at a mirror's key belongs to the mirror's entity.
    fn is_mirror(&self, defect: &Defect) -> bool {
        let Some(mirror) = self.mirror_rule(defect) else { return false };
        let key = &defect.referencing.key;
        let item = &self.tables.beside(mirror.mirror)[key];
        captures(self.rules, mirror.mirror, key, item).is_some()
    }

    fn mirror_rule(&self, defect: &Defect) -> Option<&Mirror> {
        let mut mirrors = self.rules.mirrors.iter().filter(|mirror| mirror.mode != Mode::Off);
        mirrors.find(|mirror| {
            let table = self.rules[mirror.mirror].table;
            mirror.name == defect.rule && table == defect.referencing.table
        })
    }
}
