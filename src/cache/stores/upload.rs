//! An object on its way into a service: part by part, whole or not at all.

use std::collections::HashMap;
use std::io::{self, Read};

use opendal::options::WriteOptions;
use opendal::{ErrorKind, Writer};

use super::labels::labels;
use super::object_store::{ObjectStore, kind, metadata_name};
use crate::cache::{Put, Stored};

/// What is sent at once. Parts of an object in S3 have at least 5 MiB, and there are at most 10,000 of them.
const PART: usize = 16 << 20;

impl ObjectStore {
    /// Sends an object. When it fails, nothing of it is visible.
    pub(super) fn send(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        let mut writer = self.begin(name, options)?;
        let mut bytes = 0;
        loop {
            let part = match next_part(content) {
                Ok(part) => part,
                Err(error) => {
                    self.abort(writer);
                    return Err(error.into());
                }
            };
            bytes += part.len() as u64;
            if let Some(declined) = self.decline(bytes) {
                self.abort(writer);
                return Ok(declined);
            }
            let last = part.len() < PART;
            writer = match self.run(send_part(writer, part, last)) {
                Ok(_) if last => return Ok(Stored::New),
                Ok(writer) => writer,
                Err(error) if !options.replace && was_taken(&error) => return Ok(Stored::Present),
                Err(error) => return Err(error),
            };
        }
    }

    fn begin(&self, name: &str, options: &Put) -> anyhow::Result<Writer> {
        let can = self.operator.info().capability();
        let metadata: HashMap<_, _> =
            labels(options).into_iter().map(|(label, value)| (metadata_name(label), value)).collect();
        let options = WriteOptions {
            content_type: can.write_with_content_type.then(|| "application/gzip".to_owned()),
            if_not_exists: can.write_with_if_not_exists && !options.replace,
            user_metadata: (can.write_with_user_metadata && !metadata.is_empty()).then_some(metadata),
            concurrent: 2,
            ..WriteOptions::default()
        };
        let (operator, path) = (self.operator.clone(), name.to_owned());
        self.run(async move { operator.writer_options(&path, options).await })
    }

    /// Forgets what was sent so far, as far as the service lets.
    fn abort(&self, mut writer: Writer) {
        _ = self.run(async move { writer.abort().await });
    }

    /// Why an object is not taken, if so.
    pub(super) fn decline(&self, size: u64) -> Option<Stored> {
        let limit = self.service.value_limit.filter(|limit| size > *limit)?;
        Some(super::too_large(&self.service.place, size, limit))
    }
}

/// Whether a conditional put failed because someone was faster.
fn was_taken(error: &anyhow::Error) -> bool {
    let taken = matches!(kind(error), Some(ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists));
    // S3 says so to all but one of those who are at it at once.
    taken || error.to_string().contains("ConditionalRequestConflict")
}

/// Sends a part, and with the last one the word that it is whole.
async fn send_part(mut writer: Writer, part: Vec<u8>, last: bool) -> opendal::Result<Writer> {
    let sent = async {
        if !part.is_empty() {
            writer.write(part).await?;
        }
        if last {
            writer.close().await?;
        }
        Ok(())
    };
    if let Err(error) = sent.await {
        // Parts that nobody asks for again would be kept, and paid for.
        _ = writer.abort().await;
        return Err(error);
    }
    Ok(writer)
}

/// The next part of a content; a short one is the last.
fn next_part(content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    content.take(PART as u64).read_to_end(&mut part)?;
    Ok(part)
}
