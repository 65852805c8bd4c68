//! The checks, in order.

use std::sync::Arc;

use super::{
    AuthenticatorBuilder, Denied, Issuer, NoKey, SigningKey, builder::Parts, denied::Shown, token::Unverified,
};
use crate::{activity::Activity, auth::Caller, clock::Clock};

/// Says who a caller is. Cheap to clone; clones share their keys. See the [room](super) for what is checked.
///
/// ```no_run
/// # use proact::{auth::{Authenticator, AuthenticatorError, Credentials}, egress::{Guard, Options}};
/// # fn example(guard: Guard) -> Result<(), AuthenticatorError> {
/// let credentials = Credentials::new("8a1e…", "a secret").in_tenant("4f0c…");
/// let authenticator = Authenticator::builder(&credentials)
///     .emulator(true)
///     .skills(["b7d2…"])
///     .build(&guard)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Authenticator {
    parts: Arc<Parts>,
}

/// A caller whose token is valid. What they may say is seen with the activity.
#[derive(Debug)]
pub struct Proven {
    parts: Arc<Parts>,
    issuer: usize,
    key: Arc<SigningKey>,
    service_url: Option<String>,
    caller: Caller,
}

impl Authenticator {
    /// One for a bot with these credentials: channels of its cloud are let in, the Emulator and skills' callers are not until that is
    /// said.
    #[must_use]
    pub fn builder(credentials: &crate::auth::Credentials) -> AuthenticatorBuilder {
        AuthenticatorBuilder::new(credentials)
    }

    /// One that lets in whom this issuer vouches for, and nobody else; by this clock.
    #[must_use]
    pub fn only(issuer: Issuer, clock: Arc<dyn Clock>) -> Self {
        Self::new(Parts::new(vec![issuer], clock))
    }

    pub(super) fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Whose token an `Authorization` header carries.
    ///
    /// # Errors
    /// [`Denied`], in the order of the [table](super).
    pub async fn verify(&self, authorization: Option<&[u8]>) -> Result<Proven, Denied> {
        let token = Unverified::parse(authorization)?;
        let iss = token.claims.iss.as_deref();
        let (index, issuer) =
            self.parts.issuer(iss).ok_or_else(|| Denied::Issuer { found: Shown::of(iss) })?;
        let key_id = token.key_id.as_deref().ok_or(Denied::NoKeyId)?;
        let key = issuer.keys.key(key_id).await.map_err(|why| match why {
            NoKey::Unknown => Denied::UnknownKey,
            NoKey::Unavailable => Denied::KeysUnavailable,
        })?;
        if !key.is_for(token.algorithm) {
            return Err(Denied::KeyAlgorithm);
        }
        if !token.is_signed_by(key.decoding()) {
            return Err(Denied::Signature);
        }
        // From here on the claims are the issuer's word.
        token.claims.check_times(self.parts.clock.now())?;
        token.claims.check_audience(&issuer.audiences)?;
        let caller = issuer.caller(&token.claims)?;
        let service_url = token.claims.serviceurl;
        Ok(Proven { parts: Arc::clone(&self.parts), issuer: index, key, service_url, caller })
    }

    /// Fetches the keys that are not there yet, so that the first caller does not wait for them. Needs no success: without a network the
    /// first caller asks again.
    pub async fn warm_up(&self) {
        let all = self.parts.issuers.iter().map(|issuer| issuer.keys.warm_up());
        futures_util::future::join_all(all).await;
    }
}

impl Proven {
    /// The caller, as far as that can be said without an activity.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Who sent `activity`: the caller, if their token speaks for it.
    ///
    /// # Errors
    /// [`Denied::NoServiceUrl`], [`Denied::ServiceUrl`], [`Denied::Endorsement`], [`Denied::SkillElsewhere`].
    pub fn speak_for(self, activity: &Activity) -> Result<Caller, Denied> {
        let issuer = &self.parts.issuers[self.issuer];
        issuer.check_activity(self.service_url.as_deref(), &self.key, &self.caller, activity)?;
        Ok(self.caller)
    }
}

impl Parts {
    /// The issuer of this name, character by character.
    fn issuer(&self, name: Option<&str>) -> Option<(usize, &Issuer)> {
        let name = name?;
        self.issuers.iter().enumerate().find(|(_, issuer)| issuer.names.iter().any(|own| own == name))
    }
}

/// The clock and the issuers, for the builder.
impl Parts {
    pub(super) fn new(issuers: Vec<Issuer>, clock: Arc<dyn Clock>) -> Self {
        Self { issuers, clock }
    }
}
