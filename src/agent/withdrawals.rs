//! Messages that were read, here or at the desk, are news no more: their notification goes from all devices, and with it the
//! badge shows what is left.

use super::{Agent, chat::Chat, chats::MESSAGE_FOR};
use crate::domain::{ConversationSid, News, Notification, Timestamp};

impl Agent {
    /// What is to be taken away on the devices, since the agent was as `before`: conversations that show there, and in which
    /// nothing is left to read.
    pub fn withdrawals(&mut self, before: &Self, now: Timestamp) -> Vec<Notification> {
        if before.chats == self.chats {
            return Vec::new();
        }
        let is_read = |conversation: &ConversationSid| self.chats.get(conversation).map_or(0, Chat::unread) == 0;
        let read = before.chats.iter().filter(|(conversation, chat)| chat.shown && is_read(conversation));
        let taken_away: Vec<_> = read.map(|(conversation, _)| conversation.clone()).collect();
        self.chats.values_mut().filter(|chat| chat.unread() == 0).for_each(|chat| chat.shown = false);
        let unread = self.unread();
        let withdrawn = |conversation| Notification {
            news: News::MessagesRead { conversation },
            expires: now + MESSAGE_FOR,
            unread,
        };
        taken_away.into_iter().map(withdrawn).collect()
    }
}
