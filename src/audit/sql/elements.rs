//! The elements of lists and sets that give a reference its values, in SQL.
//!
//! This is `integrity/reference/elements.rs` in SQL: a step for each list on the way to an element,
//! and one for the innermost list or set, each with a row for each element. A list or set that is
//! absent, empty or malformed has one row without an element.

use super::expression::{Expr, Function, SqlType, all, any, call, case, concat};
use super::number::canonical;
use super::query::{Join, Query, Select};
use super::value::{is_literal, tag, value_inside};
use crate::data::{Path, Step, Type, Value};
use crate::integrity::reference::collections;
use crate::rules::model::{Component, Reference};

/// The step that has a row for each element.
const PARTS: &str = "parts";
/// The digits of an index in a position: an item has fewer elements.
const DIGITS: i64 = 6;

/// The lists on the way to a reference's elements, and the list or set that contains them.
pub(super) struct Elements<'r> {
    reference: &'r Reference,
    /// The component that the elements belong to: the first one, if there are several.
    pub(super) component: usize,
    levels: Vec<Level<'r>>,
}

struct Level<'r> {
    /// The path of the list or set.
    path: Path,
    /// The steps to it from the element around it.
    steps: &'r [Step],
    kind: Type,
    /// Whether its elements are the values themselves.
    is_whole: bool,
}

impl<'r> Elements<'r> {
    /// The elements of a reference, if it has any.
    pub(super) fn of(reference: &'r Reference) -> Option<Self> {
        let mut components = reference.components.iter().enumerate();
        let (index, component) = components.find(|(_, it)| it.is_of_element())?;
        let lists = collections(component);
        let level = |(level, steps): (usize, &&'r [Step])| {
            let around = level.checked_sub(1).and_then(|outer| lists.get(outer));
            let is_innermost = level + 1 == lists.len();
            Level {
                path: Path::of(steps),
                steps: around.map_or(*steps, |outer| steps.get(outer.len() + 1..).unwrap_or(&[])),
                kind: match component {
                    Component::Elements(_, kind) if is_innermost => *kind,
                    Component::Capture(_)
                    | Component::Constant(_)
                    | Component::Attribute(..)
                    | Component::Elements(..)
                    | Component::Field(..) => Type::L,
                },
                is_whole: is_innermost && matches!(component, Component::Elements(..)),
            }
        };
        let levels = lists.iter().enumerate().map(level).collect();
        Some(Self { reference, component: index, levels })
    }

    /// The steps to the outermost list or set.
    pub(super) fn outermost(&self) -> Option<&Path> {
        self.levels.first().map(|level| &level.path)
    }

    /// Adds a row for each element. `columns` are those of `referencing` to keep.
    pub(super) fn add(&self, query: &mut Query, keep: &[String]) {
        let mut kept = keep.to_vec();
        let mut from = "referencing".to_owned();
        for (level, of_level) in self.levels.iter().enumerate() {
            let column = |name: &String| (name.clone(), Expr::column(format!("{from}.{name}")));
            let mut columns: Vec<_> = kept.iter().map(column).collect();
            let list = self.list(level, &from);
            let of = if of_level.kind == Type::L { SqlType::Json } else { SqlType::Text };
            let has_any = size(self.present(level, &list)).binary(">", Expr::Integer(0));
            let nothing = call(Function::Single, [Expr::Null(of)]);
            let array = case([(has_any, elements(&list, of_level.kind))], nothing);
            let element = Expr::column("unnested.element");
            let nowhere = (element.clone().is_null(), Expr::Null(SqlType::Integer));
            let names = [self.element_name(level), self.index_name(level)];
            kept.extend(names.clone());
            let values = [element.clone(), case([nowhere], Expr::Position)];
            columns.extend(names.into_iter().zip(values));
            let conditions = self.is_present(level, &element).into_iter().collect();
            let name = self.step_name(level);
            let join = Some(Join::Elements(array));
            query
                .add(name.clone(), Select { columns, from, join, conditions, ..Select::default() });
            from = name;
        }
    }

    /// Whether there is no element, or no list or set that could contain one.
    pub(super) fn is_absent(&self) -> Expr {
        any((0..self.levels.len()).map(|level| {
            let list = self.list(level, PARTS);
            let none = self.reference.none.iter().map(|none| is_literal(&list, none));
            let is_empty = size(self.present(level, &list)).equals(Expr::Integer(0));
            let nothing = std::iter::once(list.clone().is_null()).chain(none).chain([is_empty]);
            match self.levels.get(level) {
                Some(Level { steps: [], .. }) if level > 0 => {
                    all([self.element(level - 1, PARTS).is_present(), any(nothing)])
                }
                _ if level > 0 => all([self.is_map(level - 1), any(nothing)]),
                _ => any(nothing),
            }
        }))
    }

    /// What may be wrong with the lists and the elements that contain others: conditions and words.
    pub(super) fn problems(&self) -> Vec<(Expr, Expr)> {
        let mut problems = Vec::new();
        for (index, level) in self.levels.iter().enumerate() {
            problems.push(super::reference::wrong_type(
                &level.path,
                &self.list(index, PARTS),
                level.kind,
            ));
            let leads_into_maps = match self.levels.get(index + 1) {
                Some(inner) => !inner.steps.is_empty(),
                None => !level.is_whole,
            };
            if leads_into_maps {
                let element = self.element(index, PARTS);
                let is_wrong = all([element.clone().is_present(), self.is_map(index).not()]);
                problems.push((is_wrong, wrong_element(&level.path, &tag(element))));
            }
        }
        problems
    }

    /// The innermost element, if it is a map.
    pub(super) fn is_innermost_map(&self) -> Expr {
        self.is_map(self.levels.len().saturating_sub(1))
    }

    /// The columns that say where an element is, in `parts`.
    pub(super) fn position(&self) -> Expr {
        if self.levels.len() == 1 {
            return Expr::column(format!("{PARTS}.{}", self.index_name(0)));
        }
        // A text, so that the first of several positions is the smallest.
        concat((0..self.levels.len()).map(|level| {
            let index = Expr::column(format!("{PARTS}.{}", self.index_name(level)));
            let text = call(Function::ToText, [index.clone().binary("+", Expr::Integer(1))]);
            let nowhere = (index.is_null(), Expr::text("0"));
            call(Function::Padded, [case([nowhere], text), Expr::Integer(DIGITS)])
        }))
    }

    /// The type of [`Self::position`].
    pub(super) fn position_type(&self) -> SqlType {
        if self.levels.len() == 1 { SqlType::Integer } else { SqlType::Text }
    }

    /// The text of a component's path at a position.
    pub(super) fn path(&self, component: &Component, position: &Expr) -> Option<Expr> {
        let path = component.path()?;
        let sections: Vec<&[Step]> = path.sections().collect();
        let mut parts = Vec::new();
        for (level, section) in sections.iter().enumerate() {
            let text = Path::of(section).to_string();
            let dot = if level > 0 && !text.is_empty() { "." } else { "" };
            parts.push(Expr::text(format!("{dot}{text}")));
            let is_set = self.levels.get(level).is_some_and(|it| it.kind != Type::L);
            let has_more = level + 1 < sections.len();
            if has_more || matches!(component, Component::Elements(..)) {
                parts.push(self.index_text(level, position, is_set, has_more));
            }
        }
        Some(concat(parts))
    }

    /// The text of an index: `[2]`, or `[*]` if it is not known and others follow.
    fn index_text(&self, level: usize, position: &Expr, is_set: bool, has_more: bool) -> Expr {
        let (index, is_absent) = if self.levels.len() == 1 {
            (position.clone(), position.clone().is_null())
        } else {
            let start = i64::try_from(level).unwrap_or_default() * DIGITS + 1;
            let digits = call(Function::From, [position.clone(), Expr::Integer(start)]);
            let digits = call(Function::Prefix, [digits, Expr::Integer(DIGITS)]);
            let number = call(Function::ToInteger, [digits]);
            let is_absent =
                any([position.clone().is_null(), number.clone().equals(Expr::Integer(0))]);
            (number.binary("-", Expr::Integer(1)), is_absent)
        };
        let known = if is_set {
            Expr::text("[*]")
        } else {
            concat([Expr::text("["), call(Function::ToText, [index]), Expr::text("]")])
        };
        let unknown = Expr::text(if has_more { "[*]" } else { "" });
        case([(is_absent, unknown)], known)
    }

    /// The list or set of a level, in a step that has the elements around it.
    fn list(&self, level: usize, step: &str) -> Expr {
        let steps = self.levels.get(level).map_or(&[][..], |level| level.steps);
        match level.checked_sub(1) {
            None => super::reference::value(step, self.component),
            Some(around) => value_inside(&self.element(around, step), steps),
        }
    }

    fn element(&self, level: usize, step: &str) -> Expr {
        Expr::column(format!("{step}.{}", self.element_name(level)))
    }

    fn is_map(&self, level: usize) -> Expr {
        self.element(level, PARTS).json_at(&[Type::M.tag()]).is_present()
    }

    /// The elements of a list or set that are not left out.
    fn present(&self, level: usize, list: &Expr) -> Expr {
        let kind = self.levels.get(level).map_or(Type::L, |level| level.kind);
        let elements = elements(list, kind);
        let element = Expr::Variable("element_l");
        match self.is_present(level, &element) {
            Some(is_present) => call(Function::Filter, [elements, element, is_present]),
            None => elements,
        }
    }

    /// Whether an element is not left out; `None` if none is. An element of `NULL` in SQL stands for
    /// a list or set without elements, and is kept.
    fn is_present(&self, level: usize, element: &Expr) -> Option<Expr> {
        let level = self.levels.get(level)?;
        let none = if level.is_whole { self.reference.none.as_slice() } else { &[] };
        is_present(element, level.kind, none)
    }

    fn step_name(&self, level: usize) -> String {
        if level + 1 == self.levels.len() { PARTS.to_owned() } else { format!("level_{level}") }
    }

    fn element_name(&self, level: usize) -> String {
        self.named("element", level)
    }

    fn index_name(&self, level: usize) -> String {
        self.named("element_index", level)
    }

    fn named(&self, name: &str, level: usize) -> String {
        if level + 1 == self.levels.len() { name.to_owned() } else { format!("{name}_{level}") }
    }
}

/// The elements of a list or set; `NULL` if the value is none.
fn elements(value: &Expr, kind: Type) -> Expr {
    let json = value.clone().json_at(&[kind.tag()]);
    call(if kind == Type::L { Function::Objects } else { Function::Texts }, [json])
}

/// Whether an element refers to something; `None` if each element does.
fn is_present(element: &Expr, kind: Type, none: &[Value<'static>]) -> Option<Expr> {
    let is_none = |none: &Value<'static>| match (none, kind) {
        (_, Type::L) => Some(is_literal(element, none)),
        (Value::S(text), Type::Ss) => Some(element.clone().equals(Expr::text(text.as_ref()))),
        (Value::N(number), Type::Ns) => {
            Some(canonical(element.clone()).equals(Expr::text(number.as_str())))
        }
        _ => None,
    };
    let is_null = element.clone().json_at(&[Type::Null.tag()]).is_present();
    let mut nothing = if kind == Type::L { vec![is_null] } else { Vec::new() };
    nothing.extend(none.iter().filter_map(is_none));
    let [first, rest @ ..] = nothing.as_slice() else { return None };
    if kind == Type::L && rest.is_empty() {
        return Some(first.clone().not());
    }
    // A comparison with a value of another type has no result, which is not `TRUE`.
    let flag = case([(any(nothing), Expr::Integer(1))], Expr::Integer(0));
    Some(flag.equals(Expr::Integer(0)))
}

fn size(array: Expr) -> Expr {
    call(Function::Size, [array])
}

/// The words for an element of the wrong type.
pub(super) fn wrong_element(path: &Path, tag: &Expr) -> Expr {
    concat([Expr::text(format!("an element of `{path}` has type ")), tag.clone()])
}
