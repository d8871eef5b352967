//! Suspects in a temporary file: those of an audit of files, until they are read on real tables.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::error::LiveError;
use super::log::{decode_key, encode_key};
use super::suspect::Suspect;
use crate::data::Key;
use crate::integrity::finding::{Finding, ItemName};
use crate::rules::model::{MirrorId, ReferenceId, Rules, TableId};

/// Collects the findings of an audit of files as suspects.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    row: Vec<u8>,
}

impl Spool {
    /// A spool in a file in this folder. The file has no name, so that nothing is left behind.
    pub fn new(folder: &Path) -> Result<Self, LiveError> {
        let file = tempfile::tempfile_in(folder).map_err(LiveError::Temporary)?;
        Ok(Self { file: BufWriter::new(file), row: Vec::new() })
    }

    /// Adds what a finding is about.
    pub fn add(&mut self, rules: &Rules, finding: &Finding) -> Result<(), LiveError> {
        let Some(suspect) = suspect_of(rules, finding) else { return Ok(()) };
        self.row.clear();
        encode(&suspect, &mut self.row);
        let length = u32::try_from(self.row.len()).unwrap_or(u32::MAX).to_le_bytes();
        let written = self.file.write_all(&length).and_then(|()| self.file.write_all(&self.row));
        written.map_err(LiveError::Temporary)
    }

    /// The suspects, in the order in which they were added.
    pub fn suspects(self) -> Result<impl Iterator<Item = Result<Suspect, LiveError>>, LiveError> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        let rewound = file.and_then(|mut file| file.seek(SeekFrom::Start(0)).map(|_| file));
        let mut file = BufReader::new(rewound.map_err(LiveError::Temporary)?);
        Ok(std::iter::from_fn(move || next(&mut file).map_err(LiveError::Temporary).transpose()))
    }
}

/// What a finding is about; `None` if no rule has its name.
fn suspect_of(rules: &Rules, finding: &Finding) -> Option<Suspect> {
    let ItemName { table, key } = finding.referencing.clone()?;
    if let Some(rule) = finding.reference {
        return Some(Suspect::Reference { rule, key });
    }
    let mut mirrors = rules.mirrors_named(&finding.rule);
    if let Some((rule, _)) = mirrors.find(|(_, rule)| rules[rule.mirror].table == table) {
        let source = finding.referenced.clone()?.key;
        return Some(Suspect::Mirror { rule, mirror: key, source });
    }
    (rules[table].alias == finding.rule).then_some(Suspect::Unknown { table, key })
}

fn encode(suspect: &Suspect, row: &mut Vec<u8>) {
    let (tag, id, keys): (u8, usize, Vec<&Key<'_>>) = match suspect {
        Suspect::Reference { rule, key } => (0, rule.0, vec![key]),
        Suspect::Mirror { rule, mirror, source } => (1, rule.0, vec![mirror, source]),
        Suspect::Unknown { table, key } => (2, table.0, vec![key]),
        Suspect::Source { rule, source } => (3, rule.0, vec![source]),
    };
    row.push(tag);
    row.extend((id as u64).to_le_bytes());
    for key in keys {
        encode_key(key, row);
    }
}

fn next(file: &mut impl io::Read) -> io::Result<Option<Suspect>> {
    let mut length = [0; 4];
    match file.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut row = vec![0; usize::try_from(u32::from_le_bytes(length)).unwrap_or_default()];
    file.read_exact(&mut row)?;
    decode(&row).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn decode(row: &[u8]) -> Option<Suspect> {
    let (tag, rest) = row.split_first()?;
    let (id, mut rest) = rest.split_first_chunk()?;
    let id = usize::try_from(u64::from_le_bytes(*id)).ok()?;
    let key = decode_key(&mut rest)?.into_owned();
    Some(match tag {
        0 => Suspect::Reference { rule: ReferenceId(id), key },
        1 => {
            let source = decode_key(&mut rest)?.into_owned();
            Suspect::Mirror { rule: MirrorId(id), mirror: key, source }
        }
        3 => Suspect::Source { rule: MirrorId(id), source: key },
        _ => Suspect::Unknown { table: TableId(id), key },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::KeyValue;

    #[test]
    fn suspects_are_read_as_they_were_written() {
        let key = |text: &'static str| Key { partition: KeyValue::S(text.into()), sort: None };
        let suspects = [
            Suspect::Reference { rule: ReferenceId(300), key: key("a") },
            Suspect::Mirror { rule: MirrorId(0), mirror: key("b"), source: key("c") },
            Suspect::Unknown { table: TableId(1), key: key("d") },
        ];
        for suspect in suspects {
            let mut row = Vec::new();
            encode(&suspect, &mut row);
            assert_eq!(decode(&row), Some(suspect));
            for length in 0..row.len() {
                assert_eq!(decode(&row[..length]), None, "{length} bytes");
            }
        }
    }
}
