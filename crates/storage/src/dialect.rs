//! One SQL text for two engines: the few places where their spelling differs.

use std::borrow::Cow;

/// Which spelling is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Rewrites `?1` to `$1` for PostgreSQL; no literal of ours holds a question mark.
pub(crate) fn statement(dialect: Dialect, sql: &str) -> Cow<'_, str> {
    match dialect {
        Dialect::Sqlite => Cow::Borrowed(sql),
        Dialect::Postgres => Cow::Owned(sql.replace('?', "$")),
    }
}

/// Splits a migration step into statements, each spelled for the engine.
pub(crate) fn schema(dialect: Dialect, step: &str) -> Vec<String> {
    step.split(';').map(str::trim).filter(|s| !s.is_empty()).map(|s| definition(dialect, s)).collect()
}

fn definition(dialect: Dialect, statement: &str) -> String {
    const ROWLESS: &str = "WITHOUT ROWID";
    let upper = statement.to_ascii_uppercase();
    if upper.starts_with("ALTER TABLE") && dialect == Dialect::Sqlite {
        return types(statement);
    }
    if !upper.starts_with("CREATE TABLE") {
        return statement.to_owned();
    }
    let (body, rowless) = match statement.strip_suffix(ROWLESS) {
        Some(body) => (body.trim_end(), true),
        None => (statement, false),
    };
    match dialect {
        Dialect::Postgres => body.to_owned(),
        Dialect::Sqlite => {
            let body = types(body);
            if rowless { format!("{body} WITHOUT ROWID, STRICT") } else { format!("{body} STRICT") }
        }
    }
}

/// A STRICT table knows no other names of types.
fn types(text: &str) -> String {
    replace_word(&replace_word(text, "BIGINT", "INTEGER"), "BYTEA", "BLOB")
}

fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = rest.split_at(at);
        let after = &after[word.len()..];
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let whole = !before.ends_with(part) && !after.starts_with(part);
        out.push_str(before);
        out.push_str(if whole { by } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_spelled_for_each_engine() {
        let step = "CREATE TABLE t (a BIGINT NOT NULL, b BYTEA, PRIMARY KEY (a)) WITHOUT ROWID; CREATE INDEX i ON t (b);";
        assert_eq!(
            schema(Dialect::Sqlite, step),
            [
                "CREATE TABLE t (a INTEGER NOT NULL, b BLOB, PRIMARY KEY (a)) WITHOUT ROWID, STRICT",
                "CREATE INDEX i ON t (b)"
            ]
        );
        assert_eq!(
            schema(Dialect::Postgres, step),
            ["CREATE TABLE t (a BIGINT NOT NULL, b BYTEA, PRIMARY KEY (a))", "CREATE INDEX i ON t (b)"]
        );
        let column = "ALTER TABLE t ADD COLUMN c BIGINT NOT NULL DEFAULT 0; ALTER TABLE t ADD COLUMN d BYTEA";
        assert_eq!(
            schema(Dialect::Sqlite, column),
            ["ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 0", "ALTER TABLE t ADD COLUMN d BLOB"]
        );
        assert_eq!(schema(Dialect::Postgres, column).join("; "), column);
        assert_eq!(statement(Dialect::Postgres, "SELECT ?1 + ?12"), "SELECT $1 + $12");
    }
}
