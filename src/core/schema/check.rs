//! Running a schema on an instance.

use crate::json::number::Decimal;
use crate::json::tape::{Kind, Node};

use super::message;
use super::report::{All, First, Report, Stop, Walk};
use super::rules::{
    ArrayRules, Combined, Dependency, Id, Items, NumberRules, ObjectRules, Rest, Rules, Schema, StringRules, Types,
    canonical,
};
use super::{NESTING_MAX, STEPS_MAX, TooMuchWork};

impl Schema {
    /// Whether an instance is valid. Allocates only for `uniqueItems` and for comparing arrays and objects with an
    /// `enum`.
    pub fn is_valid(&self, instance: Node<'_>) -> Result<bool, TooMuchWork> {
        match self.walk(instance, &mut First) {
            Ok(()) => Ok(true),
            Err(Stop::Invalid) => Ok(false),
            Err(Stop::TooMuchWork) => Err(TooMuchWork),
        }
    }

    /// What is wrong with an instance, in the words and the order in which API Gateway gives it. Nothing: it is valid.
    pub fn faults(&self, instance: Node<'_>) -> Result<Vec<String>, TooMuchWork> {
        let mut all = All::default();
        match self.walk(instance, &mut all) {
            Err(Stop::TooMuchWork) => Err(TooMuchWork),
            Ok(()) | Err(Stop::Invalid) => Ok(all.messages()),
        }
    }

    fn walk(&self, instance: Node<'_>, report: &mut impl Report) -> Walk {
        let mut check = Check { rules: &self.rules, steps_left: STEPS_MAX, depth: 0 };
        check.value(0, instance, report)
    }
}

struct Check<'s> {
    rules: &'s [Rules],
    steps_left: u32,
    depth: u32,
}

impl<'s> Check<'s> {
    fn step(&mut self, count: usize) -> Walk {
        let left = u32::try_from(count).ok().and_then(|count| self.steps_left.checked_sub(count));
        self.steps_left = left.ok_or(Stop::TooMuchWork)?;
        Ok(())
    }

    fn is_valid(&mut self, id: Id, node: Node<'_>) -> Result<bool, Stop> {
        match self.value(id, node, &mut First) {
            Ok(()) => Ok(true),
            Err(Stop::Invalid) => Ok(false),
            Err(Stop::TooMuchWork) => Err(Stop::TooMuchWork),
        }
    }

    fn value(&mut self, id: Id, node: Node<'_>, report: &mut impl Report) -> Walk {
        self.step(1)?;
        let Some(rules) = self.rules.get(id as usize) else { return Ok(()) };
        if self.depth == NESTING_MAX {
            return Err(Stop::TooMuchWork);
        }
        self.depth += 1;
        let walk = self.value_by(rules, node, report);
        self.depth -= 1;
        walk
    }

    fn value_by(&mut self, rules: &'s Rules, node: Node<'_>, report: &mut impl Report) -> Walk {
        if let Some(target) = rules.reference {
            return self.value(target, node, report);
        }
        if let Some(format) = &rules.unknown_format {
            report.remark(|| message::unknown_format(format));
        }
        self.own(rules, node, report)?;
        // Once anything is wrong, values are still looked at, but no longer what is inside them.
        if report.has_faults() {
            return Ok(());
        }
        match (node.kind(), &rules.array, &rules.object) {
            (Kind::Array, Some(array), _) => self.elements(array, node, report),
            (Kind::Object, _, Some(object)) if object.has_children() => self.members(object, node, report),
            _ => Ok(()),
        }
    }

    /// What a value itself must be. Keywords in the order of their names, as far as more than one can fail at once.
    fn own(&mut self, rules: &'s Rules, node: Node<'_>, report: &mut impl Report) -> Walk {
        match (node.kind(), rules) {
            (Kind::Object, Rules { object: Some(object), .. }) => self.additional_members(object, node, report)?,
            (Kind::Array, Rules { array: Some(array), .. }) => additional_elements(array, node, report)?,
            _ => {}
        }
        if let Some(combined) = &rules.combined {
            self.all_and_any(combined, node, report)?;
        }
        if let (Kind::Object, Some(object)) = (node.kind(), &rules.object) {
            self.dependencies(object, node, report)?;
        }
        if let Some(constants) = &rules.constants
            && !constants.allow(node)
        {
            report.fault(|| message::not_in_enum(node, &constants.text))?;
        }
        match (node.kind(), rules) {
            (Kind::Number, Rules { number: Some(number), .. }) => numbers(number, node, report)?,
            (Kind::String, Rules { string: Some(string), .. }) => self.strings(string, node, report)?,
            (Kind::Array, Rules { array: Some(array), .. }) => array_size(array, node, report)?,
            (Kind::Object, Rules { object: Some(object), .. }) => object_size(object, node, report)?,
            _ => {}
        }
        if let Some(combined) = &rules.combined {
            self.not_and_one(combined, node, report)?;
        }
        if let (Kind::String, Some(string)) = (node.kind(), &rules.string) {
            self.pattern(string, node, report)?;
        }
        if let (Kind::Object, Some(object)) = (node.kind(), &rules.object) {
            required(object, node, report)?;
        }
        if let Some(types) = rules.types
            && !types.allows(node)
        {
            report.fault(|| message::wrong_type(Types::of(node), types))?;
        }
        match (node.kind(), &rules.array) {
            (Kind::Array, Some(array)) if array.is_unique => self.unique(node, report),
            _ => Ok(()),
        }
    }

    fn all_and_any(&mut self, combined: &Combined, node: Node<'_>, report: &mut impl Report) -> Walk {
        if !combined.all_of.is_empty() {
            let matched = self.count_valid(&combined.all_of, node)?;
            if matched < combined.all_of.len() {
                report.fault(|| message::all_of(matched, combined.all_of.len()))?;
            }
        }
        if combined.any_of.is_empty() {
            return Ok(());
        }
        for id in &combined.any_of {
            if self.is_valid(*id, node)? {
                return Ok(());
            }
        }
        report.fault(|| message::any_of(combined.any_of.len()))
    }

    fn not_and_one(&mut self, combined: &Combined, node: Node<'_>, report: &mut impl Report) -> Walk {
        if let Some(not) = combined.not
            && self.is_valid(not, node)?
        {
            report.fault(message::not)?;
        }
        if combined.one_of.is_empty() {
            return Ok(());
        }
        match self.count_valid(&combined.one_of, node)? {
            1 => Ok(()),
            matched => report.fault(|| message::one_of(matched, combined.one_of.len())),
        }
    }

    fn count_valid(&mut self, ids: &[Id], node: Node<'_>) -> Result<usize, Stop> {
        ids.iter().try_fold(0, |count, id| self.is_valid(*id, node).map(|valid| count + usize::from(valid)))
    }

    fn strings(&mut self, rules: &StringRules, node: Node<'_>, report: &mut impl Report) -> Walk {
        let text = node.as_str().unwrap_or_default();
        if let Some(format) = rules.format
            && !format.allows(text)
        {
            report.fault(|| message::format(format, text))?;
        }
        if rules.length_min.is_none() && rules.length_max.is_none() {
            return Ok(());
        }
        self.step(text.len() / 64)?;
        let length = text.chars().count() as u64;
        if let Some(max) = rules.length_max.filter(|max| length > *max) {
            report.fault(|| message::too_long(text, length, max))?;
        }
        match rules.length_min.filter(|min| length < *min) {
            Some(min) => report.fault(|| message::too_short(text, length, min)),
            None => Ok(()),
        }
    }

    fn pattern(&mut self, rules: &StringRules, node: Node<'_>, report: &mut impl Report) -> Walk {
        let Some(pattern) = &rules.pattern else { return Ok(()) };
        let text = node.as_str().unwrap_or_default();
        self.step(text.len() / 64)?;
        match pattern.is_match(text) {
            Ok(true) => Ok(()),
            Ok(false) => report.fault(|| message::pattern(pattern.source(), text)),
            Err(_) => Err(Stop::TooMuchWork),
        }
    }

    fn unique(&mut self, node: Node<'_>, report: &mut impl Report) -> Walk {
        self.step(node.size())?;
        let mut items: Vec<_> = node.elements().map(canonical).collect();
        items.sort_unstable();
        match items.windows(2).any(|pair| pair[0] == pair[1]) {
            true => report.fault(message::not_unique),
            false => Ok(()),
        }
    }

    /// The rules of an unnamed member by its name: a pattern's, or the rest's.
    fn is_additional(&mut self, rules: &ObjectRules, name: &str) -> Result<bool, Stop> {
        if rules.property(name).is_some_and(|property| property.schema.is_some()) {
            return Ok(false);
        }
        for (pattern, _) in &rules.patterns {
            self.step(1)?;
            if pattern.is_match(name).map_err(|_| Stop::TooMuchWork)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn additional_members(&mut self, rules: &ObjectRules, node: Node<'_>, report: &mut impl Report) -> Walk {
        if rules.additional != Rest::None {
            return Ok(());
        }
        let mut unwanted = Vec::new();
        for (name, _) in node.members() {
            self.step(1)?;
            if self.is_additional(rules, name)? {
                if !wants_all(report) {
                    return Err(Stop::Invalid);
                }
                unwanted.push(name);
            }
        }
        if unwanted.is_empty() { Ok(()) } else { report.fault(|| message::not_allowed(unwanted)) }
    }

    fn dependencies(&mut self, rules: &ObjectRules, node: Node<'_>, report: &mut impl Report) -> Walk {
        for (name, dependency) in &rules.dependencies {
            if node.get(name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Schema(id) => self.value(*id, node, report)?,
                Dependency::Properties(names) => {
                    let missing: Vec<_> =
                        names.iter().map(|name| &**name).filter(|name| node.get(name).is_none()).collect();
                    if !missing.is_empty() {
                        report.fault(|| message::dependency(name, names, &missing))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn elements(&mut self, rules: &'s ArrayRules, node: Node<'_>, report: &mut impl Report) -> Walk {
        match &rules.items {
            Items::Any => Ok(()),
            Items::All(id) => node.elements().try_for_each(|element| self.value(*id, element, report)),
            Items::Each(ids, rest) => {
                node.elements().enumerate().try_for_each(|(index, element)| match (ids.get(index), rest) {
                    (Some(id), _) | (None, Rest::Schema(id)) => self.value(*id, element, report),
                    (None, Rest::Any | Rest::None) => Ok(()),
                })
            }
        }
    }

    fn members(&mut self, rules: &'s ObjectRules, node: Node<'_>, report: &mut impl Report) -> Walk {
        if !wants_all(report) {
            return node.members().try_for_each(|(name, value)| self.member(rules, name, value, report));
        }
        let mut members: Vec<_> = node.members().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        members.into_iter().try_for_each(|(name, value)| self.member(rules, name, value, report))
    }

    fn member(&mut self, rules: &'s ObjectRules, name: &str, value: Node<'_>, report: &mut impl Report) -> Walk {
        let named = rules.property(name).and_then(|property| property.schema);
        if let Some(id) = named {
            self.value(id, value, report)?;
        }
        let mut is_named = named.is_some();
        for (pattern, id) in &rules.patterns {
            self.step(1)?;
            if pattern.is_match(name).map_err(|_| Stop::TooMuchWork)? {
                is_named = true;
                self.value(*id, value, report)?;
            }
        }
        match rules.additional {
            Rest::Schema(id) if !is_named => self.value(id, value, report),
            _ => Ok(()),
        }
    }
}

fn wants_all<R: Report>(_: &R) -> bool {
    R::WANTS_ALL
}

fn additional_elements(rules: &ArrayRules, node: Node<'_>, report: &mut impl Report) -> Walk {
    match &rules.items {
        Items::Each(ids, Rest::None) if node.len() > ids.len() => {
            report.fault(|| message::too_many_elements(ids.len(), node.len()))
        }
        _ => Ok(()),
    }
}

fn numbers(rules: &NumberRules, node: Node<'_>, report: &mut impl Report) -> Walk {
    let digits = node.as_number().unwrap_or_default();
    let value = Decimal::of(digits);
    if let Some(bound) = &rules.maximum {
        match value.cmp(&Decimal::of(&bound.digits)) {
            std::cmp::Ordering::Greater => report.fault(|| message::too_large(&bound.digits, digits))?,
            std::cmp::Ordering::Equal if bound.is_exclusive => report.fault(|| message::not_lower(&bound.digits))?,
            _ => {}
        }
    }
    if let Some(bound) = &rules.minimum {
        match value.cmp(&Decimal::of(&bound.digits)) {
            std::cmp::Ordering::Less => report.fault(|| message::too_small(&bound.digits, digits))?,
            std::cmp::Ordering::Equal if bound.is_exclusive => report.fault(|| message::not_greater(&bound.digits))?,
            _ => {}
        }
    }
    match &rules.multiple_of {
        // Divisors are bounded when the schema is compiled.
        Some(divisor) if value.is_multiple_of(&Decimal::of(divisor)) == Some(false) => {
            report.fault(|| message::remainder(digits, divisor))
        }
        _ => Ok(()),
    }
}

fn array_size(rules: &ArrayRules, node: Node<'_>, report: &mut impl Report) -> Walk {
    let length = node.len() as u64;
    if let Some(max) = rules.length_max.filter(|max| length > *max) {
        report.fault(|| message::array_too_long(max, length))?;
    }
    match rules.length_min.filter(|min| length < *min) {
        Some(min) => report.fault(|| message::array_too_short(min, length)),
        None => Ok(()),
    }
}

fn object_size(rules: &ObjectRules, node: Node<'_>, report: &mut impl Report) -> Walk {
    let count = node.len() as u64;
    if let Some(max) = rules.count_max.filter(|max| count > *max) {
        report.fault(|| message::too_many_members(count, max))?;
    }
    match rules.count_min.filter(|min| count < *min) {
        Some(min) => report.fault(|| message::too_few_members(count, min)),
        None => Ok(()),
    }
}

fn required(rules: &ObjectRules, node: Node<'_>, report: &mut impl Report) -> Walk {
    if rules.required_count == 0 {
        return Ok(());
    }
    // Each name is there once, so counting is enough.
    let is_required = |name: &str| rules.property(name).is_some_and(|property| property.is_required);
    if node.members().filter(|(name, _)| is_required(name)).count() == rules.required_count {
        return Ok(());
    }
    report.fault(|| {
        let required = rules.properties.iter().filter(|property| property.is_required);
        message::missing(required.map(|property| &*property.name).filter(|name| node.get(name).is_none()))
    })
}
