//! The article of the regulation that a decision rests on.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An article, and where needed clause and point, of an instrument (regulation, decision, decree).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Citation {
    /// The rule's id in the project's map of the regulation, such as `S9.1`.
    pub rule: String,
    /// The instrument's title or number, as the agency names it.
    pub instrument: String,
    /// The article (Điều).
    pub article: u16,
    /// The clause (khoản), when the article has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<u16>,
    /// The point (điểm), a letter, when the clause has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
}

impl fmt::Display for Citation {
    /// Writes the form that is shown everywhere: `Điều 9`, `khoản 2 Điều 4`, `điểm a khoản 2 Điều 4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(point) = &self.point {
            write!(f, "điểm {point} ")?;
        }
        if let Some(clause) = self.clause {
            write!(f, "khoản {clause} ")?;
        }
        write!(f, "Điều {}", self.article)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_reads_as_officials_write_it() {
        let mut c = Citation {
            rule: "S9.1".into(),
            instrument: "Quy định".into(),
            article: 9,
            clause: None,
            point: None,
        };
        assert_eq!(c.to_string(), "Điều 9");
        c.clause = Some(2);
        c.point = Some("a".into());
        assert_eq!(c.to_string(), "điểm a khoản 2 Điều 9");
    }
}
