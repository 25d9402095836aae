//! Objects as values in Redis.
//!
//! Not by way of OpenDAL: its connections give an answer half a second, which is less than a large object takes on any
//! real network, and it can neither put on condition nor list.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use redis::{Client, Cmd, Connection, FromRedisValue, RedisError, cmd};

use super::mask::Mask;
use super::redis::Redis;
use super::sized::Sized;
use crate::cache::{Listed, Objects, Put, Store, Stored};
use crate::error::{Error, Result};

/// A Redis server. Made by [`Redis::open`].
pub struct RedisStore {
    client: Client,
    /// Connections that nobody uses right now.
    idle: Mutex<Vec<Connection>>,
    place: String,
    prefix: String,
    ttl: Option<Duration>,
    limit: u64,
    timeout: Duration,
    mask: Mask,
}

impl Redis {
    /// The store. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// When what is configured cannot be used.
    pub fn open(&self) -> Result<RedisStore> {
        let (mask, place) = (Mask::new(self.url.secrets()), super::place("redis at", &self.url, &self.prefix));
        let refused = |problem: &str| Error::Invalid {
            place: format!("store {place}"),
            problem: mask.hide(problem),
            hint: String::new(),
        };
        if self.ttl.is_some_and(|ttl| ttl.as_secs() == 0) {
            return Err(refused("the shortest `ttl` is a second"));
        }
        if self.timeout.is_zero() {
            return Err(refused("a `timeout` of nothing is none"));
        }
        let client = Client::open(self.url.expose()).map_err(|error| refused(&error.to_string()))?;
        let prefix = match self.prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let (ttl, limit, timeout) = (self.ttl, self.value_limit, self.timeout);
        Ok(RedisStore { client, idle: Mutex::default(), place, prefix, ttl, limit, timeout, mask })
    }
}

impl RedisStore {
    fn key(&self, name: &str) -> anyhow::Result<String> {
        ensure!(!name.is_empty(), "an object has a name");
        Ok(format!("{}{name}", self.prefix))
    }

    /// Asks the server. A connection that lay idle may have been closed by it: that is worth a new one.
    fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        while let Some(connection) = self.take() {
            match self.ask_on(connection, command) {
                Err(error) if error.is_connection_dropped() => {}
                answer => return answer,
            }
        }
        let connection = self.client.get_connection_with_timeout(self.timeout)?;
        connection.set_read_timeout(Some(self.timeout))?;
        connection.set_write_timeout(Some(self.timeout))?;
        self.ask_on(connection, command)
    }

    fn ask_on<T: FromRedisValue>(&self, mut connection: Connection, command: &Cmd) -> Result<T, RedisError> {
        let answer = command.query(&mut connection)?;
        // After an error, the rest of an answer might still be on its way.
        self.idle().push(connection);
        Ok(answer)
    }

    fn take(&self) -> Option<Connection> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes of an error what may be shown: which operation failed, and why.
    fn tell<T>(&self, operation: &str, result: anyhow::Result<T>) -> anyhow::Result<T> {
        result.map_err(|error| {
            let reason = self.mask.hide(&format!("{error:#}"));
            anyhow!(reason).context(format!("{operation} {} failed", self.place))
        })
    }

    fn of<T>(&self, operation: &str, name: &str, result: anyhow::Result<T>) -> anyhow::Result<T> {
        self.tell(&format!("{operation} of `{name}` from"), result)
    }

    fn send(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        if let Some(size) = options.size.filter(|size| *size > self.limit) {
            return Ok(super::too_large(&self.place, size, self.limit));
        }
        let mut value = Vec::new();
        let mut content = Sized::new(content, options.size, u64::MAX).take(self.limit.saturating_add(1));
        content.read_to_end(&mut value)?;
        if value.len() as u64 > self.limit {
            return Ok(super::too_large(&self.place, value.len() as u64, self.limit));
        }
        let mut set = cmd("SET");
        set.arg(self.key(name)?).arg(value);
        if !options.replace {
            set.arg("NX");
        }
        if let Some(ttl) = self.ttl {
            set.arg("EX").arg(ttl.as_secs());
        }
        let kept: Option<String> = self.ask(&set)?;
        Ok(if kept.is_some() { Stored::New } else { Stored::Present })
    }

    /// The keys that the server has now. It may name one twice.
    fn keys(&self) -> anyhow::Result<BTreeSet<String>> {
        let pattern = format!("{}*", literal(&self.prefix));
        let (mut keys, mut cursor) = (BTreeSet::new(), 0_u64);
        loop {
            let scan = cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000).to_owned();
            let (next, found): (u64, Vec<Vec<u8>>) = self.ask(&scan)?;
            keys.extend(found.into_iter().filter_map(|key| String::from_utf8(key).ok()));
            cursor = next;
            if cursor == 0 {
                return Ok(keys);
            }
        }
    }

    /// The object of a key; `None` when it is gone by now, or not one of ours.
    fn listed(&self, key: &str) -> anyhow::Result<Option<Listed>> {
        let name = key.strip_prefix(&self.prefix).context("the server listed another key")?;
        let kind: String = self.ask(cmd("TYPE").arg(key))?;
        if kind != "string" {
            return Ok(None);
        }
        let size: u64 = self.ask(cmd("STRLEN").arg(key))?;
        Ok(Some(Listed::new(name, size, None)))
    }
}

impl Store for RedisStore {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<Box<dyn Read + Send>>> {
        let get = || anyhow::Ok(self.ask::<Option<Vec<u8>>>(cmd("GET").arg(self.key(name)?))?);
        let value = self.of("get", name, get())?;
        Ok(value.map(|value| Box::new(Cursor::new(value)) as Box<dyn Read + Send>))
    }

    fn put(&self, name: &str, content: &mut dyn Read, options: &Put) -> anyhow::Result<Stored> {
        // Nobody should send half a gigabyte to be told that it is there already.
        if !options.replace && self.has(name)? {
            return Ok(Stored::Present);
        }
        self.of("put", name, self.send(name, content, options))
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        let has = || anyhow::Ok(self.ask(cmd("EXISTS").arg(self.key(name)?))?);
        self.of("head", name, has())
    }

    fn remove(&self, name: &str) -> anyhow::Result<bool> {
        let remove = || anyhow::Ok(self.ask(cmd("DEL").arg(self.key(name)?))?);
        self.of("delete", name, remove())
    }

    fn list(&self) -> anyhow::Result<Objects<'_>> {
        let keys = self.tell("list of", self.keys())?;
        let objects = keys.into_iter().map(|key| self.tell("list of", self.listed(&key)));
        Ok(Box::new(objects.filter_map(Result::transpose)))
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A prefix as a pattern that matches nothing else.
fn literal(prefix: &str) -> String {
    let escaped = prefix.chars().flat_map(|c| "*?[]\\^-".contains(c).then_some('\\').into_iter().chain([c]));
    escaped.collect()
}
