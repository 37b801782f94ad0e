//! Mail clients that set themselves up: Thunderbird's configuration file and Outlook's Autodiscover.
//!
//! Both only say where the doors are; they tell nobody which addresses exist.

use crate::{
    app_passwords::ClientSettings,
    problem::Problem,
    state::{App, problem},
};
use axum::{
    extract::{
        Query, State,
        rejection::{QueryRejection, StringRejection},
    },
    http::header,
    response::{IntoResponse, Response},
};
use congvu_directory::is_local_domain;
use congvu_types::{EmailAddress, Language, RefusalKind};
use serde::Deserialize;

/// Whose settings Thunderbird asks for.
#[derive(Deserialize)]
pub(crate) struct Asked {
    emailaddress: Option<String>,
}

/// Mozilla's autoconfig, `config-v1.1.xml`.
pub(crate) async fn mozilla(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|r| Problem::unreadable(r.status(), r.body_text()))?;
    let address = ours(&app, asked.emailaddress.as_deref()).await?;
    Ok(xml(mozilla_document(&app.options.client_settings, address.domain().as_str())))
}

/// Outlook's Autodiscover ("POX"): the address stands in the request's body.
pub(crate) async fn outlook(
    State(app): State<App>,
    request: Result<String, StringRejection>,
) -> Result<Response, Problem> {
    let request = request.map_err(|r| Problem::unreadable(r.status(), r.body_text()))?;
    let asked = request.split_once("<EMailAddress>").and_then(|(_, rest)| rest.split_once("</EMailAddress>"));
    let address = ours(&app, asked.map(|(address, _)| address.trim())).await?;
    Ok(xml(outlook_document(&app.options.client_settings, &address.to_string())))
}

/// The address, when its domain is one of ours.
async fn ours(app: &App, asked: Option<&str>) -> Result<EmailAddress, Problem> {
    let unreadable = || Problem::malformed("The request names no email address.");
    let address: EmailAddress = asked.ok_or_else(unreadable)?.parse().map_err(|_| unreadable())?;
    let domain = address.domain().clone();
    let found = app.options.db.read_quick(move |s| is_local_domain(s, &domain)).await;
    if found.map_err(problem(Language::default()))? {
        Ok(address)
    } else {
        Err(Problem::from_error(&RefusalKind::NotFound.into(), Language::default()))
    }
}

fn xml(document: String) -> Response {
    ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], document).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn mozilla_document(settings: &ClientSettings, domain: &str) -> String {
    let server = |kind: &str, port: u16| {
        format!(
            "<hostname>{}</hostname><port>{port}</port><socketType>SSL</socketType>\
             <authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></{kind}>",
            escape(&settings.host)
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\"><emailProvider id=\"{domain}\">\
         <domain>{domain}</domain><displayName>{domain}</displayName><displayShortName>Congvu</displayShortName>\
         <incomingServer type=\"imap\">{}<outgoingServer type=\"smtp\">{}</emailProvider></clientConfig>\n",
        server("incomingServer", settings.imap_port),
        server("outgoingServer", settings.submission_port),
        domain = escape(domain),
    )
}

fn outlook_document(settings: &ClientSettings, address: &str) -> String {
    let protocol = |kind: &str, port: u16| {
        format!(
            "<Protocol><Type>{kind}</Type><Server>{}</Server><Port>{port}</Port><LoginName>{}</LoginName>\
             <SSL>on</SSL><Encryption>SSL</Encryption><SPA>off</SPA><AuthRequired>on</AuthRequired></Protocol>",
            escape(&settings.host),
            escape(address)
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\
         <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\"><Account>\
         <AccountType>email</AccountType><Action>settings</Action>{}{}</Account></Response></Autodiscover>\n",
        protocol("IMAP", settings.imap_port),
        protocol("SMTP", settings.submission_port)
    )
}
