//! The claims that are used. Names: RFC 7519; `serviceurl`, `appid`, `azp`, `ver`, `scp`: the Bot Connector and the login service.

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use super::{Denied, SKEW_SECONDS, denied::Shown, token::is_object};

/// What is read of a token's claims.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(super) iss: Option<String>,
    aud: Option<Audience>,
    /// Seconds since 1970; fractions are allowed.
    exp: Option<f64>,
    nbf: Option<f64>,
    ver: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    scp: Option<IgnoredAny>,
    pub(super) serviceurl: Option<String>,
}

/// One text. The standard knows lists too; nobody whom we let in makes them, and "is one of several" is not "is for us".
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Other(IgnoredAny),
}

impl Claims {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Denied> {
        match serde_json::from_slice(bytes) {
            Ok(claims) if is_object(bytes) => Ok(claims),
            Err(error) if error.is_data() && is_object(bytes) => Err(Denied::Claims),
            _ => Err(Denied::NotAJwt("its claims are not a JSON object")),
        }
    }

    /// Whether the token is valid at `now`, give or take the skew.
    pub(super) fn check_times(&self, now: Timestamp) -> Result<(), Denied> {
        let (now, skew) = (now.as_second() as f64, f64::from(SKEW_SECONDS));
        let exp = self.exp.ok_or(Denied::NoExpiry)?;
        if now >= exp + skew {
            return Err(Denied::Expired);
        }
        match self.nbf {
            Some(nbf) if nbf > now + skew => Err(Denied::NotYetValid),
            _ => Ok(()),
        }
    }

    /// Whether it is for one of `audiences`.
    pub(super) fn check_audience(&self, audiences: &[String]) -> Result<(), Denied> {
        match &self.aud {
            Some(Audience::One(one)) if audiences.contains(one) => Ok(()),
            Some(Audience::One(one)) => Err(Denied::Audience { found: Shown::of(Some(one)) }),
            Some(Audience::Other(_)) => Err(Denied::Audience { found: Shown::of(Some("not one text")) }),
            None => Err(Denied::Audience { found: Shown::of(None) }),
        }
    }

    /// The app that the token was issued to.
    pub(super) fn app_id(&self) -> Result<&str, Denied> {
        let app_id = match self.ver.as_deref() {
            None | Some("1.0") => &self.appid,
            Some("2.0") => &self.azp,
            Some(_) => return Err(Denied::Version),
        };
        app_id.as_deref().filter(|id| !id.is_empty()).ok_or(Denied::NoAppId)
    }

    /// Whether it was issued to a person by way of an app: then it has scopes.
    pub(super) const fn is_delegated(&self) -> bool {
        self.scp.is_some()
    }
}
