//! The handle to a turn: its activity, and what can be sent.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use super::{
    AtTurnEnd, Beside, CommandKey, HookId, InvokeResponse, Leave, Outbound, OutgoingHook, ScopedHook,
    TurnKey, Values, hooks::Hooks,
};
use crate::{
    activity::{Activity, ConversationKey, ConversationReference},
    auth::Caller,
};

/// What began the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnKind {
    /// An activity came in.
    Inbound,
    /// The bot speaks although nobody has just spoken to it.
    Proactive,
}

/// Replies on their way: sent at once, or kept for the answer (`expectReplies`), `None` once it is given.
pub(crate) enum Outgoing {
    Send(Arc<dyn Outbound>),
    Keep {
        kept: Mutex<Option<Vec<Activity>>>,
        /// For what cannot be kept: updates and deletes.
        outbound: Arc<dyn Outbound>,
    },
    /// A message of the outbox; what is sent beside it becomes a notification of its own.
    Outbox {
        outbound: Arc<dyn Outbound>,
        beside: Arc<dyn Beside>,
    },
}

/// What an activity is to its turn.
#[derive(Clone, Copy)]
pub(crate) enum How<'a> {
    /// What its handlers say.
    Said,
    /// The message of the outbox that the turn is for.
    Message {
        /// With an id, a channel that takes ids takes it once.
        id: Option<&'a str>,
        /// Asked when the next thing to happen is that its bytes leave.
        leave: &'a dyn Leave,
    },
}

/// What an adapter knows of a turn when it begins.
pub(crate) struct NewTurn {
    /// Boxed: it is large, and moves from hand to hand before the turn begins.
    pub(crate) activity: Box<Activity>,
    pub(crate) conversation: ConversationKey,
    pub(crate) key: TurnKey,
    pub(crate) kind: TurnKind,
    pub(crate) caller: Caller,
    pub(crate) outgoing: Outgoing,
    pub(crate) services: Arc<Values>,
    /// Whether the channel takes an id with each reply.
    pub(crate) reply_ids: bool,
}

pub(super) struct Inner {
    pub(super) turn: NewTurn,
    reference: ConversationReference,
    ordinal: AtomicU32,
    /// Digests of the replies sent so far, to a channel that takes ids.
    pub(super) said: Mutex<Vec<u64>>,
    pub(super) responded: AtomicBool,
    hooks: Hooks,
    invoke_response: Mutex<Option<InvokeResponse>>,
    values: Values,
    at_end: Mutex<Vec<Arc<dyn AtTurnEnd>>>,
}

/// The handle to one turn. Clones are the same turn; it may be kept after the turn, for sending.
#[derive(Clone)]
pub struct TurnContext(pub(super) Arc<Inner>);

impl TurnContext {
    pub(crate) fn new(turn: NewTurn) -> Self {
        let reference = turn.activity.reference();
        // A proactive message answers nothing; see `without_activity`.
        let reference = match turn.kind {
            TurnKind::Inbound => reference,
            TurnKind::Proactive => reference.without_activity(),
        };
        Self(Arc::new(Inner {
            turn,
            reference,
            ordinal: AtomicU32::new(0),
            said: Mutex::default(),
            responded: AtomicBool::new(false),
            hooks: Hooks::default(),
            invoke_response: Mutex::default(),
            values: Values::default(),
            at_end: Mutex::default(),
        }))
    }

    /// The activity that is handled.
    #[must_use]
    pub fn activity(&self) -> &Activity {
        &self.0.turn.activity
    }

    /// Its conversation.
    #[must_use]
    pub fn conversation(&self) -> &ConversationKey {
        &self.0.turn.conversation
    }

    /// How to answer: what is sent is addressed by it.
    #[must_use]
    pub fn reference(&self) -> &ConversationReference {
        &self.0.reference
    }

    /// The turn's key: the same when the same activity is handled again.
    #[must_use]
    pub fn key(&self) -> TurnKey {
        self.0.turn.key
    }

    /// What began the turn.
    #[must_use]
    pub fn kind(&self) -> TurnKind {
        self.0.turn.kind
    }

    /// Who sent the activity, as far as that was proven; see [`auth`](crate::auth). In a proactive turn it is the bot itself.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.0.turn.caller
    }

    /// The key of the turn's next command: its ordinals count 0, 1, 2 … in the order of the calls, so that the same activity, handled
    /// again, finds each of its commands on record.
    #[must_use]
    pub fn next_command(&self) -> CommandKey {
        CommandKey {
            turn: self.key(),
            partition: self.conversation().partition(),
            ordinal: self.0.ordinal.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether anything but a trace was sent in this turn.
    #[must_use]
    pub fn responded(&self) -> bool {
        self.0.responded.load(Ordering::Relaxed)
    }

    /// Sets what an invoke is answered with.
    pub fn set_invoke_response(&self, response: InvokeResponse) {
        *self.0.invoke_response.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
    }

    /// A service of the adapter, by its type.
    #[must_use]
    pub fn service<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.turn.services.get()
    }

    /// A value kept with this turn, by its type.
    #[must_use]
    pub fn value<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.values.get()
    }

    /// A value kept with this turn, by its type; its default is kept from now on if there was none.
    #[must_use]
    pub fn value_or_default<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.0.values.get_or_default()
    }

    /// Keeps a value with this turn, in place of the one of its type.
    pub fn insert_value<T: Send + Sync + 'static>(&self, value: T) {
        self.0.values.insert(Arc::new(value));
    }

    /// Takes the value of this type away from the turn.
    pub fn remove_value<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.values.remove()
    }

    /// Has `hook` stand between this turn and the channel, behind those there are, for as long as the context is used or until
    /// [`unhook`](Self::unhook). A hook that keeps the context itself keeps it for ever.
    pub fn hook(&self, hook: impl OutgoingHook) -> HookId {
        self.0.hooks.add(hook, false)
    }

    /// The same, but the hook stays behind all others, also those that come later: it sees what the channel sees.
    pub fn hook_last(&self, hook: impl OutgoingHook) -> HookId {
        self.0.hooks.add(hook, true)
    }

    /// The same, until what this returns is dropped: for middleware that holds back or changes what it stands around and nothing after
    /// that, an apology for a failed turn among them.
    #[must_use = "the hook is gone when this is dropped"]
    pub fn hook_scoped(&self, hook: impl OutgoingHook) -> ScopedHook {
        ScopedHook { ctx: self.clone(), id: self.hook(hook) }
    }

    /// Takes a hook away; answers whether it was there. What is on its way through it stays so.
    pub fn unhook(&self, id: HookId) -> bool {
        self.0.hooks.remove(id)
    }

    pub(super) fn hooks(&self) -> &Hooks {
        &self.0.hooks
    }

    /// Has `end` saved with the turn.
    pub fn on_end(&self, end: Arc<dyn AtTurnEnd>) {
        self.0.at_end.lock().unwrap_or_else(PoisonError::into_inner).push(end);
    }

    pub(crate) fn take_ends(&self) -> Vec<Arc<dyn AtTurnEnd>> {
        std::mem::take(&mut self.0.at_end.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn invoke_response(&self) -> Option<InvokeResponse> {
        self.0.invoke_response.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was kept for the answer, in a turn with `expectReplies`.
    pub(crate) fn kept_replies(&self) -> Option<Vec<Activity>> {
        match &self.0.turn.outgoing {
            Outgoing::Send(_) | Outgoing::Outbox { .. } => None,
            Outgoing::Keep { kept, .. } => {
                Some(kept.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default())
            }
        }
    }

    /// The answer is given: what is sent from now on could not be in it, and fails instead of getting lost.
    pub(crate) fn stop_keeping(&self) {
        if let Outgoing::Keep { kept, .. } = &self.0.turn.outgoing {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl fmt::Debug for TurnContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnContext")
            .field("key", &self.key())
            .field("kind", &self.kind())
            .field("conversation", self.conversation())
            .finish_non_exhaustive()
    }
}
