//! Cards: attachments whose content is an object that the channel draws.
//!
//! Each kind has its media type and its own fields; what a newer channel adds is kept in `extra`. A card becomes an [`Attachment`] by
//! `into()` and is read back by [`Attachment::card`]. Nothing here checks what a channel can draw: what it cannot, it leaves out.
//!
//! ```
//! use proact::activity::{Activity, AttachmentLayout, card::{CardAction, HeroCard}};
//!
//! let offer = |city: &str| {
//!     HeroCard::new(city)
//!         .with_text("Two nights, breakfast included")
//!         .with_image("https://example.org/hotel.png")
//!         .with_button(CardAction::post_back("Book", serde_json::json!({"book": city})))
//! };
//! let offers = Activity::carousel([offer("Bern"), offer("Zürich")]);
//! assert_eq!(offers.attachment_layout, Some(AttachmentLayout::Carousel));
//!
//! let first: HeroCard = offers.attachments[0].card()?.expect("a hero card");
//! assert_eq!(first.title.as_deref(), Some("Bern"));
//! # Ok::<(), proact::activity::DecodeError>(())
//! ```

mod action;
mod adaptive;
mod file;
mod media;
mod parts;
mod receipt;
mod rich;
mod sign_in;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use action::CardAction;
pub use adaptive::AdaptiveCard;
pub use file::{FileConsentCard, FileDownloadInfo, FileInfoCard};
pub use media::{AnimationCard, AudioCard, MediaUrl, ThumbnailUrl, VideoCard};
pub use parts::{CardImage, Fact};
pub use receipt::{ReceiptCard, ReceiptItem};
pub use rich::{HeroCard, ThumbnailCard};
pub use sign_in::{OAuthCard, SigninCard, TokenExchangeResource, TokenPostResource};

use super::{Attachment, DecodeError};

/// A kind of card: a content with its media type. Authors may add their own.
pub trait Card: Serialize + DeserializeOwned {
    /// The media type (`contentType`) of attachments that hold such a card.
    const CONTENT_TYPE: &'static str;
}

impl<C: Card> From<C> for Attachment {
    /// # Panics
    /// If the card cannot be JSON, which is so for none of this crate's; with a card of your own that may fail to be written, use
    /// [`Attachment::inline_of`].
    fn from(card: C) -> Self {
        Self::inline_of(C::CONTENT_TYPE, &card).expect("a card is JSON")
    }
}

impl Attachment {
    /// The card in the attachment, if it is of this kind.
    ///
    /// # Errors
    /// When it says that it is and cannot be read; the error names the field.
    pub fn card<C: Card>(&self) -> Result<Option<C>, DecodeError> {
        if self.content_type.as_deref() == Some(C::CONTENT_TYPE) {
            self.content_as().map(Some)
        } else {
            Ok(None)
        }
    }
}

/// Says what kind of card a type is.
macro_rules! card {
    ($name:ident, $content_type:literal) => {
        impl $crate::activity::card::Card for $name {
            const CONTENT_TYPE: &'static str = $content_type;
        }
    };
}

/// Setters that cards share: `text => with_x(field)`.
macro_rules! setters {
    ($name:ident { $($(#[$meta:meta])* $method:ident($field:ident: $kind:ident),)* }) => {
        impl $name {
            $(setters!(@ $(#[$meta])* $method $field $kind);)*
        }
    };
    (@ $(#[$meta:meta])* $method:ident $field:ident text) => {
        $(#[$meta])*
        #[must_use]
        pub fn $method(mut self, $field: impl Into<String>) -> Self {
            self.$field = Some($field.into());
            self
        }
    };
    (@ $(#[$meta:meta])* $method:ident $field:ident flag) => {
        $(#[$meta])*
        #[must_use]
        pub fn $method(mut self, $field: bool) -> Self {
            self.$field = Some($field);
            self
        }
    };
    (@ $(#[$meta:meta])* $method:ident $field:ident action) => {
        $(#[$meta])*
        #[must_use]
        pub fn $method(mut self, action: $crate::activity::CardAction) -> Self {
            self.$field = Some(action);
            self
        }
    };
    (@ $(#[$meta:meta])* $method:ident $field:ident actions) => {
        $(#[$meta])*
        #[must_use]
        pub fn $method(mut self, action: $crate::activity::CardAction) -> Self {
            self.$field.push(action);
            self
        }
    };
    (@ $(#[$meta:meta])* $method:ident $field:ident images) => {
        $(#[$meta])*
        #[must_use]
        pub fn $method(mut self, url: impl Into<String>) -> Self {
            self.$field.push($crate::activity::card::CardImage::new(url));
            self
        }
    };
    (@ $(#[$meta:meta])* $method:ident $field:ident value) => {
        $(#[$meta])*
        #[must_use]
        pub fn $method(mut self, value: impl Into<serde_json::Value>) -> Self {
            self.$field = Some(value.into()).filter(|value: &serde_json::Value| !value.is_null());
            self
        }
    };
}

use {card, setters};
