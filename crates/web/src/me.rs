//! Who is signed in, and what they may do.

use crate::{
    problem::Problem,
    session::Visitor,
    state::{App, problem},
};
use axum::{Json, extract::State};
use congvu_casework::{assignment::open_count, review::pending_count};
use congvu_directory::{SignedIn, accounts_of, regulation_of};
use congvu_types::Result;
use serde::Serialize;
use utoipa::ToSchema;

/// Where the regulation sets no length.
const MIN_PASSWORD: usize = 12;

/// A person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonView {
    id: String,
    /// The form that signs in.
    login: String,
    name: String,
    /// `vi` or `en`.
    language: String,
    /// Nothing but the change of the password is open (S4.2d).
    must_change_password: bool,
    /// The least number of characters of a password.
    password_min_length: usize,
    /// How many reviews wait for this person.
    pending_reviews: u64,
    /// How much work this person or their unit has been given and not done; counted to a few hundred.
    open_work: usize,
    /// Whether this is the sample.
    demo: bool,
    accounts: Vec<AccountView>,
}

/// An account that a person may use.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountView {
    id: String,
    address: String,
    /// `agency`, `unit`, `position` or `personal`.
    kind: String,
    /// `read`, `draft`, `submit`, `review`, `manage`.
    rights: Vec<String>,
    is_own: bool,
}

/// Looks a person's page up.
pub(crate) async fn view(app: &App, who: &SignedIn) -> Result<PersonView> {
    let (who, demo) = (who.clone(), app.options.demo);
    let now = app.options.db.clock().now();
    app.options
        .db
        .read(move |s| {
            let open = !who.must_change_password();
            let accounts = if open { accounts_of(s, &who)? } else { Vec::new() };
            let rule = regulation_of(s, who.agency())?;
            Ok(PersonView {
                id: who.person().to_string(),
                login: who.login(),
                name: who.name().to_owned(),
                language: who.language().tag().to_owned(),
                must_change_password: !open,
                password_min_length: rule.passwords.as_ref().map_or(MIN_PASSWORD, |p| p.min_length),
                pending_reviews: if open { pending_count(s, &who)? } else { 0 },
                open_work: if open { open_count(s, &who, now)? } else { 0 },
                demo,
                accounts: accounts
                    .into_iter()
                    .map(|a| AccountView {
                        id: a.account.id.to_string(),
                        address: a.account.address.to_string(),
                        kind: a.account.kind.as_str().to_owned(),
                        rights: a.rights.iter().map(|r| r.as_str().to_owned()).collect(),
                        is_own: a.is_own,
                    })
                    .collect(),
            })
        })
        .await
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/me",
    responses((status = 200, body = PersonView), (status = 401, body = crate::problem::ProblemBody)))]
pub(crate) async fn me(
    State(app): State<App>,
    visitor: Visitor,
) -> std::result::Result<Json<PersonView>, Problem> {
    view(&app, &visitor.who).await.map(Json).map_err(problem(visitor.language))
}
