//! Review of outgoing mail (S9.1, Điều 9).

use crate::{
    problem::{At, Problem},
    review_view::{self, ReviewDetail, ReviewItem, ReviewList},
    session::{Member, Visitor, body},
    state::{App, problem},
};
use axum::{
    Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use congvu_casework::review::{self, Filter, Parts, ReadAhead, record_opened};
use congvu_directory::SignedIn;
use congvu_message::{InlineImages, attachments, html_body, parse_structure, safe_html};
use congvu_storage::Actor;
use congvu_transport::{Decision, DecisionKind, Seen, decide as decide_on, withdraw as take_back};
use congvu_types::{Error, RefusalKind, ReviewId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

const MOST: usize = 200;

/// A message's own document: no script, no form, nothing from elsewhere, in a sandbox of its own.
const MESSAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// How a message looks that says nothing of it, about as mail programs show it.
const MESSAGE_STYLE: &str = "body{margin:16px;font:15px/1.5 'Segoe UI',Roboto,Arial,sans-serif;overflow-wrap:anywhere}\
     img{max-width:100%;height:auto}td,th{padding:2px 6px}";

/// Which reviews.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `awaiting` (the default), `decided` or `mine`.
    state: Option<String>,
    /// At most this many, up to 200.
    limit: Option<usize>,
    /// Only those older than this id.
    before: Option<String>,
}

/// A decision.
#[derive(Deserialize, ToSchema)]
pub(crate) struct DecisionRequest {
    /// `approve`, `return` or `reject`.
    decision: String,
    /// Why; needed to return or reject.
    comment: Option<String>,
    /// The digest that was shown with the message.
    digest: String,
}

fn id(text: &str) -> Result<ReviewId, Problem> {
    text.parse().map_err(|e| Problem::malformed(format!("{text:?}: {e}")))
}

/// Lists reviews, newest first.
#[utoipa::path(get, operation_id = "listReviews", path = "/api/v1/reviews", params(ListQuery),
    responses((status = 200, body = ReviewList), (status = 401, body = crate::problem::ProblemBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Member(visitor): Member,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ReviewList>, Problem> {
    let Query(query) = query.map_err(|r| Problem::unreadable(r.status(), r.body_text()))?;
    let filter = match query.state.as_deref().unwrap_or("awaiting") {
        "awaiting" => Filter::Awaiting,
        "decided" => Filter::Decided,
        "mine" => Filter::Mine,
        other => {
            return Err(Problem::malformed(format!("state is awaiting, decided or mine, not {other:?}")));
        }
    };
    let before = query.before.as_deref().map(id).transpose()?;
    let limit = query.limit.unwrap_or(50).clamp(1, MOST);
    let who = visitor.who;
    let found = app.options.db.read(move |s| {
        let found = review::list(s, &who, filter, before, limit)?;
        let next = (found.len() == limit).then(|| found.last().map(|r| r.id.to_string())).flatten();
        let reviews = found.iter().map(|r| review_view::item(s, &who, r)).collect::<Result<_, Error>>()?;
        Ok(ReviewList { reviews, next })
    });
    found.await.map(Json).map_err(problem(visitor.language))
}

/// Opens a review: its plain text counts as opened by whoever asks, and that they looked is recorded.
#[utoipa::path(get, operation_id = "openReview", path = "/api/v1/reviews/{id}", params(("id" = String, Path)),
    responses((status = 200, body = ReviewDetail), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn open(
    State(app): State<App>,
    Member(visitor): Member,
    At(review): At<String>,
) -> Result<Json<ReviewDetail>, Problem> {
    let (review, who, db) = (id(&review)?, visitor.who, &app.options.db);
    let reader = who.clone();
    let shown = db.read(move |s| review_view::parts_shown(s, &review::open(s, &reader, review)?));
    let shown = shown.await.map_err(problem(visitor.language))?;
    note(&app, &who, review, shown).await.map_err(problem(visitor.language))?;
    let found = db.read(move |s| {
        let found = review::open(s, &who, review)?;
        review_view::detail(s, &who, &found)
    });
    found.await.map(Json).map_err(problem(visitor.language))
}

/// Records what a person is about to be shown.
async fn note(app: &App, who: &SignedIn, review: ReviewId, parts: Parts) -> Result<(), Error> {
    let (db, who) = (&app.options.db, who.clone());
    db.write(Actor::Person(who.person()), move |tx| record_opened(tx, &who, review, &parts)).await
}

/// Makes something of a review's bytes, for a person who may see it. Which parts that shows is recorded before they are
/// shown.
async fn look<T: Send + 'static>(
    app: &App,
    visitor: Visitor,
    review: &str,
    make: impl FnOnce(&[u8]) -> Result<(T, Parts), Error> + Send + 'static,
) -> Result<T, Problem> {
    let (review, who, db) = (id(review)?, visitor.who, &app.options.db);
    let reader = who.clone();
    let made = db.read(move |s| make(&s.blob(&review::open(s, &reader, review)?.blob)?));
    let (made, shown) = made.await.map_err(problem(visitor.language))?;
    note(app, &who, review, shown).await.map_err(problem(visitor.language))?;
    Ok(made)
}

/// The message's HTML, made harmless, as a document for a sandboxed frame.
#[utoipa::path(get, operation_id = "reviewHtml", path = "/api/v1/reviews/{id}/html", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/html"), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn html(
    State(app): State<App>,
    Member(visitor): Member,
    At(review): At<String>,
) -> Result<Response, Problem> {
    let language = visitor.language;
    let html = look(&app, visitor, &review, |raw| {
        let root = parse_structure(raw);
        let html = html_body(raw, &root).ok_or(RefusalKind::NotFound)?;
        let safe = safe_html(&html, &InlineImages::of(raw, &root));
        let mut shown = Parts::attachments(safe.pictures);
        shown.add(&Parts::html(raw, &root));
        Ok((safe.html, shown))
    });
    let html = html.await?;
    let page = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title></title><style>{MESSAGE_STYLE}</style></head>\
         <body>{html}</body></html>",
        language.tag()
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, MESSAGE_POLICY),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    ];
    Ok((headers, page).into_response())
}

/// The message as it would leave, but for its signature.
#[utoipa::path(get, operation_id = "reviewMessage", path = "/api/v1/reviews/{id}/message", params(("id" = String, Path)),
    responses((status = 200, content_type = "message/rfc822"), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn message(
    State(app): State<App>,
    Member(visitor): Member,
    At(review): At<String>,
) -> Result<Response, Problem> {
    let raw = look(&app, visitor, &review, |raw| Ok((raw.to_vec(), Parts::all(&parse_structure(raw)))));
    let raw = raw.await?;
    Ok(download(raw, "message/rfc822", "attachment; filename=\"message.eml\""))
}

/// An attachment's bytes, always as a download.
#[utoipa::path(get, operation_id = "reviewAttachment", path = "/api/v1/reviews/{id}/attachments/{index}",
    params(("id" = String, Path), ("index" = usize, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn attachment(
    State(app): State<App>,
    Member(visitor): Member,
    At((review, index)): At<(String, String)>,
) -> Result<Response, Problem> {
    let language = visitor.language;
    let index: usize =
        index.parse().map_err(|_| Problem::from_error(&RefusalKind::NotFound.into(), language))?;
    let found = look(&app, visitor, &review, move |raw| {
        let mut all = attachments(raw, &parse_structure(raw));
        if index >= all.len() {
            return Err(RefusalKind::NotFound.into());
        }
        Ok((all.swap_remove(index), Parts::attachments([index])))
    });
    let found = found.await?;
    let disposition = found.http_disposition();
    Ok(download(found.content, "application/octet-stream", &disposition))
}

pub(crate) fn download(bytes: Vec<u8>, kind: &'static str, disposition: &str) -> Response {
    let plain = HeaderValue::from_static("attachment");
    let disposition = HeaderValue::from_str(disposition).unwrap_or(plain);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    (headers, bytes).into_response()
}

/// Decides.
#[utoipa::path(post, operation_id = "decide", path = "/api/v1/reviews/{id}/decision", params(("id" = String, Path)), request_body = DecisionRequest,
    responses((status = 200, body = ReviewItem), (status = 403, body = crate::problem::ProblemBody),
        (status = 409, body = crate::problem::ProblemBody), (status = 422, body = crate::problem::ProblemBody)))]
pub(crate) async fn decide(
    State(app): State<App>,
    Member(visitor): Member,
    At(review): At<String>,
    request: Result<Json<DecisionRequest>, JsonRejection>,
) -> Result<Json<ReviewItem>, Problem> {
    let (review, request) = (id(&review)?, body(request)?);
    let kind = match request.decision.as_str() {
        "approve" => DecisionKind::Approve,
        "return" => DecisionKind::Return,
        "reject" => DecisionKind::Reject,
        other => {
            return Err(Problem::malformed(format!("decision is approve, return or reject, not {other:?}")));
        }
    };
    let decision = Decision { kind, comment: request.comment, seen: Seen::Digest(request.digest) };
    let (who, site) = (visitor.who, app.options.site.clone());
    let ahead = match kind {
        DecisionKind::Approve => app.options.db.read(move |s| ReadAhead::of(s, review)).await,
        DecisionKind::Return | DecisionKind::Reject => Ok(ReadAhead::default()),
    };
    let ahead = ahead.map_err(problem(visitor.language))?;
    let decided = app.options.db.write(Actor::Person(who.person()), move |tx| {
        let (review, _) = decide_on(tx, &site, &who, review, &decision, &ahead)?;
        review_view::item(tx, &who, &review)
    });
    decided.await.map(Json).map_err(problem(visitor.language))
}

/// Takes one's own message back before the decision.
#[utoipa::path(post, operation_id = "withdraw", path = "/api/v1/reviews/{id}/withdraw", params(("id" = String, Path)),
    responses((status = 200, body = ReviewItem), (status = 409, body = crate::problem::ProblemBody)))]
pub(crate) async fn withdraw(
    State(app): State<App>,
    Member(visitor): Member,
    At(review): At<String>,
) -> Result<Json<ReviewItem>, Problem> {
    let (review, who) = (id(&review)?, visitor.who);
    let taken = app.options.db.write(Actor::Person(who.person()), move |tx| {
        let review = take_back(tx, &who, review)?;
        review_view::item(tx, &who, &review)
    });
    taken.await.map(Json).map_err(problem(visitor.language))
}
