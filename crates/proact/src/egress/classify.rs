//! From the HTTP client's errors to ours: did bytes leave?

use std::error::Error as StdError;

use super::{Error, Head, Refused};

/// What an error of the HTTP client says about the request. Everything that is not known to have failed before its
/// first byte counts as having left.
pub(super) fn classify(error: reqwest::Error, host: &str, head: Option<Box<Head>>) -> Error {
    // Its text would repeat the whole URL.
    let error = error.without_url();
    if let Some(refused) = causes(&error).find_map(|cause| cause.downcast_ref::<Refused>()) {
        return Error::Refused(refused.clone());
    }
    let reason = causes(&error).last().map_or_else(String::new, ToString::to_string);
    if error.is_builder() {
        return Error::Refused(Refused::NotAUrl { reason });
    }
    if head.is_none() && (error.is_connect() || never_written(&error)) {
        let reason =
            if error.is_timeout() { "no connection within the time allowed".to_owned() } else { reason };
        return Error::Unreachable { host: host.to_owned(), reason };
    }
    Error::Lost { host: host.to_owned(), reason, head }
}

/// Whether hyper gave the request back unwritten: it says "canceled" of a request that was queued on a connection and
/// never started, and of nothing else that can happen here (no upgrades are asked for).
fn never_written(error: &reqwest::Error) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>()).any(hyper::Error::is_canceled)
}

/// The error and its sources, outermost first.
fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}
