//! What goes into a statement and what comes out of a row, the same on both engines.

use congvu_types::{Error, Result, Timestamp};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut};

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Builds the array of values of a statement: `params![id.get(), "x", None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

macro_rules! from_int {
    ($($t:ty),*) => {$(impl From<$t> for Value { fn from(v: $t) -> Self { Self::Int(i64::from(v)) } })*};
}
from_int!(i64, i32, u32, u16, u8, bool);

impl From<usize> for Value {
    fn from(v: usize) -> Self {
        Self::Int(i64::try_from(v).unwrap_or(i64::MAX))
    }
}
impl From<u64> for Value {
    fn from(v: u64) -> Self {
        Self::Int(i64::try_from(v).unwrap_or(i64::MAX))
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(v.clone())
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Bytes(v.to_vec())
    }
}
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(v: &[u8; N]) -> Self {
        Self::Bytes(v.to_vec())
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Bytes(v)
    }
}
impl From<&Vec<u8>> for Value {
    fn from(v: &Vec<u8>) -> Self {
        Self::Bytes(v.clone())
    }
}
impl From<Timestamp> for Value {
    fn from(v: Timestamp) -> Self {
        Self::Int(v.millis())
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Integer(*v),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
            Self::Bytes(v) => ValueRef::Blob(v),
        }))
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(v) if *ty == Type::INT4 => i32::try_from(*v)?.to_sql(ty, out),
            Self::Int(v) => v.to_sql(ty, out),
            Self::Text(v) => v.to_sql(ty, out),
            Self::Bytes(v) => v.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// One row of an answer. Columns are numbered from 0.
#[derive(Debug)]
pub struct Row<'r>(pub(crate) Source<'r>);

#[derive(Debug)]
pub(crate) enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    /// Returns an integer column; NULL is a fault.
    pub fn i64(&self, column: usize) -> Result<i64> {
        self.opt_i64(column)?.ok_or_else(|| null(column))
    }

    /// Returns an integer column that may be NULL.
    pub fn opt_i64(&self, column: usize) -> Result<Option<i64>> {
        match &self.0 {
            Source::Sqlite(row) => row.get(column).map_err(read_fault),
            Source::Postgres(row) => row.try_get(column).map_err(read_fault),
        }
    }

    /// Returns an integer column that never is negative, such as a count or a size in bytes.
    pub fn u64(&self, column: usize) -> Result<u64> {
        u64::try_from(self.i64(column)?).map_err(read_fault)
    }

    /// Returns an integer column that fits 32 bits, such as a UID.
    pub fn u32(&self, column: usize) -> Result<u32> {
        u32::try_from(self.i64(column)?).map_err(read_fault)
    }

    /// Returns a text column; NULL is a fault.
    pub fn text(&self, column: usize) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| null(column))
    }

    /// Returns a text column that may be NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>> {
        match &self.0 {
            Source::Sqlite(row) => row.get(column).map_err(read_fault),
            Source::Postgres(row) => row.try_get(column).map_err(read_fault),
        }
    }

    /// Returns a bytes column; NULL is a fault.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>> {
        self.opt_bytes(column)?.ok_or_else(|| null(column))
    }

    /// Returns a bytes column that may be NULL.
    pub fn opt_bytes(&self, column: usize) -> Result<Option<Vec<u8>>> {
        match &self.0 {
            Source::Sqlite(row) => row.get(column).map_err(read_fault),
            Source::Postgres(row) => row.try_get(column).map_err(read_fault),
        }
    }

    /// Lends a bytes column to `f` without copying it; NULL is empty.
    pub fn with_bytes<T>(&self, column: usize, f: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        match &self.0 {
            Source::Sqlite(row) => match row.get_ref(column).map_err(read_fault)? {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) => f(bytes),
                _ => f(&[]),
            },
            Source::Postgres(row) => {
                f(row.try_get::<_, Option<&[u8]>>(column).map_err(read_fault)?.unwrap_or(&[]))
            }
        }
    }
}

fn read_fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::fault("reading a column", error)
}

fn null(column: usize) -> Error {
    Error::fault("reading a column", format!("column {column} is NULL"))
}
