//! Which properties of which services are secrets. Source: `botframework-config`, `lib/models/`.

use super::json::{Json, Object};

/// Those of a service type: properties that are a secret, and objects whose every member is one.
fn of(service_type: &str) -> (&'static [&'static str], Option<&'static str>) {
    match service_type {
        "endpoint" => (&["appPassword"], None),
        "blob" => (&["connectionString"], None),
        "cosmosdb" => (&["key"], None),
        "appInsights" => (&["instrumentationKey"], Some("apiKeys")),
        "luis" | "dispatch" => (&["authoringKey", "subscriptionKey"], None),
        "qna" => (&["endpointKey", "subscriptionKey"], None),
        "generic" => (&[], Some("configuration")),
        // `abs`, `file`, and what is not known.
        _ => (&[], None),
    }
}

/// What the oldest files encrypted.
fn of_legacy(service_type: &str) -> &'static [&'static str] {
    match service_type {
        "endpoint" => &["appPassword"],
        "luis" | "dispatch" => &["authoringKey", "subscriptionKey"],
        "qna" => &["subscriptionKey"],
        _ => &[],
    }
}

/// How a file was, or is to be, encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Current,
    Legacy,
}

/// Calls `each` with the name and the value of every secret of a service that is not empty, until one fails.
pub(super) fn each_secret<E>(
    service: &mut Object,
    way: Way,
    mut each: impl FnMut(&str, &mut Json) -> Result<(), E>,
) -> Result<(), E> {
    let service_type = service.text("type").unwrap_or_default().to_owned();
    let (names, of_members) = match way {
        Way::Current => of(&service_type),
        Way::Legacy => (of_legacy(&service_type), None),
    };
    for name in names {
        if let Some(value) = service.get_mut(name).filter(|value| is_there(value)) {
            each(name, value)?;
        }
    }
    let Some(object) = of_members else { return Ok(()) };
    if let Some(Json::Object(members)) = service.get_mut(object) {
        for (name, value) in members.iter_mut().filter(|(_, value)| is_there(value)) {
            each(&format!("{object}.{name}"), value)?;
        }
    }
    Ok(())
}

fn is_there(value: &Json) -> bool {
    !matches!(value, Json::Null) && value.text() != Some("")
}
