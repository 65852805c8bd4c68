//! Cards with a heading, pictures, text and buttons.

use super::{CardAction, CardImage, card, setters};

wire_struct! {
    /// A card with one large picture.
    pub struct HeroCard {
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

card!(HeroCard, "application/vnd.microsoft.card.hero");

impl HeroCard {
    /// A card with this heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..Self::default() }
    }
}

setters!(HeroCard {
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

wire_struct! {
    /// A card with one small picture.
    pub struct ThumbnailCard {
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

card!(ThumbnailCard, "application/vnd.microsoft.card.thumbnail");

impl ThumbnailCard {
    /// A card with this heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..Self::default() }
    }
}

setters!(ThumbnailCard {
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
