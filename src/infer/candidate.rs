//! Candidates of references: which sources may give the key of which entity.

use super::capture::{Capture, Format};
use super::complete;
use super::composite::{Composite, combinations};
use super::entity::Entity;
use super::field::{Origin, Source};
use super::form::Form;
use super::probe::{As, Column, Counts, Probe, Range};
use super::sample::TableSample;
use super::score::{self, Hits};
use super::{InferError, Input, Table};
use crate::data::KeyKind;

/// The share of values that must exist for anything to be considered.
pub(super) const SHARE_MIN: f64 = 0.25;
/// How much speaks against a reference in a sample whose name is not that of the entity: what it
/// refers to may not be in the sample.
const UNNAMED_IN_SAMPLE: f64 = -2.0;
/// How well a source must name an entity to tell how many referenced items are there, and to be
/// considered although few of them are.
const NAMED_MIN: f64 = 5.0;
pub(super) const UNFOUND_NAME_MIN: f64 = 4.0;

/// A possible reference.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) from: usize,
    pub(super) to: usize,
    /// For each capture of the referenced key, a source of the referencing entity.
    pub(super) sources: Vec<usize>,
    /// For each of them, how it is compared.
    pub(super) compared: Vec<As>,
    pub(super) hits: Hits,
    /// How well the names agree, from 0 to 6.
    pub(super) name: f64,
    pub(super) score: f64,
}

/// All that candidates are made of.
pub(super) struct World<'w> {
    pub(super) tables: &'w [Table],
    pub(super) samples: &'w [TableSample],
    /// Where the items of each table had sets, which are lists now.
    pub(super) sets: &'w [super::path::Sets],
    pub(super) entities: &'w [Entity],
    pub(super) sources: &'w [Vec<Source>],
}

impl World<'_> {
    fn capture(&self, entity: usize, capture: usize) -> Option<&Capture> {
        self.entities.get(entity)?.captures.get(capture)
    }

    /// The ways in which a source and a capture can be compared.
    pub(super) fn ways(source: &Source, capture: &Capture) -> Vec<As> {
        let is_number = capture.kind == KeyKind::N;
        // A number that is a part of a text may refer to the number of a key.
        let is_in_text = source.form == Form::Number
            && matches!(source.origin, Origin::Capture(_) | Origin::Token(..));
        if capture.kind == KeyKind::B || (is_number && !source.is_number && !is_in_text) {
            return Vec::new();
        }
        let mut ways = vec![As::Exact];
        for format in &capture.possible {
            match format {
                Format::Padded(_) => ways.push(As::Bare),
                Format::Lower if !source.is_number => ways.push(As::Lower),
                Format::Upper if !source.is_number => ways.push(As::Upper),
                Format::Lower | Format::Upper | Format::Plain => {}
            }
        }
        ways
    }

    /// The questions about single captures.
    pub(super) fn singles(&self) -> Probe {
        let mut probe = Probe::default();
        for (entity, of) in self.entities.iter().enumerate() {
            for (capture, of) in of.captures.iter().enumerate() {
                for compared in [As::Exact, As::Bare] {
                    let is_possible = compared == As::Exact
                        || of.possible.iter().any(|format| matches!(format, Format::Padded(_)));
                    if is_possible {
                        probe.column(Column {
                            entity,
                            captures: vec![capture],
                            compared: vec![compared],
                        });
                    }
                }
            }
        }
        for value in self.sources.iter().flatten().flat_map(|source| source.values.keys()) {
            for how in As::ALL {
                probe.want(std::iter::once(how.text(value).as_str()));
            }
        }
        probe
    }

    /// How many values of a source exist in a capture, compared in the best way.
    fn single(
        &self,
        probe: &Probe,
        source: &Source,
        to: usize,
        capture: usize,
    ) -> Option<(As, Hits)> {
        let ways = Self::ways(source, self.capture(to, capture)?);
        let mut best: Option<(As, Hits)> = None;
        for how in ways {
            let column =
                Column { entity: to, captures: vec![capture], compared: vec![of_column(how)] };
            let found = source
                .values
                .keys()
                .filter(|value| probe.has(&column, std::iter::once(how.text(value).as_str())))
                .count();
            let hits = Hits { tried: source.values.len(), found };
            let needs_it = how == As::Exact
                || source.values.keys().any(|value| how == As::Bare || how.text(value) != **value);
            // If nothing is found, a number without zeros refers to one with zeros.
            let is_likelier = |best: Hits| {
                hits.found > best.found
                    || (hits.found == 0 && how == As::Bare && source.form == Form::Number)
            };
            if needs_it && best.is_none_or(|(_, best)| is_likelier(best)) {
                best = Some((how, hits));
            }
        }
        best
    }

    /// The share of the values of a source that exist, among the entities that it names.
    pub(super) fn named_share(&self, probe: &Probe, from: usize, source: &Source) -> Option<f64> {
        let referencing = self.entities.get(from)?;
        let shares = self.entities.iter().enumerate().flat_map(|(to, referenced)| {
            referenced.captures.iter().enumerate().filter_map(move |(at, capture)| {
                let is_other = from != to && referenced.captures.len() == 1;
                let is_named = is_other
                    && score::name(source, referencing, referenced, capture, false) >= NAMED_MIN;
                let (how, hits) = self.single(probe, source, to, at).filter(|_| is_named)?;
                agree(source, capture, how).then(|| hits.share())
            })
        });
        shares.max_by(f64::total_cmp)
    }

    pub(super) fn scored(
        &self,
        (counts, expected): (&Counts, f64),
        from: usize,
        to: usize,
        pairs: &[(usize, As)],
        hits: Hits,
        measured_chance: Option<f64>,
    ) -> Option<Candidate> {
        let (referencing, referenced) = (self.entities.get(from)?, self.entities.get(to)?);
        let items = counts.entities.get(to).copied().unwrap_or(0);
        let mut names = Vec::new();
        let mut is_named = false;
        let mut chance: f64 = 1.0;
        let mut range: f64 = 0.0;
        for (capture, (source, how)) in pairs.iter().enumerate() {
            let source = self.sources.get(from)?.get(*source)?;
            let of = referenced.captures.get(capture)?;
            let bounds = counts.ranges.get(to).and_then(|of| of.get(capture));
            let bounds = bounds.cloned().unwrap_or_else(Range::default);
            is_named |= score::names_entity(source, referenced);
            names.push(score::name(source, referencing, referenced, of, from == to));
            chance *= score::chance(source, of, *how, &bounds, items);
            if pairs.len() == 1 {
                range += score::range(source, &bounds);
            }
        }
        // A key is only as well named as the worst of its parts.
        let name = names.iter().copied().fold(f64::INFINITY, f64::min);
        let values = score::values(hits, measured_chance.unwrap_or(chance), expected);
        let mut score = score::total(values, name, range);
        if referenced.is_root {
            score += 0.5;
        }
        if !complete::is_complete(expected) && !is_named {
            score += UNNAMED_IN_SAMPLE;
        }
        let origins = pairs
            .iter()
            .filter_map(|(source, _)| Some(&self.sources.get(from)?.get(*source)?.origin));
        let of_key = origins.filter(|origin| matches!(origin, Origin::Capture(_))).count();
        if of_key > 0 && of_key < pairs.len() {
            // Part of the key and an attribute: less usual than an attribute alone.
            score -= 1.0;
        }
        Some(Candidate {
            from,
            to,
            sources: pairs.iter().map(|(source, _)| *source).collect(),
            compared: pairs.iter().map(|(_, how)| *how).collect(),
            hits,
            name,
            score,
        })
    }

    /// All candidates: of keys with one capture at once, of others after another look.
    pub(super) fn candidates(
        &self,
        input: &Input<'_>,
        probe: &Probe,
        counts: &Counts,
    ) -> Result<Vec<Candidate>, InferError> {
        let expected = complete::share(self, probe);
        let of_all = (counts, expected);
        let mut candidates = Vec::new();
        let mut composite: Vec<Composite> = Vec::new();
        for (from, sources) in self.sources.iter().enumerate() {
            for (to, referenced) in self.entities.iter().enumerate() {
                let mut options: Vec<Vec<(f64, usize, As, Hits)>> = Vec::new();
                for (capture, of) in referenced.captures.iter().enumerate() {
                    let mut of_capture = Vec::new();
                    for (id, source) in sources.iter().enumerate() {
                        let Some((how, hits)) = self.single(probe, source, to, capture) else {
                            continue;
                        };
                        let is_found = hits.found > 0 && hits.share() >= SHARE_MIN;
                        if !is_found && complete::is_complete(expected) {
                            continue;
                        }
                        let referencing = self.entities.get(from);
                        let name = referencing
                            .map_or(0.0, |it| score::name(source, it, referenced, of, from == to));
                        if !is_found && (name < UNFOUND_NAME_MIN || !agree(source, of, how)) {
                            continue;
                        }
                        of_capture.push((name + 4.0 * hits.share(), id, how, hits));
                    }
                    of_capture.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(&two.1)));
                    options.push(of_capture);
                }
                match options.as_slice() {
                    [] => {}
                    [only] => {
                        for (_, source, how, hits) in only {
                            let pairs = [(*source, *how)];
                            if from != to || !self.is_itself(from, &pairs) {
                                candidates
                                    .extend(self.scored(of_all, from, to, &pairs, *hits, None));
                            }
                        }
                    }
                    several => {
                        for pairs in combinations(several) {
                            if from != to || !self.is_itself(from, &pairs) {
                                composite.push((from, to, pairs));
                            }
                        }
                    }
                }
            }
        }
        if !composite.is_empty() {
            let found = self.composite(input, of_all, composite, &candidates)?;
            candidates.extend(found);
        }
        Ok(candidates)
    }

    /// Whether items would refer to themselves: the sources repeat the item's own key.
    fn is_itself(&self, entity: usize, pairs: &[(usize, As)]) -> bool {
        // Nor is the key in another order a reference.
        let of_key = |(source, _): &(usize, As)| {
            let source = self.sources.get(entity).and_then(|of| of.get(*source));
            source.is_some_and(|source| matches!(source.origin, Origin::Capture(_)))
        };
        if pairs.iter().all(of_key) && pairs.len() > 1 {
            return true;
        }
        let Some(of) = self.entities.get(entity) else { return false };
        let (Some(table), Some(sample), Some(sources)) =
            (self.tables.get(of.table), self.samples.get(of.table), self.sources.get(entity))
        else {
            return false;
        };
        let few = of.rows.iter().filter_map(|row| sample.rows.get(*row)).take(500);
        few.into_iter().all(|row| {
            let own = of.parse(table.separator, &row.key).unwrap_or_default();
            pairs.iter().zip(own).all(|((source, how), own)| {
                let own = if *how == As::Bare { super::probe::bare(own) } else { own };
                let values = sources
                    .get(*source)
                    .map_or_else(Vec::new, |source| source.of(of, table.separator, row));
                values.iter().all(|value| how.text(value) == own)
            })
        })
    }
}

/// Whether values of a source may be values of a capture.
fn agree(source: &Source, capture: &Capture, how: As) -> bool {
    how == As::Bare || source.form == capture.form
}

pub(super) const fn of_column(how: As) -> As {
    match how {
        As::Bare => As::Bare,
        As::Exact | As::Lower | As::Upper => As::Exact,
    }
}
