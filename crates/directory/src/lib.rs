//! Who: agencies, units, people, accounts, grants, credentials, sign-in.
//!
//! [`SignedIn`] and [`Acting`] are proofs with private constructors: nobody acts on an account without a grant
//! (INVARIANT; test: `nobody_acts_without_a_grant`) nor after their sign-in ended (INVARIANT; test:
//! `a_sign_in_ends_with_what_it_rests_on`), and a password that must be changed opens nothing but its
//! change (S4.2d, Điều 4; test: `an_initial_password_opens_only_its_change`).

mod accounts;
mod acting;
mod address_book;
mod app_passwords;
mod authenticator;
mod credentials;
pub mod fixture;
mod mandate;
mod operate;
mod password;
mod people;
mod regulations;
mod scram;
mod sessions;
mod sign_in_audit;
mod signed_in;
mod throttle;

pub use accounts::{
    AccountRow, Recipient, account, account_by_address, account_quota, accounts, is_local_domain,
    managed_account, own_account, recipient, set_quota,
};
pub use acting::{
    AccountAccess, Acting, Right, RightKind, Rights, accounts_of, act_for, grantees, right, rights_of_person,
    sender,
};
pub use address_book::{BookEntry, address_book};
pub use app_passwords::{AppPassword, app_passwords, create_app_password, revoke_app_password};
pub use authenticator::{AuthPolicy, Authenticator, Door};
pub use mandate::{Mandate, resume};
pub use operate::{disable_person, reset_password};
pub use people::{
    AgencyRow, PersonRow, UnitRow, agency, people, people_in_position, person, person_by_login, unit, units,
    users_of,
};
pub use regulations::regulation_of;
pub use scram::ScramKeys;
pub use sessions::{Session, SessionToken, end_session, open_session, session};
pub use signed_in::{SignedIn, still_signed_in};

use congvu_storage::MigrationSet;

/// The directory's tables: agency, unit, person, account, account_grant, credential,
/// app_password, session, directory_secret.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    owner: "directory",
    steps: &["
        CREATE TABLE agency (id BIGINT NOT NULL PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
            domain TEXT NOT NULL UNIQUE, regulation TEXT NOT NULL);
        CREATE TABLE unit (id BIGINT NOT NULL PRIMARY KEY, agency_id BIGINT NOT NULL, code TEXT NOT NULL,
            name TEXT NOT NULL, UNIQUE (agency_id, code));
        CREATE TABLE person (id BIGINT NOT NULL PRIMARY KEY, agency_id BIGINT NOT NULL, username TEXT NOT NULL,
            name TEXT NOT NULL, unit TEXT, position TEXT, active BIGINT NOT NULL, version BIGINT NOT NULL,
            language TEXT NOT NULL, UNIQUE (agency_id, username));
        CREATE TABLE account (id BIGINT NOT NULL PRIMARY KEY, agency_id BIGINT NOT NULL, address_key TEXT NOT NULL UNIQUE,
            address TEXT NOT NULL, kind TEXT NOT NULL, owner_id BIGINT, quota_bytes BIGINT);
        CREATE INDEX account_owner ON account (owner_id);
        CREATE TABLE account_grant (person_id BIGINT NOT NULL, account_id BIGINT NOT NULL, rights BIGINT NOT NULL,
            PRIMARY KEY (person_id, account_id)) WITHOUT ROWID;
        CREATE INDEX account_grant_account ON account_grant (account_id);
        CREATE TABLE credential (person_id BIGINT NOT NULL PRIMARY KEY, phc TEXT NOT NULL, scram_salt BYTEA,
            scram_iterations BIGINT, stored_key BYTEA, server_key BYTEA,
            must_change BIGINT NOT NULL, changed_at BIGINT NOT NULL);
        CREATE TABLE app_password (id BIGINT NOT NULL PRIMARY KEY, person_id BIGINT NOT NULL, name TEXT NOT NULL,
            phc TEXT NOT NULL, created_at BIGINT NOT NULL);
        CREATE INDEX app_password_person ON app_password (person_id);
        CREATE TABLE session (token_hash BYTEA NOT NULL PRIMARY KEY, person_id BIGINT NOT NULL, version BIGINT NOT NULL,
            csrf TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
        CREATE TABLE directory_secret (name TEXT NOT NULL PRIMARY KEY, value BYTEA NOT NULL);
    ", "
        DROP TABLE app_password;
        CREATE TABLE app_password (id BIGINT NOT NULL PRIMARY KEY, person_id BIGINT NOT NULL, name TEXT NOT NULL,
            secret_hash BYTEA NOT NULL, created_at BIGINT NOT NULL, last_used_at BIGINT);
        CREATE INDEX app_password_person ON app_password (person_id);
    "],
};
