//! Sentences for people: one file a language at `locales/`, shared with the web application.

use std::{collections::HashMap, sync::LazyLock};

/// A language of the interface. Vietnamese comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// Tiếng Việt.
    #[default]
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// Reads `vi` or `en`, also with a region (`en-GB`); everything else is Vietnamese.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        if tag.get(..2).is_some_and(|t| t.eq_ignore_ascii_case("en")) {
            Self::English
        } else {
            Self::Vietnamese
        }
    }

    /// Returns the language tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }
}

type Sentences = HashMap<String, String>;

static VIETNAMESE: LazyLock<Sentences> = LazyLock::new(|| read(include_str!("../../../locales/vi.json")));
static ENGLISH: LazyLock<Sentences> = LazyLock::new(|| read(include_str!("../../../locales/en.json")));

/// Reads a flat JSON object of key → sentence; a file that is none is caught by the test below.
fn read(text: &str) -> Sentences {
    serde_json::from_str(text).unwrap_or_default()
}

/// Returns the sentence of `key` with each `{name}` replaced by its value; the key itself when unknown.
#[must_use]
pub fn sentence(language: Language, key: &str, params: &[(&str, &str)]) -> String {
    let sentences = match language {
        Language::Vietnamese => &VIETNAMESE,
        Language::English => &ENGLISH,
    };
    let Some(template) = sentences.get(key) else { return key.to_owned() };
    let mut text = template.clone();
    for (name, value) in params {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys() {
        let mut vi: Vec<_> = VIETNAMESE.keys().collect();
        let mut en: Vec<_> = ENGLISH.keys().collect();
        vi.sort();
        en.sort();
        assert!(!vi.is_empty());
        assert_eq!(vi, en);
    }

    #[test]
    fn values_are_put_in_and_unknown_keys_show() {
        assert_eq!(sentence(Language::English, "no.such.key", &[]), "no.such.key");
    }
}
