//! Filters of a `/query` (RFC 8620 §5.5): operators over conditions, bounded.

use crate::{dispatch::Outcome, error::MethodError};
use serde_json::{Map, Value};

/// Operators within operators.
const DEEPEST: usize = 16;
/// Conditions of one filter.
const MOST_CONDITIONS: usize = 200;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter<C> {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Vec<Self>),
    One(C),
}

/// Reads a filter; `condition` reads one condition. Without one, everything fits.
pub(crate) fn read<C>(
    filter: Option<Map<String, Value>>,
    condition: &mut impl FnMut(Map<String, Value>) -> Outcome<Filter<C>>,
) -> Outcome<Filter<C>> {
    let mut left = MOST_CONDITIONS;
    match filter {
        None => Ok(Filter::And(Vec::new())),
        Some(filter) => step(filter, condition, DEEPEST, &mut left),
    }
}

fn step<C>(
    mut filter: Map<String, Value>,
    condition: &mut impl FnMut(Map<String, Value>) -> Outcome<Filter<C>>,
    depth: usize,
    left: &mut usize,
) -> Outcome<Filter<C>> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| MethodError::because("unsupportedFilter", "too many conditions"))?;
    let Some(operator) = filter.remove("operator") else { return condition(filter) };
    let depth =
        depth.checked_sub(1).ok_or_else(|| MethodError::because("unsupportedFilter", "too many levels"))?;
    let Some(Value::Array(conditions)) = filter.remove("conditions") else {
        return Err(MethodError::arguments("an operator has a list of conditions").into());
    };
    let mut inner = Vec::with_capacity(conditions.len().min(MOST_CONDITIONS));
    for one in conditions {
        let Value::Object(one) = one else {
            return Err(MethodError::arguments("a condition is an object").into());
        };
        inner.push(step(one, condition, depth, left)?);
    }
    match operator.as_str() {
        Some("AND") => Ok(Filter::And(inner)),
        Some("OR") => Ok(Filter::Or(inner)),
        Some("NOT") => Ok(Filter::Not(inner)),
        _ => Err(MethodError::arguments("operator is AND, OR or NOT").into()),
    }
}

impl<C> Filter<C> {
    /// Whether something fits, by what `fits` says of one condition.
    pub(crate) fn holds(&self, fits: &impl Fn(&C) -> bool) -> bool {
        match self {
            Self::And(all) => all.iter().all(|f| f.holds(fits)),
            Self::Or(any) => any.iter().any(|f| f.holds(fits)),
            Self::Not(none) => !none.iter().any(|f| f.holds(fits)),
            Self::One(condition) => fits(condition),
        }
    }
}

/// One criterion of an order.
#[derive(Debug, Clone)]
pub(crate) struct Sort {
    pub(crate) property: String,
    pub(crate) is_ascending: bool,
    pub(crate) keyword: Option<String>,
}

/// Criteria of one order.
const MOST_CRITERIA: usize = 8;

/// Reads `sort` (RFC 8620 §5.5).
pub(crate) fn sort(given: Option<Value>) -> Outcome<Vec<Sort>> {
    let wrong = || MethodError::arguments("sort is a list of comparators");
    let given = match given {
        None => return Ok(Vec::new()),
        Some(Value::Array(given)) => given,
        Some(_) => return Err(wrong().into()),
    };
    if given.len() > MOST_CRITERIA {
        return Err("unsupportedSort".into());
    }
    given
        .into_iter()
        .map(|one| {
            let text = |name: &str| match one.get(name) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text.clone())),
                Some(_) => Err(wrong()),
            };
            let is_ascending = match one.get("isAscending") {
                None => true,
                Some(Value::Bool(is_ascending)) => *is_ascending,
                Some(_) => return Err(wrong().into()),
            };
            if text("collation")?
                .is_some_and(|c| !["i;ascii-casemap", "i;unicode-casemap"].contains(&c.as_str()))
            {
                return Err("unsupportedSort".into());
            }
            let property = text("property")?.ok_or_else(wrong)?;
            Ok(Sort { property, is_ascending, keyword: text("keyword")? })
        })
        .collect()
}
