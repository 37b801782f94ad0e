//! Reads back what was written: the script is taken apart, and believed to be ours when writing it again gives the same text.

use super::{Condition, Field, FilterRule, How, Join, RuleAction, print};
use crate::{
    Script, parser,
    parser::{Node, Value},
};

/// Returns the rules of a script that was written from rules; `None` when it was written or changed by hand.
#[must_use]
pub fn read_rules(text: &str) -> Option<Vec<FilterRule>> {
    Script::parse(text).ok()?;
    let nodes = parser::parse(text).ok()?;
    let mut names = text.lines().filter_map(|line| line.strip_prefix("# rule: "));
    let rules: Option<Vec<FilterRule>> = nodes
        .iter()
        .skip_while(|node| node.name == "require")
        .map(|node| rule(node, names.next()?))
        .collect();
    rules.filter(|rules| print(rules) == text)
}

fn rule(node: &Node, name: &str) -> Option<FilterRule> {
    let mut test = only(&node.tests)?;
    let mut is_on = true;
    if let ("allof", [first, second]) = (test.name.as_str(), test.tests.as_slice())
        && first.name == "false"
    {
        (is_on, test) = (false, second);
    }
    let (join, conditions) = match test.name.as_str() {
        "true" => (Join::All, Vec::new()),
        "allof" => (Join::All, test.tests.iter().map(condition).collect::<Option<_>>()?),
        "anyof" => (Join::Any, test.tests.iter().map(condition).collect::<Option<_>>()?),
        _ => return None,
    };
    let actions = node.block.as_ref()?.iter().map(action).collect::<Option<_>>()?;
    Some(FilterRule { name: name.to_owned(), is_on, join, conditions, actions })
}

fn only<T>(list: &[T]) -> Option<&T> {
    if let [one] = list { Some(one) } else { None }
}

/// The strings among the arguments, in their order; lists by their first.
fn strings(node: &Node) -> Vec<&str> {
    node.arguments
        .iter()
        .filter_map(|argument| match &argument.value {
            Value::Strings(list) => list.first().map(String::as_str),
            Value::Tag(_) | Value::Number(_) => None,
        })
        .collect()
}

fn has_tag(node: &Node, tag: &str) -> bool {
    node.arguments.iter().any(|argument| matches!(&argument.value, Value::Tag(name) if name == tag))
}

fn condition(node: &Node) -> Option<Condition> {
    let (node, is_negated) = if node.name == "not" { (only(&node.tests)?, true) } else { (node, false) };
    let how = match (is_negated, has_tag(node, "is")) {
        (true, _) => How::Lacks,
        (false, true) => How::Is,
        (false, false) => How::Contains,
    };
    let strings = strings(node);
    let field = match (node.name.as_str(), strings.as_slice()) {
        ("attachment", _) => return Some(Condition::HasAttachment),
        ("size", _) => {
            let bytes = node.arguments.iter().find_map(|argument| match argument.value {
                Value::Number(number) => Some(number),
                _ => None,
            })?;
            return Some(Condition::Size { is_over: has_tag(node, "over"), bytes });
        }
        ("body", _) => Field::Body,
        ("header" | "address", [_, "from", _]) => Field::From,
        ("header" | "address", [_, "to", _]) => Field::To,
        ("header", [_, "subject", _]) => Field::Subject,
        _ => return None,
    };
    Some(Condition::Says { field, how, words: (*strings.last()?).to_owned() })
}

fn action(node: &Node) -> Option<RuleAction> {
    let strings = strings(node);
    let first = strings.first().map(|text| (*text).to_owned());
    Some(match node.name.as_str() {
        "fileinto" if has_tag(node, "specialuse") => RuleAction::Delete,
        "fileinto" => RuleAction::MoveTo(first?),
        "addflag" => match first?.as_str() {
            "\\Seen" => RuleAction::MarkRead,
            "\\Flagged" => RuleAction::Star,
            label => RuleAction::Label(label.to_owned()),
        },
        "redirect" => RuleAction::Forward(first?),
        "stop" => RuleAction::Stop,
        _ => return None,
    })
}
