//! Who issues tokens, with which keys, and what they are worth.

use std::sync::Arc;

use url::Url;

use super::{Denied, KeySource, SigningKey, claims::Claims, denied::Shown};
use crate::{
    activity::Activity,
    auth::{Caller, CallerKind, Cloud},
};

/// An issuer that is trusted, within bounds: its names, its keys, whom its tokens are for, and which kind of caller they prove.
///
/// Those of a cloud are made by the [builder](super::Authenticator::builder). One of your own is for a channel of your own:
///
/// ```
/// # use std::sync::Arc;
/// # use proact::auth::{FixedKeys, Issuer};
/// let keys = Arc::new(FixedKeys::default()); // replaced as they rotate
/// let issuer = Issuer::direct_line("urn:proact:directline", "urn:proact:bot", "directline", keys);
/// # let _ = issuer;
/// ```
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Compared character by character with `iss`.
    pub(super) names: Vec<String>,
    /// Compared character by character with `aud`.
    pub(super) audiences: Vec<String>,
    pub(super) keys: Arc<dyn KeySource>,
    rules: Rules,
}

/// Which kinds of callers its tokens prove.
#[derive(Debug, Clone)]
enum Rules {
    Channel {
        caller_id: &'static str,
    },
    DirectLine {
        channel_id: String,
    },
    /// Of apps: the bot's own, or others.
    Login {
        app_ids: Vec<String>,
        emulator: bool,
        skills: Vec<SkillCaller>,
    },
    /// Of bots, to a channel.
    Bots {
        app_ids: Vec<String>,
    },
}

/// An app that may use the bot as its skill.
#[derive(Debug, Clone)]
pub(super) struct SkillCaller {
    pub(super) app_id: String,
    /// Where it is answered, and nowhere else; `None`: wherever its activities say.
    pub(super) origin: Option<url::Origin>,
}

impl Issuer {
    /// The built-in Direct Line channel, or another one that stands in its place: an issuer of its own, with its own audience, whose
    /// tokens speak for the channel `channel_id` alone. They must carry `serviceurl`, as any channel's.
    pub fn direct_line(
        name: impl Into<String>,
        audience: impl Into<String>,
        channel_id: impl Into<String>,
        keys: Arc<dyn KeySource>,
    ) -> Self {
        Self {
            names: vec![name.into()],
            audiences: vec![audience.into()],
            keys,
            rules: Rules::DirectLine { channel_id: channel_id.into() },
        }
    }

    /// Who issues the tokens that bots show a channel of one's own: they are for `audience`, and issued to one of `app_ids`.
    pub fn bots<N: Into<String>, A: Into<String>>(
        names: impl IntoIterator<Item = N>,
        audience: impl Into<String>,
        app_ids: impl IntoIterator<Item = A>,
        keys: Arc<dyn KeySource>,
    ) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            audiences: vec![audience.into()],
            keys,
            rules: Rules::Bots { app_ids: app_ids.into_iter().map(Into::into).collect() },
        }
    }

    /// The channels of a cloud.
    pub(super) fn channel(cloud: Cloud, app_ids: Vec<String>, keys: Arc<dyn KeySource>) -> Self {
        Self {
            names: vec![cloud.channel_issuer().to_owned()],
            audiences: app_ids,
            keys,
            rules: Rules::Channel { caller_id: cloud.caller_id() },
        }
    }

    /// The login service, for these tenants: the Emulator and skills' callers have their tokens from there, of version 1.0 or 2.0.
    pub(super) fn login(
        cloud: Cloud,
        tenants: &[String],
        app_ids: Vec<String>,
        emulator: bool,
        skills: Vec<SkillCaller>,
        keys: Arc<dyn KeySource>,
    ) -> Self {
        Self {
            names: Self::login_names(cloud, tenants),
            audiences: app_ids.clone(),
            keys,
            rules: Rules::Login { app_ids, emulator, skills },
        }
    }

    /// What the login service calls itself in the tokens of these tenants, of either version.
    pub(super) fn login_names(cloud: Cloud, tenants: &[String]) -> Vec<String> {
        let names = tenants.iter().flat_map(|tenant| {
            [format!("https://sts.windows.net/{tenant}/"), format!("{}/{tenant}/v2.0", cloud.login())]
        });
        names.collect()
    }

    /// Which caller these claims prove, as far as that can be said without the activity.
    pub(super) fn caller(&self, claims: &Claims) -> Result<Caller, Denied> {
        Ok(match &self.rules {
            Rules::Channel { caller_id } => Caller {
                kind: CallerKind::Channel,
                app_id: None,
                caller_id: Some((*caller_id).to_owned()),
                service_url_verified: true,
            },
            Rules::DirectLine { .. } => Caller {
                kind: CallerKind::DirectLine,
                app_id: None,
                caller_id: None,
                service_url_verified: true,
            },
            Rules::Login { app_ids, emulator, skills } => {
                let app_id = claims.app_id()?;
                if claims.is_delegated() {
                    return Err(Denied::Delegated);
                }
                let kind = match app_ids.iter().any(|own| own == app_id) {
                    true if *emulator => CallerKind::Emulator,
                    true => return Err(Denied::EmulatorOff),
                    false if skills.is_empty() => return Err(Denied::SkillsOff),
                    false if skills.iter().any(|listed| listed.app_id == app_id) => CallerKind::Skill,
                    false => return Err(Denied::SkillNotListed { app_id: Shown::of(Some(app_id)) }),
                };
                Self::app(kind, app_id)
            }
            Rules::Bots { app_ids } => {
                let app_id = claims.app_id()?;
                if claims.is_delegated() {
                    return Err(Denied::Delegated);
                }
                if !app_ids.iter().any(|bot| bot == app_id) {
                    return Err(Denied::OtherBot { app_id: Shown::of(Some(app_id)) });
                }
                Self::app(CallerKind::Bot, app_id)
            }
        })
    }

    fn app(kind: CallerKind, app_id: &str) -> Caller {
        let caller_id = Some(format!("urn:botframework:aadappid:{app_id}"));
        Caller { kind, app_id: Some(app_id.to_owned()), caller_id, service_url_verified: false }
    }

    /// Whether a token with these claims, signed by this key, speaks for `activity`.
    pub(super) fn check_activity(
        &self,
        service_url: Option<&str>,
        key: &SigningKey,
        caller: &Caller,
        activity: &Activity,
    ) -> Result<(), Denied> {
        match &self.rules {
            Rules::Login { skills, .. } => {
                let listed = |skill: &&SkillCaller| caller.app_id.as_deref() == Some(&skill.app_id);
                let origin = skills.iter().find(listed).and_then(|skill| skill.origin.as_ref());
                let answers_to = || Url::parse(activity.service_url.as_deref()?).ok().map(|url| url.origin());
                return match origin {
                    Some(origin) if answers_to().as_ref() != Some(origin) => Err(Denied::SkillElsewhere),
                    _ => Ok(()),
                };
            }
            // It goes to every channel that the bot writes to: any of them could send it here.
            Rules::Bots { .. } => return Err(Denied::ForChannels),
            Rules::Channel { .. } | Rules::DirectLine { .. } => {}
        }
        let service_url = service_url.ok_or(Denied::NoServiceUrl)?;
        if activity.service_url.as_deref() != Some(service_url) {
            return Err(Denied::ServiceUrl);
        }
        let channel = activity.channel().unwrap_or_default();
        let endorsed = match &self.rules {
            Rules::DirectLine { channel_id } => channel == channel_id,
            _ => true,
        };
        if endorsed && key.is_endorsed_for(channel) { Ok(()) } else { Err(Denied::Endorsement) }
    }
}
