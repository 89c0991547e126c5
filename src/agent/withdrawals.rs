//! Messages that were read, here or at the desk, are news no more: their notification goes from all devices, and with it the
//! badge shows what is left.

use super::{Agent, Context, chat::Chat, chats::MESSAGE_FOR};
use crate::domain::{ConversationSid, News, Notification};

impl Agent {
    /// What is to be taken away on the devices, since the agent was as `before`. At the desk nothing was shown.
    pub fn withdrawals(&self, before: &Self, context: &Context<'_>) -> Vec<Notification> {
        if before.chats == self.chats || self.is_at_desk(context) {
            return Vec::new();
        }
        let is_read = |conversation: &ConversationSid| self.chats.get(conversation).map_or(0, Chat::unread) == 0;
        let read = before.chats.iter().filter(|(conversation, chat)| chat.unread() > 0 && is_read(conversation));
        let taken_away = read.map(|(conversation, _)| Notification {
            news: News::MessagesRead { conversation: conversation.clone() },
            expires: context.now + MESSAGE_FOR,
            unread: self.unread(),
        });
        taken_away.collect()
    }
}
