//! The router: every route there is.
//!
//! A protocol hands in a list of [`Route`]s. `docs/server.openapi.json` describes the same routes, and a test holds the two
//! together.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use super::problem::Problem;
use super::refusal::Refusals;
use super::route::Route;
use super::site::Site;
use super::{artifacts, bazel, ccache, curdling, gradle, health, nx, page, scrape, turbo, watch, webdav};

/// All routes of all protocols.
fn routes() -> Vec<Route<Arc<Site>>> {
    let mut routes = vec![
        Route::new("/healthz", &["get"], get(health::health)),
        Route::new("/metrics", &["get"], get(scrape::scrape)),
    ];
    routes.extend(page::routes());
    routes.extend(artifacts::routes());
    routes.extend(gradle::routes());
    routes.extend(curdling::routes());
    routes.extend(bazel::routes());
    routes.extend(ccache::routes());
    routes.extend(webdav::routes());
    routes.extend(nx::routes());
    routes.extend(turbo::routes());
    routes
}

/// The router of a site. Nobody gets past it without being asked who they are.
pub(super) fn router(site: Arc<Site>) -> Router {
    let mut router = Router::new();
    let mut refusals = Refusals::default();
    for route in routes() {
        refusals.add(route.path, route.refusal);
        router = router.route(route.path, route.handlers);
    }
    router
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes other methods")
        })
        .layer(from_fn_with_state((site.clone(), Arc::new(refusals)), watch::watch))
        .with_state(site)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described() {
        let text = include_str!("../../docs/server.openapi.json");
        let description: serde_json::Value = serde_json::from_str(text).unwrap();
        let is_method = |word: &&String| *word != "parameters" && !word.starts_with("x-");
        let paths = description["paths"].as_object().unwrap().iter();
        let described: BTreeSet<_> = paths
            .flat_map(|(path, methods)| {
                let more =
                    methods["x-additionalOperations"].as_object().into_iter().flatten().map(|(method, _)| method);
                let methods = methods.as_object().unwrap().keys().filter(is_method).chain(more);
                methods.map(|method| (path.clone(), method.to_lowercase()))
            })
            .collect();
        let served: BTreeSet<_> = routes()
            .iter()
            // OpenAPI has no sign for a variable part with slashes in it.
            .map(|route| (route.path.replace("{*", "{"), route.methods))
            .flat_map(|(path, methods)| methods.iter().map(move |method| (path.clone(), (*method).to_owned())))
            .collect();
        assert_eq!(described, served);
    }
}
