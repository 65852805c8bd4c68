//! The cookie of a session: what it is called at this server, and how it is given.
//!
//! It is for this host and port alone, for no script, and for no request that another site began; under `https` it is never sent without.

/// What the name begins with; under `https` with the prefix for which browsers hold it to `Secure`, `Path=/` and this very host.
const NAME: &str = "proact-page";
const SECURE_NAME: &str = "__Host-proact-page";

/// The cookie of the server at one port: a browser sends a cookie to every port of a host, so each server on a machine has its own.
pub(crate) struct Cookie {
    name: String,
    secure_name: String,
}

impl Cookie {
    pub(super) fn of(port: u16) -> Self {
        Self { name: format!("{NAME}-{port}"), secure_name: format!("{SECURE_NAME}-{port}") }
    }

    /// Whether this is what it is called, with `https` or without.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        name == self.name || name == self.secure_name
    }

    /// What a `Set-Cookie` header says to give it this value for so many seconds; 0 takes it away.
    pub(crate) fn set(&self, secure: bool, value: &str, seconds: i64) -> String {
        let (name, secure) = if secure { (&self.secure_name, "; Secure") } else { (&self.name, "") };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_https_it_is_held_to_it() {
        assert_eq!(
            Cookie::of(443).set(true, "v", 60),
            "__Host-proact-page-443=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            Cookie::of(3978).set(false, "v", 60),
            "proact-page-3978=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn that_of_another_port_is_another() {
        let cookie = Cookie::of(443);
        assert!(["proact-page-443", "__Host-proact-page-443"].iter().all(|name| cookie.is_called(name)));
        assert!(
            !["proact-page-44", "proact-page-4433", "proact-page", ""]
                .iter()
                .any(|name| cookie.is_called(name))
        );
    }
}
