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

/// A card of sound or pictures that play: the three have everything in common but their name and media type.
macro_rules! media {
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

        card!($name, $content_type);

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

media! {
    /// Sound.
    AudioCard, "application/vnd.microsoft.card.audio"
}

media! {
    /// A film.
    VideoCard, "application/vnd.microsoft.card.video"
}

media! {
    /// An animated picture, or a short film without sound.
    AnimationCard, "application/vnd.microsoft.card.animation"
}
