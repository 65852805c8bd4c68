//! What several cards are made of.

use super::CardAction;

wire_struct! {
    /// A picture on a card.
    pub struct CardImage {
        /// Where it is; also a `data:` URL.
        "url" url: Option<String>,
        /// What is read to those who cannot see it.
        "alt" alt: Option<String>,
        /// What happens when it is tapped.
        "tap" tap: Option<CardAction>,
    }
}

impl CardImage {
    /// The picture at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..Self::default() }
    }

    /// With what is read to those who cannot see it.
    #[must_use]
    pub fn with_alt(mut self, alt: impl Into<String>) -> Self {
        self.alt = Some(alt.into());
        self
    }
}

wire_struct! {
    /// A line of a receipt: what, and how much of it.
    pub struct Fact {
        /// What it is about.
        "key" key: Option<String>,
        /// What there is to say of it.
        "value" value: Option<String>,
    }
}

impl Fact {
    /// A line.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: Some(key.into()), value: Some(value.into()), ..Self::default() }
    }
}
