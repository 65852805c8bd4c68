//! Sound, films and animated pictures.

use serde_json::Value;

use super::{CardAction, card, setters};

wire_struct! {
    /// Where a medium is.
    pub struct MediaUrl {
        /// Its URL.
        "url" url: Option<String>,
        /// Which of several it is, in words for the channel.
        "profile" profile: Option<String>,
    }
}

wire_struct! {
    /// The picture shown before a medium plays.
    pub struct ThumbnailUrl {
        /// Its URL.
        "url" url: Option<String>,
        /// What is read to those who cannot see it.
        "alt" alt: Option<String>,
    }
}

/// What the three have in common.
macro_rules! media {
    ($name:ident) => {
        impl $name {
            /// The medium at this URL.
            pub fn new(url: impl Into<String>) -> Self {
                Self::default().with_media(url)
            }

            /// The same medium in one more format.
            #[must_use]
            pub fn with_media(mut self, url: impl Into<String>) -> Self {
                self.media.push(MediaUrl { url: Some(url.into()), ..MediaUrl::default() });
                self
            }

            /// With this picture before it plays.
            #[must_use]
            pub fn with_image(mut self, url: impl Into<String>) -> Self {
                self.image = Some(ThumbnailUrl { url: Some(url.into()), ..ThumbnailUrl::default() });
                self
            }
        }

        setters!($name {
            /// With this heading.
            with_title(title: text),
            /// With this line below the heading.
            with_subtitle(subtitle: text),
            /// With this text.
            with_text(text: text),
            /// With one more button.
            with_button(buttons: actions),
            /// Playing at once, or not.
            with_autostart(autostart: flag),
            /// Beginning again at its end, or not.
            with_autoloop(autoloop: flag),
            /// Shareable, or not.
            with_shareable(shareable: flag),
            /// With data of the bot's own; `Value::Null` for none.
            with_value(value: value),
        });
    };
}

wire_struct! {
    /// Sound.
    pub struct AudioCard {
        /// The heading.
        "title" title: Option<String>,
        /// The line below it.
        "subtitle" subtitle: Option<String>,
        /// The text.
        "text" text: Option<String>,
        /// The picture shown before it plays.
        "image" image: Option<ThumbnailUrl>,
        /// Where it is; several are the same in several formats.
        "media" media: Vec<MediaUrl>,
        /// The buttons.
        "buttons" buttons: Vec<CardAction>,
        /// Whether it may be shared.
        "shareable" shareable: Option<bool>,
        /// Whether it begins again at its end.
        "autoloop" autoloop: Option<bool>,
        /// Whether it plays at once.
        "autostart" autostart: Option<bool>,
        /// Its aspect: `16:9` or `4:3`.
        "aspect" aspect: Option<String>,
        /// How long it is: ISO 8601.
        "duration" duration: Option<String>,
        /// Data of the bot's own.
        "value" value: Option<Value>,
    }
}

card!(AudioCard, "application/vnd.microsoft.card.audio");
media!(AudioCard);

wire_struct! {
    /// A film.
    pub struct VideoCard {
        /// The heading.
        "title" title: Option<String>,
        /// The line below it.
        "subtitle" subtitle: Option<String>,
        /// The text.
        "text" text: Option<String>,
        /// The picture shown before it plays.
        "image" image: Option<ThumbnailUrl>,
        /// Where it is; several are the same in several formats.
        "media" media: Vec<MediaUrl>,
        /// The buttons.
        "buttons" buttons: Vec<CardAction>,
        /// Whether it may be shared.
        "shareable" shareable: Option<bool>,
        /// Whether it begins again at its end.
        "autoloop" autoloop: Option<bool>,
        /// Whether it plays at once.
        "autostart" autostart: Option<bool>,
        /// Its aspect: `16:9` or `4:3`.
        "aspect" aspect: Option<String>,
        /// How long it is: ISO 8601.
        "duration" duration: Option<String>,
        /// Data of the bot's own.
        "value" value: Option<Value>,
    }
}

card!(VideoCard, "application/vnd.microsoft.card.video");
media!(VideoCard);

wire_struct! {
    /// An animated picture, or a short film without sound.
    pub struct AnimationCard {
        /// The heading.
        "title" title: Option<String>,
        /// The line below it.
        "subtitle" subtitle: Option<String>,
        /// The text.
        "text" text: Option<String>,
        /// The picture shown before it plays.
        "image" image: Option<ThumbnailUrl>,
        /// Where it is; several are the same in several formats.
        "media" media: Vec<MediaUrl>,
        /// The buttons.
        "buttons" buttons: Vec<CardAction>,
        /// Whether it may be shared.
        "shareable" shareable: Option<bool>,
        /// Whether it begins again at its end.
        "autoloop" autoloop: Option<bool>,
        /// Whether it plays at once.
        "autostart" autostart: Option<bool>,
        /// Its aspect: `16:9` or `4:3`.
        "aspect" aspect: Option<String>,
        /// How long it is: ISO 8601.
        "duration" duration: Option<String>,
        /// Data of the bot's own.
        "value" value: Option<Value>,
    }
}

card!(AnimationCard, "application/vnd.microsoft.card.animation");
media!(AnimationCard);
