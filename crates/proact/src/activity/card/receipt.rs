//! The receipt.

use super::{CardAction, CardImage, Fact, card, setters};

wire_struct! {
    /// A receipt. Amounts are texts: they are shown as they are written.
    pub struct ReceiptCard {
        /// The heading.
        "title" title: Option<String>,
        /// Order number, way of payment and the like.
        "facts" facts: Vec<Fact>,
        /// What was bought.
        "items" items: Vec<ReceiptItem>,
        /// What happens when the card itself is tapped.
        "tap" tap: Option<CardAction>,
        /// The total.
        "total" total: Option<String>,
        /// The tax in it.
        "tax" tax: Option<String>,
        /// The value-added tax in it.
        "vat" vat: Option<String>,
        /// The buttons.
        "buttons" buttons: Vec<CardAction>,
    }
}

card!(ReceiptCard, "application/vnd.microsoft.card.receipt");

impl ReceiptCard {
    /// A receipt with this heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..Self::default() }
    }

    /// With one more fact.
    #[must_use]
    pub fn with_fact(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push(Fact::new(key, value));
        self
    }

    /// With one more item.
    #[must_use]
    pub fn with_item(mut self, item: ReceiptItem) -> Self {
        self.items.push(item);
        self
    }
}

setters!(ReceiptCard {
    /// With this total.
    with_total(total: text),
    /// With this tax in it.
    with_tax(tax: text),
    /// With this value-added tax in it.
    with_vat(vat: text),
    /// With one more button.
    with_button(buttons: actions),
    /// Doing this when the card itself is tapped.
    with_tap(tap: action),
});

wire_struct! {
    /// Something bought.
    pub struct ReceiptItem {
        /// What it is.
        "title" title: Option<String>,
        /// The line below.
        "subtitle" subtitle: Option<String>,
        /// More about it.
        "text" text: Option<String>,
        /// A picture of it.
        "image" image: Option<CardImage>,
        /// What it costs, with the currency.
        "price" price: Option<String>,
        /// How many.
        "quantity" quantity: Option<String>,
        /// What happens when it is tapped.
        "tap" tap: Option<CardAction>,
    }
}

impl ReceiptItem {
    /// An item with its price.
    pub fn new(title: impl Into<String>, price: impl Into<String>) -> Self {
        Self { title: Some(title.into()), price: Some(price.into()), ..Self::default() }
    }
}

setters!(ReceiptItem {
    /// With this line below.
    with_subtitle(subtitle: text),
    /// This many of it.
    with_quantity(quantity: text),
});
