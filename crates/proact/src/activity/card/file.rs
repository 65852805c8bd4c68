//! Files in Teams: asking whether one may be uploaded, and what was.

use serde_json::Value;

use super::card;

wire_struct! {
    /// Asks the person whether the bot may put a file into their storage. The answer is the invoke `fileConsent/invoke`. The file's name is
    /// the attachment's [`name`](crate::activity::Attachment::name).
    pub struct FileConsentCard {
        /// What the file is.
        "description" description: Option<String>,
        /// How large it is.
        "sizeInBytes" size_in_bytes: Option<u64>,
        /// What comes back with a yes.
        "acceptContext" accept_context: Option<Value>,
        /// What comes back with a no.
        "declineContext" decline_context: Option<Value>,
    }
}

card!(FileConsentCard, "application/vnd.microsoft.teams.card.file.consent");

wire_struct! {
    /// Shows a file that was uploaded; its place is the attachment's [`content_url`](crate::activity::Attachment::content_url).
    pub struct FileInfoCard {
        /// The file's id in its storage.
        "uniqueId" unique_id: Option<String>,
        /// The file's type, such as `pdf`.
        "fileType" file_type: Option<String>,
        /// Its version.
        "etag" etag: Option<Value>,
    }
}

card!(FileInfoCard, "application/vnd.microsoft.teams.card.file.info");

wire_struct! {
    /// A file that a person sent to the bot in Teams.
    pub struct FileDownloadInfo {
        /// Where it is fetched, without further permission: treat it as a secret.
        "downloadUrl" download_url: Option<crate::activity::SecretText>,
        /// The file's id in its storage.
        "uniqueId" unique_id: Option<String>,
        /// The file's type, such as `pdf`.
        "fileType" file_type: Option<String>,
        /// Its version.
        "etag" etag: Option<Value>,
    }
}

card!(FileDownloadInfo, "application/vnd.microsoft.teams.file.download.info");
