//! Files that people send: as the body, or in the parts of a form, perhaps with the activity that they belong to.
//!
//! In this order: everything is checked, the bytes are written, the activity is committed with them and handed over.
//! What fails before the commit leaves nothing behind but bytes that nobody can fetch, which are removed.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, Request, State};

use super::activities::{self, Sent};
use super::attachments::write;
use super::body::{self, whole};
use super::caller::{Opened, query_parameter};
use super::came::{Came, read};
use super::reached::Reached;
use crate::activity::{Activity, ActivityType, Attachment, ChannelAccount, ResourceResponse};
use crate::adapter::media_type;
use crate::directline::Channel;
use crate::directline::commands::{File, Place};
use crate::directline::error::Problem;
use crate::directline::files::{self, View};

/// Bytes for what stands around the parts of a form.
const AROUND: usize = 64 * 1024;

/// Takes files of a person and hands the bot a message with them.
pub(super) async fn send(
    State(channel): State<Channel>,
    Opened { caller, place }: Opened,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<ResourceResponse>, Problem> {
    let (parts, body) = request.into_parts();
    let reached = Reached::of(&parts, &channel);
    let (limit, most) = (channel.limits().upload_bytes, channel.limits().upload_files);
    let kind = media_type(&parts.headers).map(str::to_ascii_lowercase);
    let room = match kind.as_deref() {
        Some("multipart/form-data") => limit + body::LIMIT + AROUND,
        Some(kind) if kind.starts_with("multipart/") => {
            return Err(Problem::unsupported("send the file as the body, or files as multipart/form-data"));
        }
        _ => limit,
    };
    let bytes = whole(body, room).await?;
    let (activity, files) = read(&parts.headers, bytes, most, &channel.inner().json).await?;
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    if size > limit {
        return Err(Problem::too_large(limit));
    }
    let mut activity = activity.unwrap_or_else(|| Activity::new(ActivityType::Message));
    if activity.from_id().is_none_or(str::is_empty)
        && let Some(id) = query_parameter(query.as_deref(), "userId")
    {
        activity.from = Some(ChannelAccount { id: Some(id), ..activity.from.unwrap_or_default() });
    }
    let mut sent = Sent::new(caller, activity, &parts.headers)?;
    // Before anything is written.
    channel.is_open(&place).await??;
    let charge = channel.inner().quota.charge(&place, size, files.len(), channel.now())?;
    let (noted, attachments, bytes) = noted(&place, files, &reached);
    sent.attach(attachments);
    write(&channel, bytes).await?;
    activities::take(channel, place, sent, noted, Some(charge)).await
}

/// What the store, the activity and the folder are told of files.
fn noted(
    place: &Place,
    files: Vec<Came>,
    reached: &Reached,
) -> (Vec<File>, Vec<Attachment>, Vec<(String, Bytes)>) {
    let (mut noted, mut attachments, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for Came { name, content_type, bytes } in files {
        let id = files::new_id(place);
        let url = format!("{}/v3/attachments/{id}/views/original", reached.http());
        let attachment = Attachment { name: name.clone(), ..Attachment::link(content_type.clone(), url) };
        attachments.push(attachment);
        written.push((files::name(&id, View::Original), bytes.clone()));
        noted.push(File { id, name, content_type, size: bytes.len() as u64, thumbnail_size: None });
    }
    (noted, attachments, written)
}
