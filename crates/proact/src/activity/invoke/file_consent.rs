//! `fileConsent/invoke`: whether the bot may upload a file.

use serde_json::Value;

use crate::activity::SecretText;

wire_struct! {
    /// The answer to a [`FileConsentCard`](crate::activity::card::FileConsentCard).
    pub struct FileConsent {
        /// `accept` or `decline`.
        "action" action: Option<String>,
        /// The card's context for that answer.
        "context" context: Option<Value>,
        /// Where to upload to, for `accept`.
        "uploadInfo" upload_info: Option<FileUpload>,
    }
}

wire_struct! {
    /// Where a file is uploaded to. The URL came over the wire: send bytes of the file there and nothing else, no token above all.
    pub struct FileUpload {
        /// Where the file will be.
        "contentUrl" content_url: Option<String>,
        /// Its name.
        "name" name: Option<String>,
        /// Where its bytes are put (a `PUT` with `Content-Range`); whoever has it may.
        "uploadUrl" upload_url: Option<SecretText>,
        /// Its id in its storage.
        "uniqueId" unique_id: Option<String>,
        /// Its type, such as `pdf`.
        "fileType" file_type: Option<String>,
    }
}
