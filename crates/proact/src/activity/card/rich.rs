//! Cards with a heading, pictures, text and buttons.

use super::{CardAction, CardImage, card, setters};

/// A card with pictures: the two have everything in common but their name and media type.
macro_rules! pictures {
    ($(#[$meta:meta])* $name:ident, $content_type:literal) => {
        wire_struct! {
            $(#[$meta])*
            pub struct $name {
                /// The heading.
                "title" title: Option<String>,
                /// The line below it.
                "subtitle" subtitle: Option<String>,
                /// The text.
                "text" text: Option<String>,
                /// The pictures.
                "images" images: Vec<CardImage>,
                /// The buttons.
                "buttons" buttons: Vec<CardAction>,
                /// What happens when the card itself is tapped.
                "tap" tap: Option<CardAction>,
            }
        }

        card!($name, $content_type);

        impl $name {
            /// A card with this heading.
            pub fn new(title: impl Into<String>) -> Self {
                Self { title: Some(title.into()), ..Self::default() }
            }
        }

        setters!($name {
            /// With this line below the heading.
            with_subtitle(subtitle: text),
            /// With this text.
            with_text(text: text),
            /// With one more picture.
            with_image(images: images),
            /// With one more button.
            with_button(buttons: actions),
            /// Doing this when the card itself is tapped.
            with_tap(tap: action),
        });
    };
}

pictures! {
    /// A card with one large picture.
    HeroCard, "application/vnd.microsoft.card.hero"
}

pictures! {
    /// A card with one small picture.
    ThumbnailCard, "application/vnd.microsoft.card.thumbnail"
}
