//! Objects in a service that OpenDAL speaks to: one adapter for all of them.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use opendal::options::ListOptions;
use opendal::{ErrorKind, HttpTransporter, Metadata, OperationContext, Operator};

use super::feed::{Feed, Pieces};
use super::labels::provenance;
use super::network::Network;
use super::runtime::Runtime;
use super::service::Service;
use super::sized::Sized;
use super::transport::Transport;
use super::turns::Turns;
use crate::cache::unsupported::Unsupported;
use crate::cache::{Listed, Objects, Put, Store, Stored};
use crate::error::Result;
use crate::text;

/// An object store or a database. Made by the `open` of its configuration.
pub struct ObjectStore {
    pub(super) operator: Operator,
    pub(super) service: Service,
    runtime: Runtime,
    turns: Turns,
}

impl ObjectStore {
    /// A store on an operator that a configuration has made.
    pub(super) fn new(operator: opendal::Result<Operator>, service: Service) -> Result<Self> {
        let operator = operator.map_err(|error| service.refuse(error))?;
        Ok(Self { operator, runtime: Runtime::default(), turns: Turns::default(), service })
    }

    /// The same on our HTTP client.
    pub(super) fn by_http(operator: opendal::Result<Operator>, service: Service, network: &Network) -> Result<Self> {
        let transport = HttpTransporter::new(Transport { client: network.client()? });
        let context = OperationContext::new().with_http_transport(transport);
        Self::new(operator.map(|operator| operator.with_context(context)), service)
    }

    /// What the service knows of an object: its size, when it was put there, and where it comes from.
    ///
    /// # Errors
    /// When the service cannot answer.
    pub fn describe(&self, name: &str) -> anyhow::Result<Option<Listed>> {
        Ok(self.stat(name)?.map(|metadata| listed(name, &metadata)))
    }

    /// `get of `a` from s3 bucket shop`
    fn what(&self, operation: &str, name: &str) -> String {
        format!("{operation} of `{name}` from {}", self.service.place)
    }

    /// An error as it may be shown, with whatever the service said.
    fn failed(&self, operation: &str, name: &str, error: &anyhow::Error) -> anyhow::Error {
        let reason = self.service.mask.hide(&format!("{error:#}"));
        anyhow!(reason).context(format!("{} failed", self.what(operation, name)))
    }

    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = opendal::Result<T>> + Send + 'static,
    ) -> anyhow::Result<T> {
        self.runtime.run(self.service.timeout, work)
    }

    fn stat(&self, name: &str) -> anyhow::Result<Option<Metadata>> {
        check(name)?;
        let (operator, path) = (self.operator.clone(), name.to_owned());
        let found = self.run(async move { operator.stat(&path).await });
        unless_absent(found).map_err(|error| self.failed("head", name, &error))
    }

    fn open_object(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        check(name)?;
        let (operator, path) = (self.operator.clone(), name.to_owned());
        let opened = self.run(async move {
            let mut stream = operator.reader(&path).await?.into_stream(..).await?;
            let size = match stream.metadata().await {
                Err(error) if error.kind() == ErrorKind::Unsupported => None,
                metadata => Some(metadata?.content_length()),
            };
            Ok((stream, size))
        });
        let Some((stream, size)) = unless_absent(opened)? else { return Ok(None) };
        let limit = self.service.max_object_size;
        ensure!(size.is_none_or(|size| size <= limit), "it is larger than {}, the limit", text::bytes(limit));
        let feed = Feed::start(&self.runtime, self.service.timeout, stream)?;
        let mask = self.service.mask.clone();
        let pieces = Pieces::new(feed, move |error| mask.hide(&format!("{error:#}")));
        Ok(Some(Box::new(Sized::new(pieces, size, limit).named(self.what("get", name)))))
    }
}

impl Store for ObjectStore {
    fn place(&self) -> String {
        self.service.place.clone()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        self.open_object(name).map_err(|error| self.failed("get", name, &error))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        check(name)?;
        if self.service.read_only {
            return Ok(Stored::Declined(format!("{} is read-only", self.service.place)));
        }
        if let Some(uploads) = &self.service.uploads {
            self.make_dir()?;
            return uploads.put(name, content, options);
        }
        if let Some(declined) = options.size.and_then(|size| self.decline(size)) {
            return Ok(declined);
        }
        let _turn = self.turns.take(name);
        if !options.replace && self.has(name)? {
            return Ok(Stored::Present);
        }
        let mut content = Sized::new(content, options.size, u64::MAX);
        self.send(name, &mut content, options).map_err(|error| self.failed("put", name, &error))
    }

    fn put_file(&self, name: &str, path: &Path, options: &Put) -> anyhow::Result<Stored> {
        let mut file = std::fs::File::open(path).with_context(|| format!("could not open `{}`", path.display()))?;
        let size = file.metadata().with_context(|| format!("could not look at `{}`", path.display()))?.len();
        match &self.service.uploads {
            Some(uploads) if !self.service.read_only => {
                self.make_dir()?;
                uploads.put_file(name, path, options)
            }
            _ => self.put(name, &mut file, &Put { size: Some(size), ..options.clone() }),
        }
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        Ok(self.stat(name)?.is_some())
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        if !self.has(name)? {
            return Ok(false);
        }
        let (operator, path) = (self.operator.clone(), name.to_owned());
        let removed = self.run(async move { operator.delete(&path).await });
        Ok(unless_absent(removed).map_err(|error| self.failed("delete", name, &error))?.is_some())
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        if !self.operator.info().capability().list {
            return Err(Unsupported::new(format!("{} cannot list its objects", self.service.place)).into());
        }
        let failed = |error: &anyhow::Error| {
            let reason = self.service.mask.hide(&format!("{error:#}"));
            anyhow!("list of {} failed: {reason}", self.service.place)
        };
        let operator = self.operator.clone();
        let lister = self.run(async move { operator.lister_options("", ListOptions::default()).await });
        let Some(lister) = unless_absent(lister).map_err(|error| failed(&error))? else {
            return Ok(Box::new(std::iter::empty()));
        };
        let entries = Feed::start(&self.runtime, self.service.timeout, lister)?;
        Ok(Box::new(entries.filter_map(move |entry| match entry {
            Ok(entry) if entry.metadata().is_file() => Some(Ok(listed(entry.name(), entry.metadata()))),
            Ok(_) => None,
            Err(error) => Some(Err(failed(&error))),
        })))
    }
}

impl ObjectStore {
    /// Makes the directory of the objects where the service has such a thing.
    fn make_dir(&self) -> anyhow::Result<()> {
        let operator = self.operator.clone();
        let made = self.run(async move { operator.create_dir("/").await });
        made.map_err(|error| self.failed("put", "/", &error))
    }
}

impl std::fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStore").field("place", &self.service.place).finish_non_exhaustive()
    }
}

/// Names become paths, and a path with a slash would be in another directory.
fn check(name: &str) -> anyhow::Result<()> {
    let sane = !matches!(name, "" | "." | "..") && !name.contains(['/', '\0']);
    ensure!(sane, "`{}` cannot be the name of an object", name.escape_debug());
    Ok(())
}

/// `cortado_build_time` for `build-time`: some services allow only what names a variable.
pub(super) fn metadata_name(label: &str) -> String {
    format!("cortado_{}", label.replace('-', "_"))
}

fn listed(name: &str, metadata: &Metadata) -> Listed {
    let stored = metadata.last_modified().map(Into::into);
    let mut listed = Listed::new(name, metadata.content_length(), stored);
    if let Some(known) = metadata.user_metadata() {
        listed.provenance = provenance(|label| known.get(&metadata_name(label)).map(str::to_owned));
    }
    listed
}

fn unless_absent<T>(result: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    match result {
        Err(error) if kind(&error) == Some(ErrorKind::NotFound) => Ok(None),
        result => result.map(Some),
    }
}

pub(super) fn kind(error: &anyhow::Error) -> Option<ErrorKind> {
    error.downcast_ref::<opendal::Error>().map(opendal::Error::kind)
}
