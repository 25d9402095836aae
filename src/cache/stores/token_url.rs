//! Tokens of Google Cloud Storage from an address of one's own, as those who do not hand out keys have it.

use reqsign_core::time::Timestamp;
use reqsign_core::{Context, Error, ProvideCredential, Result};
use reqsign_google::{Credential, Token};
use serde::Deserialize;

use super::url::Url;

/// Asks for a token; it is asked again when that has expired.
#[derive(Debug)]
pub(super) struct TokenUrl(pub(super) Url);

/// The answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    access_token: String,
    expiration_time: String,
}

impl ProvideCredential for TokenUrl {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        let request = ureq::http::Request::get(self.0.expose()).body(Default::default());
        let answer = context.http_send(request.map_err(|_| failure("the `token_url` is no address"))?).await?;
        if !answer.status().is_success() {
            return Err(failure(&format!("the server of `token_url` answered {}", answer.status())));
        }
        let answer: Answer = serde_json::from_slice(answer.body())
            .map_err(|_| failure("the server of `token_url` did not answer with a token"))?;
        let expires_at = answer.expiration_time.parse::<Timestamp>();
        let expires_at = expires_at.map_err(|_| failure("the `expirationTime` of the token is no time"))?;
        let token = Token { access_token: answer.access_token, expires_at: Some(expires_at) };
        Ok(Some(Credential::with_token(token)))
    }
}

fn failure(reason: &str) -> Error {
    Error::credential_invalid(reason)
}
