//! Interactions v1 (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api>).

use serde_json::{Map, Value, json};

use crate::{
    rest::{
        Reply,
        error::Refusal,
        list,
        request::{Answer, Request},
        route::Operation,
    },
    world::{
        QUEUE_NAME, WORKFLOW_NAME, World, channel_sid,
        conversations::{By, CHAT, Customer},
        interactions::{AfterChat, Channel, Invite, Member, NewInteraction},
        sid::Sid,
        words::{ChannelKind, ChannelStatus},
    },
};

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    if operation == Operation::CreateInteraction {
        return create(world, request);
    }
    let interaction = path.first().ok_or_else(Refusal::not_found)?;
    let channel = world.channels.iter().find(|row| row.interaction == *interaction).ok_or_else(Refusal::not_found)?;
    if path.get(1).is_some_and(|sid| *sid != channel.sid) {
        return Err(Refusal::not_found());
    }
    let sid = channel.sid.clone();
    let shape = Shape::new(request, channel);
    let shown = channel.members.iter().filter(|member| !member.left);
    match operation {
        Operation::FetchInteraction => Ok(Answer::ok(shape.interaction(world))),
        Operation::FetchInteractionChannel => Ok(Answer::ok(shape.channel())),
        Operation::ListInteractionChannel => Ok(list::v1(request, "channels", vec![sid], |_| Some(shape.channel()))),
        Operation::ListInteractionChannelInvite => {
            let all = channel.invites.iter().map(|invite| invite.sid.clone()).collect();
            Ok(list::v1(request, "invites", all, |sid| shape.invite(world, sid)))
        }
        Operation::UpdateInteractionChannel => update(world, request, &sid),
        Operation::UpdateInteractionChannelParticipant => {
            update_participant(world, request, &sid, path.get(2).ok_or_else(Refusal::not_found)?)
        }
        _ => {
            let all = shown.map(|member| member.sid.clone()).collect();
            Ok(list::v1(request, "participants", all, |sid| {
                channel.member(sid).map(|member| shape.participant(member))
            }))
        }
    }
}

/// The customer comes in by an address, or is in a conversation that is there already (`media_channel_sid`).
fn create(world: &mut World, request: &Request) -> Reply {
    let channel: Value = parse(&request.form.required("Channel")?, "Channel")?;
    let routing = request.form.get("Routing").map_or(Ok(json!({})), |text| parse(text, "Routing"))?;
    let kind = channel["type"].as_str().and_then(ChannelKind::parse);
    let kind = kind.ok_or_else(|| Refusal::invalid("Invalid Channel: it has no known type"))?;
    let properties = &routing["properties"];
    let attributes = attributes(&properties["attributes"])?;
    let conversation = match channel["properties"]["media_channel_sid"].as_str() {
        Some(sid) => world.conversation(&Sid::from(sid)).map(|row| row.sid.clone())?,
        None => add_conversation(world, &channel, &attributes)?,
    };
    let (_, sid, _) = world.create_interaction(NewInteraction {
        kind,
        conversation,
        task_channel: properties["task_channel_unique_name"].as_str().unwrap_or(CHAT).to_owned(),
        attributes,
        routing_target: properties["worker_sid"].as_str().map(str::to_owned),
    });
    let row = world.channels.get(&sid).ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(Shape::new(request, row).interaction(world)))
}

fn add_conversation(world: &mut World, channel: &Value, attributes: &Map<String, Value>) -> Result<Sid, Refusal> {
    let first = &channel["participants"][0];
    let address = first["address"].as_str().or_else(|| first["identity"].as_str());
    let address = address.ok_or_else(|| Refusal::invalid("Invalid Channel: it has no participant with an address"))?;
    let name = attributes.get("customerName").and_then(Value::as_str).unwrap_or(address);
    let customer = Customer { name: name.to_owned(), address: address.to_owned() };
    let conversation = world.add_conversation(customer, &By::Flex);
    let participant = world.customer_as_participant(address);
    world.add_participant(&conversation, participant, &By::Flex)?;
    Ok(conversation)
}

/// They may come as an object or as a text that holds one.
fn attributes(given: &Value) -> Result<Map<String, Value>, Refusal> {
    match given {
        Value::Null => Ok(Map::new()),
        Value::Object(attributes) => Ok(attributes.clone()),
        Value::String(text) => match parse(text, "Routing")? {
            Value::Object(attributes) => Ok(attributes),
            _ => Err(Refusal::invalid("Invalid Routing: its attributes must be a JSON object")),
        },
        _ => Err(Refusal::invalid("Invalid Routing: its attributes must be a JSON object")),
    }
}

fn parse(text: &str, name: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|_| Refusal::invalid(format!("Invalid {name}: it must be JSON")))
}

/// Without `Routing` the agents' reservations go to `wrapping`.
fn update(world: &mut World, request: &Request, sid: &Sid) -> Reply {
    request.form.required("Status")?;
    let status = request.form.word("Status", ChannelStatus::parse)?.unwrap_or(ChannelStatus::Closed);
    let routing = request.form.get("Routing").map_or(Ok(json!({})), |text| parse(text, "Routing"))?;
    let after = match routing["status"].as_str() {
        None => AfterChat::Wrapup,
        Some(word) => AfterChat::parse(word).ok_or_else(|| Refusal::invalid(format!("Invalid Routing: {word}")))?,
    };
    world.close_channel(sid, status, after)?;
    let row = world.channels.get(sid).ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(Shape::new(request, row).channel()))
}

fn update_participant(world: &mut World, request: &Request, channel: &Sid, sid: &Sid) -> Reply {
    request.form.required("Status")?;
    let after = request.form.word("Status", AfterChat::parse)?.unwrap_or(AfterChat::Closed);
    world.close_member(channel, sid, after)?;
    let row = world.channels.get(channel).ok_or_else(Refusal::not_found)?;
    let member = row.member(sid).ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(Shape::new(request, row).participant(member)))
}

struct Shape<'a> {
    channel: &'a Channel,
    interaction_url: String,
    url: String,
}

impl<'a> Shape<'a> {
    fn new(request: &Request, channel: &'a Channel) -> Self {
        let interaction_url = format!("{}/v1/Interactions/{}", request.base, channel.interaction);
        Self { channel, url: format!("{interaction_url}/Channels/{}", channel.sid), interaction_url }
    }

    fn interaction(&self, world: &World) -> Value {
        json!({
            "sid": self.channel.interaction,
            "channel": { "type": self.channel.kind, "sid": self.channel.sid },
            "routing": self.channel.invites.last().map(|invite| routing(world, invite)),
            "interaction_context_sid": null,
            "webhook_ttid": null,
            "links": { "channels": format!("{}/Channels", self.interaction_url) },
            "url": self.interaction_url,
        })
    }

    fn channel(&self) -> Value {
        json!({
            "sid": self.channel.sid,
            "interaction_sid": self.channel.interaction,
            "type": self.channel.kind,
            "status": self.channel.status,
            "error_code": null,
            "error_message": null,
            "links": {
                "participants": format!("{}/Participants", self.url),
                "invites": format!("{}/Invites", self.url),
                "transfers": format!("{}/Transfers", self.url),
            },
            "url": self.url,
        })
    }

    fn participant(&self, member: &Member) -> Value {
        let properties = member.work.as_ref().map(
            |work| json!({ "task_sid": work.task, "worker_sid": work.worker, "reservation_sid": work.reservation }),
        );
        json!({
            "sid": member.sid,
            "type": member.kind,
            "interaction_sid": self.channel.interaction,
            "channel_sid": self.channel.sid,
            "routing_properties": properties,
            "url": format!("{}/Participants/{}", self.url, member.sid),
        })
    }

    fn invite(&self, world: &World, sid: &Sid) -> Option<Value> {
        let invite = self.channel.invites.iter().find(|invite| invite.sid == *sid)?;
        Some(json!({
            "sid": invite.sid,
            "interaction_sid": self.channel.interaction,
            "channel_sid": self.channel.sid,
            "routing": routing(world, invite),
            "url": format!("{}/Invites/{}", self.url, invite.sid),
        }))
    }
}

/// The task that an invite has made, as Interactions show one.
fn routing(world: &World, invite: &Invite) -> Value {
    let fixed = &world.fixed;
    let Some(task) = world.tasks.get(&invite.task) else { return json!({ "reservation": null, "properties": null }) };
    json!({
        "reservation": null,
        "properties": {
            "account_sid": fixed.account,
            "workspace_sid": fixed.workspace,
            "sid": task.sid,
            "date_created": task.created / 1000,
            "date_updated": task.updated / 1000,
            "attributes": task.attributes,
            "assignment_status": task.status,
            "workflow_sid": fixed.workflow,
            "workflow_name": WORKFLOW_NAME,
            "queue_sid": fixed.queue,
            "queue_name": QUEUE_NAME,
            "priority": task.priority,
            "age": world.now.saturating_sub(task.created) / 1000,
            "reason": task.reason.as_deref().unwrap_or_default(),
            "timeout": task.timeout_s,
            "assignmentCounter": task.offered_to.len(),
            "task_channel_sid": channel_sid(&task.channel),
            "task_channel_unique_name": task.channel,
            "routing_target": task.routing_target,
            "task_queue_entered_date": task.queued / 1000,
            "age_in_queue": world.now.saturating_sub(task.queued) / 1000,
            "addons": "{}",
        },
    })
}
