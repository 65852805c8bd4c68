//! Buttons.

use serde_json::Value;

wire_struct! {
    /// A button.
    pub struct CardAction {
        /// What the button does: `imBack`, `postBack`, `messageBack`, `openUrl`, `signin`, …
        "type" action_type: Option<String>,
        /// The button's label.
        "title" title: Option<String>,
        /// The URL of a picture on the button.
        "image" image: Option<String>,
        /// What is read to those who cannot see the picture.
        "imageAltText" image_alt_text: Option<String>,
        /// The text sent to the bot (`messageBack`).
        "text" text: Option<String>,
        /// The text shown in the conversation (`messageBack`).
        "displayText" display_text: Option<String>,
        /// What the button sends or opens; its meaning depends on the type.
        "value" value: Option<Value>,
        /// Data for one channel only.
        "channelData" channel_data: Option<Value>,
    }
}

impl CardAction {
    /// A button of any type (Activity protocol, "Card action types"), with its label.
    pub fn new(action_type: impl Into<String>, title: impl Into<String>) -> Self {
        Self { action_type: Some(action_type.into()), title: Some(title.into()), ..Self::default() }
    }

    /// A button that says `text` as if the person had typed it.
    pub fn im_back(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { value: Some(Value::String(text.clone())), ..Self::new("imBack", text) }
    }

    /// A button that sends `value` to the bot without showing it: a text as the message's text, anything else as its value.
    pub fn post_back(title: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new("postBack", title).with_value(value)
    }

    /// A button that sends `text` and `value` to the bot; what the conversation shows is said by
    /// [`with_display_text`](Self::with_display_text).
    pub fn message_back(title: impl Into<String>, text: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { text: Some(text.into()), ..Self::new("messageBack", title).with_value(value) }
    }

    /// A button that opens a page.
    pub fn open_url(title: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new("openUrl", title).with_value(url.into())
    }

    /// A button that begins to sign the person in.
    pub fn sign_in(title: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new("signin", title).with_value(url.into())
    }

    /// A button that calls a number: `tel:+41315551234`, or an address of another scheme.
    pub fn call(title: impl Into<String>, number: impl Into<String>) -> Self {
        Self::new("call", title).with_value(number.into())
    }

    /// A button that downloads a file.
    pub fn download_file(title: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new("downloadFile", title).with_value(url.into())
    }

    /// A button that shows a picture.
    pub fn show_image(title: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new("showImage", title).with_value(url.into())
    }

    /// A button that invokes the bot (Teams: `type` and data of the invoke in `value`).
    pub fn invoke(title: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new("invoke", title).with_value(value)
    }

    /// A button that opens a Teams dialog: the bot gets `task/fetch` with `data`, whatever its own `type` was.
    pub fn task_module(title: impl Into<String>, data: serde_json::Map<String, Value>) -> Self {
        let mut data = data;
        data.insert("type".to_owned(), Value::from("task/fetch"));
        Self::invoke(title, data)
    }

    /// With this label.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// With what it sends or opens; `Value::Null` for nothing.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<Value>) -> Self {
        self.value = Some(value.into()).filter(|value: &Value| !value.is_null());
        self
    }

    /// With what the conversation shows when it is pressed.
    #[must_use]
    pub fn with_display_text(mut self, text: impl Into<String>) -> Self {
        self.display_text = Some(text.into());
        self
    }

    /// With a picture, and what is read to those who cannot see it.
    #[must_use]
    pub fn with_image(mut self, url: impl Into<String>, alt: impl Into<String>) -> Self {
        self.image = Some(url.into());
        self.image_alt_text = Some(alt.into());
        self
    }
}
