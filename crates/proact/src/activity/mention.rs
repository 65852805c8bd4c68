//! Mentions: who is mentioned, and the text of a message without the mention that addressed it to the bot.
//!
//! In a group, `@Proact done 17` reaches the bot as text with markup and an entity that explains it, and each channel
//! writes it in its own way. Nothing here fails: what is not recognised stays in the text.

use std::borrow::Cow;

use super::{Activity, Entity};

/// So many mentions of one account are taken out of a text; nobody is addressed more often in earnest, and each costs a walk through it.
const MOST: usize = 64;

impl Activity {
    /// Everyone who is mentioned.
    pub fn all_mentions(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(|entity| entity.is_mention())
    }

    /// Whether the account with this id is mentioned.
    pub fn mentions(&self, account_id: &str) -> bool {
        self.mentions_of(Some(account_id)).next().is_some()
    }

    /// Whether the recipient is mentioned: in a group, whether the bot is spoken to. A channel that does not mark mentions by entities
    /// may still address the bot; then the text says so ([`text_without_mention_of_recipient`](Self::text_without_mention_of_recipient)).
    pub fn mentions_recipient(&self) -> bool {
        self.recipient_id().is_some_and(|id| self.mentions(id))
    }

    /// The text without the mentions of the account with this id, trimmed: what their entities say is theirs, everywhere.
    pub fn text_without_mentions_of(&self, account_id: &str) -> Cow<'_, str> {
        let mut rest = Cow::Borrowed(self.text());
        for written in
            self.mentions_of(Some(account_id)).take(MOST).filter_map(Entity::mention_text).map(trim)
        {
            if !written.is_empty() && rest.contains(written) {
                rest = rest.replace(written, "").into();
            }
        }
        match rest {
            Cow::Borrowed(text) => trim(text).into(),
            Cow::Owned(text) => trim(&text).to_owned().into(),
        }
    }

    /// The text without the mention of the recipient, trimmed (no-break spaces included).
    ///
    /// What counts as the mention, the first that applies:
    /// 1. the text of a `mention` entity about the recipient: everywhere when it is `<at>` markup, else at the start;
    /// 2. an `<at>` element at the start that bears the recipient's name, or its id in an attribute;
    /// 3. `@` and the recipient's name at the start.
    ///
    /// ```
    /// use proact::activity::{Activity, ChannelAccount, Entity};
    ///
    /// let bot = ChannelAccount::new("28:bot").with_name("Proact");
    /// let activity = Activity::message("<at>Proact</at>\u{a0}done 17\n")
    ///     .with_entity(Entity::mention(&bot, "<at>Proact</at>"))
    ///     .with_recipient(bot);
    /// assert_eq!(activity.text_without_mention_of_recipient(), "done 17");
    /// ```
    pub fn text_without_mention_of_recipient(&self) -> Cow<'_, str> {
        let text = trim(self.text());
        let Some(recipient) = &self.recipient else { return text.into() };
        let mentions = || self.mentions_of(recipient.id.as_deref()).take(MOST);

        let mut rest = Cow::Borrowed(text);
        for written in mentions().filter_map(Entity::mention_text).map(trim) {
            if written.starts_with('<') {
                if rest.contains(written) {
                    rest = rest.replace(written, "").into();
                }
            } else if let Some(after) = strip_word(&rest, written) {
                rest = after.to_owned().into();
            }
        }
        if rest != text {
            return trim(&rest).to_owned().into();
        }

        let names =
            || recipient.name.as_deref().into_iter().chain(mentions().filter_map(Entity::mentioned_name));
        if let Some((attributes, name, after)) = at_element(text) {
            let by_id = recipient.id.as_deref().is_some_and(|id| quotes(attributes, id));
            if by_id || names().any(|known| trim(known).eq_ignore_ascii_case(trim(name))) {
                return trim(after).into();
            }
        }
        let after_at = text.strip_prefix('@');
        match after_at.and_then(|text| names().find_map(|name| strip_word(text, trim(name)))) {
            Some(after) => trim(after).into(),
            None => text.into(),
        }
    }

    fn mentions_of(&self, id: Option<&str>) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(move |entity| id.is_some() && entity.mentioned_id() == id)
    }
}

/// A name as it stands in markup: a name that is markup itself would end the mention, or begin another.
pub(super) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['<', '>', '&']) {
        name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into()
    } else {
        name.into()
    }
}

/// Trims blanks, among them U+00A0 and the way Teams writes it in XML.
fn trim(text: &str) -> &str {
    const NBSP: &str = "&nbsp;";
    let mut text = text.trim();
    while let Some(rest) = text.strip_prefix(NBSP).or_else(|| text.strip_suffix(NBSP)) {
        text = rest.trim();
    }
    text
}

/// What follows `word` at the start of the text, unless the word goes on there: `@Pro` is not in `@Proact`.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    let ends = rest.chars().next().is_none_or(|next| !next.is_alphanumeric() && !matches!(next, '_' | '-'));
    (!word.is_empty() && ends && head.eq_ignore_ascii_case(word)).then_some(rest)
}

/// The attributes and the content of an `<at …>…</at>` at the start of the text, and what follows it.
fn at_element(text: &str) -> Option<(&str, &str, &str)> {
    let (attributes, rest) = text.strip_prefix("<at")?.split_once('>')?;
    if !(attributes.is_empty() || attributes.starts_with(char::is_whitespace)) {
        return None;
    }
    let (name, after) = rest.split_once("</at>")?;
    Some((attributes, name, after))
}

/// Whether `id` is the value of one of the attributes.
fn quotes(attributes: &str, id: &str) -> bool {
    attributes.split(['"', '\'']).skip(1).step_by(2).any(|value| value == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::ChannelAccount;

    fn bot() -> ChannelAccount {
        ChannelAccount::new("28:bot").with_name("Proact")
    }

    fn stripped(text: &str, entities: Vec<Entity>) -> String {
        let mut activity = Activity::message(text).with_recipient(bot());
        activity.entities = entities;
        activity.text_without_mention_of_recipient().into_owned()
    }

    #[test]
    fn the_mention_goes_and_the_rest_stays() {
        for (text, rest) in [
            ("  done 17\u{a0}", "done 17"),
            ("<at>Proact</at> done 17", "done 17"),
            ("<at>proact</at>&nbsp;done 17\n", "done 17"),
            ("<at id=\"28:bot\">P</at>done 17", "done 17"),
            ("<at>Eva</at> done 17", "<at>Eva</at> done 17"),
            ("@Proact done 17", "done 17"),
            ("@proact", ""),
            ("@Proactive done", "@Proactive done"),
            ("@Eva done", "@Eva done"),
            ("tell @Proact", "tell @Proact"),
            ("<at", "<at"),
            ("<at>Proact", "<at>Proact"),
            ("<atom>Proact</at>", "<atom>Proact</at>"),
            ("@Proaçt", "@Proaçt"),
            ("@ü", "@ü"),
            ("", ""),
            ("&nbsp;", ""),
        ] {
            assert_eq!(stripped(text, vec![]), rest, "{text}");
        }
    }

    #[test]
    fn entities_say_what_the_mention_is() {
        let at = |text: &str| Entity::mention(&bot(), text);
        let eva = Entity::mention(&ChannelAccount::new("29:eva"), "<at>Eva</at>");
        assert_eq!(
            stripped("tell <at>P</at> <at>Eva</at>", vec![eva.clone(), at("<at>P</at>")]),
            "tell  <at>Eva</at>"
        );
        assert_eq!(stripped("<at>Eva</at> hi", vec![eva]), "<at>Eva</at> hi");
        assert_eq!(stripped("@P run", vec![at("@P")]), "run");
        assert_eq!(stripped("pool", vec![at("p")]), "pool", "only whole words go");
        assert_eq!(stripped("@Proact run", vec![at("")]), "run");
        assert_eq!(stripped("<at>Proact</at> run", vec![at("nothing of the kind")]), "run");
    }

    #[test]
    fn everyone_who_is_mentioned_is_found() {
        let eva = ChannelAccount::new("29:eva").with_name("Eva <&> Co");
        let activity =
            Activity::message("tell").with_mention(&eva).with_mention(&bot()).with_recipient(bot());
        assert_eq!(activity.text(), "tell <at>Eva &lt;&amp;&gt; Co</at> <at>Proact</at>");
        assert_eq!(
            activity.all_mentions().filter_map(Entity::mentioned_id).collect::<Vec<_>>(),
            ["29:eva", "28:bot"]
        );
        assert!(activity.mentions("29:eva") && activity.mentions_recipient() && !activity.mentions("29"));
        assert_eq!(activity.text_without_mentions_of("29:eva"), "tell  <at>Proact</at>");
        assert_eq!(activity.text_without_mentions_of("nobody"), activity.text());
        assert_eq!(activity.text_without_mention_of_recipient(), "tell <at>Eva &lt;&amp;&gt; Co</at>");
        assert!(!Activity::message("@Proact").with_recipient(bot()).mentions_recipient());
        let nameless = Activity::default().with_mention(&ChannelAccount::new("x"));
        assert_eq!(nameless.text(), "<at>x</at>");
    }

    #[test]
    fn a_flood_of_mentions_is_not_followed_to_its_end() {
        let text: String = (0..100).map(|n| format!("<at>{n}</at>")).collect();
        let entities = (0..100).map(|n| Entity::mention(&bot(), format!("<at>{n}</at>"))).collect();
        assert_eq!(stripped(&text, entities).matches("<at>").count(), 100 - MOST);
    }

    #[test]
    fn without_a_recipient_the_text_is_trimmed() {
        assert_eq!(Activity::message(" @Proact hi ").text_without_mention_of_recipient(), "@Proact hi");
        assert_eq!(Activity::typing().text_without_mention_of_recipient(), "");
    }
}
