//! Entities of documented shapes, to be read by [`Entity::read_as`](super::Entity::read_as).

use serde_json::Value;

use super::{Activity, DecodeError};

wire_struct! {
    /// The person's client (`clientInfo`, Teams): the best source of their time zone.
    pub struct ClientInfo {
        /// `clientInfo`.
        "type" entity_type: Option<String>,
        /// Their language, a BCP 47 tag.
        "locale" locale: Option<String>,
        /// Their country, two letters.
        "country" country: Option<String>,
        /// `Windows`, `Android`, `Web`, …
        "platform" platform: Option<String>,
        /// Their time zone, an IANA name.
        "timezone" timezone: Option<String>,
    }
}

wire_struct! {
    /// A place (`Place`, schema.org).
    pub struct Place {
        /// `Place`.
        "type" entity_type: Option<String>,
        /// Its name.
        "name" name: Option<String>,
        /// Its address: a text or an object of its own shape.
        "address" address: Option<Value>,
        /// Where it is: [`GeoCoordinates`] or another shape.
        "geo" geo: Option<Value>,
        /// A map: a URL or an object of its own shape.
        "hasMap" has_map: Option<Value>,
    }
}

wire_struct! {
    /// A point on earth (`GeoCoordinates`, WGS 84).
    pub struct GeoCoordinates {
        /// `GeoCoordinates`.
        "type" entity_type: Option<String>,
        /// Its name.
        "name" name: Option<String>,
        /// Degrees north.
        "latitude" latitude: Option<f64>,
        /// Degrees east.
        "longitude" longitude: Option<f64>,
        /// Metres.
        "elevation" elevation: Option<f64>,
    }
}

impl Activity {
    /// The person's client, if the channel says.
    ///
    /// # Errors
    /// When the entity is not what Teams documents; the error names the field.
    pub fn client_info(&self) -> Result<Option<ClientInfo>, DecodeError> {
        Ok(self.entities_as("clientInfo")?.into_iter().next())
    }
}
