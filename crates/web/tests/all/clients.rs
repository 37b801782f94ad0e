//! Who asks at a door that is mounted here: by session, or by HTTP Basic.

use crate::world::{PASSWORD, each};
use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderMap, Request, header},
    routing::{get, post},
};
use congvu_directory::SignedIn;
use congvu_web::Peer;
use tower::ServiceExt as _;

/// A door that says who asks.
pub(crate) fn mounted() -> Router {
    let name = |Extension(who): Extension<SignedIn>| async move { who.username().to_owned() };
    Router::new().route("/mounted", get(name)).route("/jmap/mounted", post(name))
}

/// `mai@bqlctgt:mot mat khau dai 1`, and with another password.
const MAI: &str = "Basic bWFpQGJxbGN0Z3Q6bW90IG1hdCBraGF1IGRhaSAx";
const WRONG: &str = "Basic bWFpQGJxbGN0Z3Q6c2Fp";

async fn ask(router: &Router, tls: bool, method: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap) {
    let path = if method == "POST" { "/jmap/mounted" } else { "/mounted" };
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer {
        address: "127.0.0.1:40000".parse().unwrap(),
        tls,
        is_direct: true,
    });
    let response = router.clone().oneshot(request).await.unwrap();
    (response.status().as_u16(), response.headers().clone())
}

#[tokio::test]
async fn a_mounted_door_is_for_signed_in_people_alone() {
    each(false, |world| async move {
        let router = &world.router;
        assert!(!PASSWORD.is_empty());
        let (status, headers) = ask(router, true, "GET", &[]).await;
        assert_eq!(
            (status, headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic")),
            (401, true)
        );
        // A page gets no challenge: its browser would open a window for the password.
        let (status, headers) = ask(router, true, "GET", &[("sec-fetch-mode", "cors")]).await;
        assert_eq!((status, headers.contains_key(header::WWW_AUTHENTICATE)), (401, false));
        assert_eq!(ask(router, true, "GET", &[("authorization", WRONG)]).await.0, 401);
        assert_eq!(ask(router, true, "GET", &[("authorization", "Basic ?")]).await.0, 401);
        assert_eq!(ask(router, true, "GET", &[("authorization", MAI)]).await.0, 200);
        assert_eq!(ask(router, true, "POST", &[("authorization", MAI)]).await.0, 200);
        // No password goes in clear.
        assert_eq!(ask(router, false, "POST", &[("authorization", MAI)]).await.0, 403);
        let browser = world.signed_in("mai").await;
        let (cookie, csrf) = (browser.cookie.clone().unwrap(), browser.csrf.clone().unwrap());
        assert_eq!(ask(router, true, "GET", &[("cookie", &cookie)]).await.0, 200);
        assert_eq!(ask(router, true, "POST", &[("cookie", &cookie)]).await.0, 403);
        let token = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
        assert_eq!(ask(router, true, "POST", &token).await.0, 200);
    })
    .await;
}
