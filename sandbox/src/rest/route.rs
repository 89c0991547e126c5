//! Which operation a method and a path mean. Names are those of Twilio's OpenAPI documents.

use serde::{Deserialize, Serialize};

use super::error::Refusal;

macro_rules! operations {
    ($($name:ident $method:literal $path:literal),+ $(,)?) => {
        /// An operation of Twilio's that the stand-in knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Operation { $($name),+ }

        impl Operation {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The `operationId`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            const fn route(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($method, $path)),+ }
            }
        }
    };
}

operations! {
    ListWorkspace "GET" "/v1/Workspaces",
    FetchWorkspace "GET" "/v1/Workspaces/*",
    UpdateWorkspace "POST" "/v1/Workspaces/*",
    ListActivity "GET" "/v1/Workspaces/*/Activities",
    CreateActivity "POST" "/v1/Workspaces/*/Activities",
    FetchActivity "GET" "/v1/Workspaces/*/Activities/*",
    DeleteActivity "DELETE" "/v1/Workspaces/*/Activities/*",
    ListWorker "GET" "/v1/Workspaces/*/Workers",
    FetchWorker "GET" "/v1/Workspaces/*/Workers/*",
    UpdateWorker "POST" "/v1/Workspaces/*/Workers/*",
    DeleteWorker "DELETE" "/v1/Workspaces/*/Workers/*",
    ListWorkerReservation "GET" "/v1/Workspaces/*/Workers/*/Reservations",
    FetchWorkerReservation "GET" "/v1/Workspaces/*/Workers/*/Reservations/*",
    UpdateWorkerReservation "POST" "/v1/Workspaces/*/Workers/*/Reservations/*",
    ListTask "GET" "/v1/Workspaces/*/Tasks",
    CreateTask "POST" "/v1/Workspaces/*/Tasks",
    FetchTask "GET" "/v1/Workspaces/*/Tasks/*",
    UpdateTask "POST" "/v1/Workspaces/*/Tasks/*",
    ListTaskReservation "GET" "/v1/Workspaces/*/Tasks/*/Reservations",
    FetchTaskReservation "GET" "/v1/Workspaces/*/Tasks/*/Reservations/*",
    UpdateTaskReservation "POST" "/v1/Workspaces/*/Tasks/*/Reservations/*",
    ListWorkflow "GET" "/v1/Workspaces/*/Workflows",
    FetchWorkflow "GET" "/v1/Workspaces/*/Workflows/*",
    ListEvent "GET" "/v1/Workspaces/*/Events",
    FetchEvent "GET" "/v1/Workspaces/*/Events/*",
    FetchAccount "GET" "/2010-04-01/Accounts/*.json",
    ListIncomingPhoneNumber "GET" "/2010-04-01/Accounts/*/IncomingPhoneNumbers.json",
    ListOutgoingCallerId "GET" "/2010-04-01/Accounts/*/OutgoingCallerIds.json",
    ListCall "GET" "/2010-04-01/Accounts/*/Calls.json",
    CreateCall "POST" "/2010-04-01/Accounts/*/Calls.json",
    FetchCall "GET" "/2010-04-01/Accounts/*/Calls/*.json",
    UpdateCall "POST" "/2010-04-01/Accounts/*/Calls/*.json",
    ListConference "GET" "/2010-04-01/Accounts/*/Conferences.json",
    FetchConference "GET" "/2010-04-01/Accounts/*/Conferences/*.json",
    UpdateConference "POST" "/2010-04-01/Accounts/*/Conferences/*.json",
    ListParticipant "GET" "/2010-04-01/Accounts/*/Conferences/*/Participants.json",
    CreateParticipant "POST" "/2010-04-01/Accounts/*/Conferences/*/Participants.json",
    FetchParticipant "GET" "/2010-04-01/Accounts/*/Conferences/*/Participants/*.json",
    UpdateParticipant "POST" "/2010-04-01/Accounts/*/Conferences/*/Participants/*.json",
    DeleteParticipant "DELETE" "/2010-04-01/Accounts/*/Conferences/*/Participants/*.json",
    FetchConfiguration "GET" "/v1/Configuration",
    CreateInteraction "POST" "/v1/Interactions",
    FetchInteraction "GET" "/v1/Interactions/*",
    ListInteractionChannel "GET" "/v1/Interactions/*/Channels",
    FetchInteractionChannel "GET" "/v1/Interactions/*/Channels/*",
    UpdateInteractionChannel "POST" "/v1/Interactions/*/Channels/*",
    ListInteractionChannelInvite "GET" "/v1/Interactions/*/Channels/*/Invites",
    ListInteractionChannelParticipant "GET" "/v1/Interactions/*/Channels/*/Participants",
    UpdateInteractionChannelParticipant "POST" "/v1/Interactions/*/Channels/*/Participants/*",
    FetchConfigurationWebhook "GET" "/v1/Configuration/Webhooks",
    UpdateConfigurationWebhook "POST" "/v1/Configuration/Webhooks",
    FetchServiceWebhookConfiguration "GET" "/v1/Services/*/Configuration/Webhooks",
    UpdateServiceWebhookConfiguration "POST" "/v1/Services/*/Configuration/Webhooks",
    ListConversation "GET" "/v1/Conversations",
    FetchConversation "GET" "/v1/Conversations/*",
    UpdateConversation "POST" "/v1/Conversations/*",
    ListConversationParticipant "GET" "/v1/Conversations/*/Participants",
    CreateConversationParticipant "POST" "/v1/Conversations/*/Participants",
    FetchConversationParticipant "GET" "/v1/Conversations/*/Participants/*",
    UpdateConversationParticipant "POST" "/v1/Conversations/*/Participants/*",
    DeleteConversationParticipant "DELETE" "/v1/Conversations/*/Participants/*",
    ListConversationMessage "GET" "/v1/Conversations/*/Messages",
    CreateConversationMessage "POST" "/v1/Conversations/*/Messages",
    FetchConversationMessage "GET" "/v1/Conversations/*/Messages/*",
    ListUserConversation "GET" "/v1/Users/*/Conversations",
    FetchUserConversation "GET" "/v1/Users/*/Conversations/*",
    UpdateUserConversation "POST" "/v1/Users/*/Conversations/*",
    CreateMedia "POST" "/v1/Services/*/Media",
    FetchMedia "GET" "/v1/Services/*/Media/*",
    ListSink "GET" "/v1/Sinks",
    CreateSink "POST" "/v1/Sinks",
    FetchSink "GET" "/v1/Sinks/*",
    DeleteSink "DELETE" "/v1/Sinks/*",
    ListSubscription "GET" "/v1/Subscriptions",
    CreateSubscription "POST" "/v1/Subscriptions",
    FetchSubscription "GET" "/v1/Subscriptions/*",
    DeleteSubscription "DELETE" "/v1/Subscriptions/*",
    ListSubscribedEvent "GET" "/v1/Subscriptions/*/SubscribedEvents",
    CreateSubscribedEvent "POST" "/v1/Subscriptions/*/SubscribedEvents",
    DeleteSubscribedEvent "DELETE" "/v1/Subscriptions/*/SubscribedEvents/*",
    ListDocument "GET" "/v1/Services/*/Documents",
    FetchDocument "GET" "/v1/Services/*/Documents/*",
    ListService "GET" "/v2/Services",
    CreateService "POST" "/v2/Services",
    FetchService "GET" "/v2/Services/*",
    DeleteService "DELETE" "/v2/Services/*",
    CreateVerification "POST" "/v2/Services/*/Verifications",
    FetchVerification "GET" "/v2/Services/*/Verifications/*",
    UpdateVerification "POST" "/v2/Services/*/Verifications/*",
    CreateVerificationCheck "POST" "/v2/Services/*/VerificationCheck",
    ListRateLimit "GET" "/v2/Services/*/RateLimits",
    CreateRateLimit "POST" "/v2/Services/*/RateLimits",
    DeleteRateLimit "DELETE" "/v2/Services/*/RateLimits/*",
    ListBucket "GET" "/v2/Services/*/RateLimits/*/Buckets",
    CreateBucket "POST" "/v2/Services/*/RateLimits/*/Buckets",
}

/// Whose an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    TaskRouter,
    Voice,
    Flex,
    Conversations,
    Media,
    EventStreams,
    Sync,
    Verify,
}

impl Operation {
    /// `prefix` decides where two products share a path: Flex's and Conversations' `/v1/Configuration`.
    pub(super) fn product(self, prefix: &str) -> Product {
        let (_, path) = self.route();
        let mut parts = path.split('/').skip(1);
        match (parts.next(), parts.next(), parts.nth(1)) {
            (Some("2010-04-01"), ..) => Product::Voice,
            (Some("v2"), ..) => Product::Verify,
            (_, Some("Configuration"), _) if self == Self::FetchConfiguration && prefix != "/conversations" => {
                Product::Flex
            }
            (_, Some("Interactions"), _) => Product::Flex,
            (_, Some("Configuration" | "Conversations" | "Users"), _) => Product::Conversations,
            (_, Some("Services"), Some("Configuration")) => Product::Conversations,
            (_, Some("Services"), Some("Documents")) => Product::Sync,
            (_, Some("Services"), _) => Product::Media,
            (_, Some("Sinks" | "Subscriptions"), _) => Product::EventStreams,
            _ => Product::TaskRouter,
        }
    }
}

/// The operation, and what stands in the places of its path's variables.
pub(crate) fn find<'a>(method: &str, path: &'a str) -> Result<(Operation, Vec<&'a str>), Refusal> {
    let mut other_method = false;
    for operation in Operation::ALL {
        let (wanted, pattern) = operation.route();
        if let Some(variables) = matches(pattern, path) {
            if wanted == method {
                return Ok((*operation, variables));
            }
            other_method = true;
        }
    }
    Err(if other_method { Refusal::method() } else { Refusal::not_found() })
}

fn matches<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut variables = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        match wanted.split_once('*') {
            None if wanted == segment => {}
            None => return None,
            Some((_, suffix)) => variables.push(segment.strip_suffix(suffix).filter(|value| !value.is_empty())?),
        }
    }
    segments.next().is_none().then_some(variables)
}

/// The products whose paths the stand-in answers. On one host some would collide (Flex and Conversations both have
/// `/v1/Configuration`), so that each also has a prefix of its own.
pub(crate) const PREFIXES: [&str; 8] =
    ["/taskrouter", "/api", "/flex", "/conversations", "/verify", "/media", "/events", "/sync"];

/// Splits the product's prefix off, if there is one.
pub(crate) fn split_prefix(path: &str) -> (&'static str, &str) {
    for prefix in PREFIXES {
        if let Some(rest) = path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')) {
            return (prefix, rest);
        }
    }
    ("", path)
}
