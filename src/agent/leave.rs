//! An agent who is removed: what would stay open at Twilio, since nobody knows of it from now on.

use super::{Agent, Context, Effect, duty::Duty, request::Request};
use crate::call::Call;
use crate::domain::{CallSid, SoftphoneOrder};

impl Agent {
    /// The last that is to be done: customers who are on offer to the agent go to the next one, a conversation on the agent's
    /// phones is over. What the agent has at the desk stays there. The requests are in the order in which they are to be made;
    /// nobody waits for their answers.
    pub fn take_leave(mut self, context: &Context<'_>) -> (Vec<SoftphoneOrder>, Vec<Request>) {
        let mut effects = self.take_offers_down(true, context);
        if self.is_at_desk(context) {
            effects.extend(self.stop_ringing(|_| true, context));
        } else {
            effects.extend(self.give_back(context));
        }
        effects.extend(self.tell_each_call(context, Call::cut));
        let orders = effects.into_iter().filter_map(|effect| match effect {
            Effect::Softphones(order) => Some(order),
            _ => None,
        });
        let owed = self.duties.iter().filter(|duty| !duty.is_in_flight());
        let mut requests: Vec<_> = owed.filter_map(ending).cloned().collect();
        let ended: Vec<_> = requests.iter().filter_map(ended_leg).cloned().collect();
        requests.retain(|request| !matches!(request, Request::CancelLeg(leg) if ended.contains(leg)));
        // A reservation is held by its leg as long as that rings.
        requests.sort_by_key(|request| matches!(request, Request::Reject(_) | Request::Close { .. }));
        (orders.collect(), requests)
    }
}

fn ending(duty: &Duty) -> Option<&Request> {
    let is_end = matches!(
        duty.request,
        Request::Reject(_)
            | Request::Close { .. }
            | Request::CancelLeg(_)
            | Request::EndLeg(_)
            | Request::EndConference(_)
    );
    is_end.then_some(&duty.request)
}

const fn ended_leg(request: &Request) -> Option<&CallSid> {
    if let Request::EndLeg(leg) = request { Some(leg) } else { None }
}
