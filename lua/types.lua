---@meta cortado
-- The words of cortado recipes, for editors: point lua-language-server at this file ("workspace.library") and it
-- completes and checks recipes. `docs/recipes.md` explains each word; a test keeps this file equal to what recipes
-- really offer.

---Begins the project. Every recipe declares exactly one. The table may be left out.
---@param name string becomes the prefix of tags
---@param options? cortado.ProjectOptions
---@return cortado.Project
function project(name, options) end

---The bytes of a file below the recipe's directory.
---@param path string relative to the recipe's directory
---@return string
function read_file(path) end

---The value of a module below the recipe's directory, which runs once: `lib.flags` is the file `lib/flags.lua`.
---@param name string
---@return any
function require(name) end

---A note to the author, shown when the recipe was read. Not in blocks (use `t:emit`) and callbacks.
---@param ... any
function print(...) end

---A value of `env` that is never shown; plans and reports show its digest.
---@param value string
---@return cortado.Secret
function secret(value) end

---Adds the flags by which C and C++ packages find headers and libraries of the same product. What is set already stays.
---@param env? cortado.EnvLike
---@return cortado.Env
function with_standard_compiler_flags(env) end

---Sets `DESTDIR` to the stage, unless it is set already.
---@param env? cortado.EnvLike
---@return cortado.Env
function with_destdir(env) end

---Puts the product's own `bin` and `embedded/bin` before the rest of `PATH`.
---@param env? cortado.EnvLike
---@return cortado.Env
function with_embedded_path(env) end

---@type cortado.Platform
platform = nil

---@type cortado.Stores
stores = nil

---@class cortado.Secret
---@class cortado.Env
---@alias cortado.EnvLike table<string, string | cortado.Secret> | cortado.Env

---The machine. What is not known is empty, or 0 where it is a number.
---@class cortado.Platform
---@field os string `linux`, `macos`
---@field architecture string `x86_64`, `aarch64`
---@field libc { family: string, version: string }
---@field distribution { name: string, family: string, version: string }
---@field kernel { name: string, release: string, version: string, machine: string }
---@field cpu { count: integer, sockets: integer, cores_per_socket: integer, threads_per_core: integer }
---@field memory integer bytes
---@field short_name string what packages are named after: `el`, `sles`, else the family
---@field major_version integer of the distribution
---@field linux boolean
---@field macos boolean
---@field debian boolean Debian or a descendant, Ubuntu included
---@field ubuntu boolean
---@field rhel boolean RHEL or a rebuild of it
---@field fedora boolean
---@field suse boolean
---@field arch boolean
---@field alpine boolean

---@class cortado.ProjectOptions
---@field install_dir? string where the product lives at run time; below the recipe's directory if relative
---@field work_dir? string the engine's own directory; `.cortado` beside the recipe unless said
---@field cache? boolean whether tasks are staged and cached; true unless said
---@field cache_tag_prefix? string what tags start with instead of the project's name
---@field platform? "host" | "any" | { is: string } what of the machine counts into every key
---@field salt? string counts into every key: change it to start anew
---@field source_date_epoch? integer the time that installed files bear, in seconds since 1970; 0 unless said
---@field env? cortado.EnvLike variables for all tasks; they count
---@field pass_env? string[] variables handed on from the caller's environment; they do not count
---@field inherit_env? boolean hands on the caller's whole environment
---@field extra_files? string[] glob patterns of what may be installed outside `install_dir`
---@field license_file_path? string where the licence summary is written
---@field link_mode? "auto" | "reflink" | "hardlink" | "copy" how files get from a tree into `install_dir`
---@field callback_timeout? number | false the longest that a cache callback may take, in seconds; 600 unless said
---@field version? string the product's version
---@field iteration? integer the build of that version, from 1
---@field git_revision? string the commit that the recipe was checked out at
---@field description? string one line
---@field homepage? string
---@field maintainer? string `Name <address>`
---@field license? string the product's own licence
---@field license_content? string the product's own licence text

---@class cortado.Project
local Project = {}

---Declares a task. Its value is the task's name.
---@param name string letters, digits and `._+-`
---@param options? cortado.TaskOptions
---@return string | fun(options: cortado.TaskOptions): string
function Project:task(name, options) end

---Says where artifacts come from and go to.
---@param cache cortado.CacheCallbacks | cortado.Store
function Project:cache(cache) end

---@class cortado.TaskOptions
---@field version? string required unless the task is virtual
---@field source? cortado.UrlSource | cortado.PathSource | cortado.GitSource
---@field license? string an SPDX expression or free text
---@field license_files? string[] files of the source that carry the licence's text
---@field depends_on? string[] direct upstreams
---@field sequences? string[] named groups whose tasks never run at the same time
---@field env? cortado.EnvLike variables for all steps; they count
---@field pass_env? string[] variables handed on from the caller's environment; they do not count
---@field probes? string[] commands whose output counts, such as `cc --version`
---@field inputs? string[] further files and directories whose content counts
---@field cache? boolean false: never cached, and installed directly
---@field virtual? boolean true: a mere grouping, without version and licence
---@field relative_path? string a directory of the source to work in
---@field preserve_symlinks? boolean false: links of the stage become what they point to
---@field overrides? string[] tasks whose files this one may replace
---@field time_limit? number the longest that one step may take, in seconds
---@field build? fun(t: cortado.Task) queues the steps

---@class cortado.UrlSource
---@field url string http, https or file
---@field sha256? string one checksum is required
---@field sha512? string
---@field sha1? string forgeable
---@field md5? string forgeable
---@field headers? table<string, string> of the request
---@field strip? integer leading path components to drop; 1 unless said
---@field format? "tar" | "tar.gz" | "tar.xz" | "tar.bz2" | "tar.zst" | "zip" | "plain" where the name does not tell
---@field retries? integer 2 unless said
---@field timeout? number seconds for one attempt; 600 unless said

---@class cortado.PathSource
---@field path string a directory, relative to the recipe's
---@field exclude? string[] glob patterns of what is left out

---@class cortado.GitSource
---@field git string the repository
---@field commit? string all 40 (or 64) digits; this or `reference`
---@field reference? string a branch or tag
---@field submodules? boolean

---What a build function queues steps on.
---@class cortado.Task
---@field name string
local Task = {}

---A text for `/bin/sh -e`.
---@param line string
---@param options? cortado.CommandOptions
function Task:command(line, options) end

---A program that the product has installed, run without a shell.
---@param program string its file name
---@param arguments? string[]
---@param options? cortado.BinOptions
function Task:bin(program, arguments, options) end

---Copies like `cp -a`; the source may be a glob pattern.
---@param source string
---@param dest string
---@param options? cortado.CopyOptions
function Task:copy(source, dest, options) end

---Makes `dest` a mirror of the directory `source`.
---@param source string
---@param dest string
---@param options? cortado.SyncOptions
function Task:sync(source, dest, options) end

---A symbolic link at `path` that points to `target`: the order of `ln -s`.
---@param target string
---@param path string
---@param options? cortado.LinkOptions
function Task:link(target, path, options) end

---A directory.
---@param path string
---@param options? cortado.MkdirOptions
function Task:mkdir(path, options) end

---Applies a unified diff: a file of the recipe, or `{ text = "…" }`.
---@param patch string | { text: string }
---@param options? cortado.PatchOptions
function Task:patch(patch, options) end

---Renders a Jinja template: a file of the recipe, or `{ text = "…" }`.
---@param template string | { text: string }
---@param dest string
---@param options? cortado.TemplateOptions
function Task:template(template, dest, options) end

---Code that runs as a step. Its text counts, comments included; what it needs from outside is handed over as a table.
---@overload fun(self: cortado.Task, code: fun(t: cortado.BlockTask))
---@overload fun(self: cortado.Task, vars: table<string, any>, code: fun(t: cortado.BlockTask, vars: table<string, any>))
---@param name string for progress and errors
---@param vars table<string, any>
---@param code fun(t: cortado.BlockTask, vars: table<string, any>)
function Task:block(name, vars, code) end

---A line of output.
---@param text string
function Task:emit(text) end

---A line that reports show as an error. The task goes on.
---@param text string
function Task:emit_error(text) end

---What a block is handed. Steps run at once; relative paths lie below the task's source directory.
---@class cortado.BlockTask
---@field name string
local BlockTask = {}

---@param line string
---@param options? cortado.CommandOptions
function BlockTask:command(line, options) end

---@param program string
---@param arguments? string[]
---@param options? cortado.BinOptions
function BlockTask:bin(program, arguments, options) end

---@param source string
---@param dest string
---@param options? cortado.CopyOptions
function BlockTask:copy(source, dest, options) end

---@param source string
---@param dest string
---@param options? cortado.SyncOptions
function BlockTask:sync(source, dest, options) end

---@param target string
---@param path string
---@param options? cortado.LinkOptions
function BlockTask:link(target, path, options) end

---@param path string
---@param options? cortado.MkdirOptions
function BlockTask:mkdir(path, options) end

---@param patch string | { text: string }
---@param options? cortado.PatchOptions
function BlockTask:patch(patch, options) end

---@param template string | { text: string }
---@param dest string
---@param options? cortado.TemplateOptions
function BlockTask:template(template, dest, options) end

---@param text string
function BlockTask:emit(text) end

---@param text string
function BlockTask:emit_error(text) end

---The absolute path behind a path of the task.
---@param path string
---@return string
function BlockTask:path(path) end

---A text with its path words replaced.
---@param text string
---@return string
function BlockTask:expand(text) end

---The bytes of a file.
---@param path string
---@return string
function BlockTask:read(path) end

---Writes a file, and makes its directories.
---@param path string
---@param content string
---@param mode? string octal digits: `"755"`
function BlockTask:write(path, content, mode) end

---Whether there is something at a path.
---@param path string
---@return boolean
function BlockTask:exists(path) end

---@class cortado.CommandOptions
---@field env? cortado.EnvLike variables for this command alone
---@field dir? string where it runs instead of the source directory

---@class cortado.BinOptions
---@field env? cortado.EnvLike
---@field dir? string

---@class cortado.CopyOptions
---@field dir? string where relative paths begin

---@class cortado.SyncOptions
---@field exclude? string[] glob patterns of what is left alone, relative to the source
---@field decide? fun(source: string, target: string): boolean asked for each file whose target exists; counts as its text
---@field dir? string where relative paths begin

---@class cortado.LinkOptions
---@field dir? string where a relative path begins

---@class cortado.MkdirOptions
---@field parents? boolean whether missing parents are made too; true unless said
---@field mode? string octal digits: `"755"`

---@class cortado.PatchOptions
---@field strip? integer leading path components to drop; 1 unless said
---@field dir? string what is patched instead of the source directory

---@class cortado.TemplateOptions
---@field variables? table<string, any> strings, numbers, booleans, lists and tables
---@field mode? string octal digits; `"644"` unless said

---A store or several, for `project:cache`. Nothing is opened while the recipe is read.
---@class cortado.Store

---@class cortado.Stores
---@field directory fun(options: cortado.DirectoryStore): cortado.Store a directory, shared or not
---@field http fun(options: cortado.HttpStore): cortado.Store a web server
---@field s3 fun(options: cortado.S3Store): cortado.Store Amazon S3 and what speaks like it
---@field gcs fun(options: cortado.GcsStore): cortado.Store Google Cloud Storage
---@field azblob fun(options: cortado.AzblobStore): cortado.Store Azure Blob Storage
---@field redis fun(options: cortado.RedisStore): cortado.Store Redis
---@field memcached fun(options: cortado.MemcachedStore): cortado.Store Memcached
---@field webdav fun(options: cortado.WebdavStore): cortado.Store a WebDAV server
---@field tiers fun(tiers: cortado.TierList): cortado.Store several stores, nearest first; a string names one that is configured

---@class cortado.TierList
---@field [integer] cortado.Store | string
---@field write? "all" | "nearest" | "best-effort" which of them get a fresh artifact

---What every store takes. Times are seconds or texts like `"30s"`, sizes are bytes or texts like `"20G"`.
---@class cortado.Tier
---@field name? string its name among others; its type unless said
---@field mode? "read-write" | "read" | "write" | "off" which way artifacts travel
---@field timeout? string | number how long the store may be silent before it is given up; `never` is for ever
---@field budget? string | number how much time a run may lose to a store that does not answer
---@field pace? string | integer bytes per second that a store with a time-out has to reach on average
---@field concurrency? integer how many operations run at once
---@field failures? integer after how many failures in a row the store is left alone
---@field cool_down? string | number for how long it is left alone at first
---@field required? boolean whether a run ends when the store fails or does not answer

---@class cortado.DirectoryStore: cortado.Tier
---@field path? string where it is
---@field size? string | integer bytes that it may take if it is made by opening it; afterwards its own `config.toml` decides
---@field file_sync? "none" | "dir" | "sync" how carefully files are written
---@field perm? "none" | "group" | "other" who else may read and write what is created
---@field lock_wait? string | number how long to wait for whoever holds its lock

---@class cortado.HttpStore: cortado.Tier
---@field url string the address below which the objects lie, `http` or `https`
---@field username? string the user of Basic authentication
---@field ca_file? string a PEM file of certificate authorities to trust instead
---@field connect_timeout? string | number for name lookup, connection and TLS handshake
---@field idle_timeout? string | number for any silence of the server
---@field total_timeout? string | number for a whole request with its answer
---@field retries? integer attempts after the first one when the server says that it is busy
---@field longest_pause? string | number the longest pause between two of them
---@field max_object_size? string | integer the largest object to fetch

---@class cortado.S3Store: cortado.Tier
---@field bucket string the name of the bucket
---@field prefix? string the directory of the objects in it
---@field endpoint? string the address of the service
---@field region? string the region
---@field path_style? boolean whether the bucket is part of the path of addresses
---@field anonymous? boolean whether requests are made without credentials
---@field profile? string the profile to take out of `~/.aws`
---@field access_key_id? string the credentials' identity
---@field ca_file? string a PEM file of certificate authorities to trust instead
---@field connect_timeout? string | number for name lookup, connection and TLS handshake
---@field idle_timeout? string | number for any silence of the server
---@field total_timeout? string | number for a whole request with its answer
---@field retries? integer attempts after the first one when the server says that it is busy
---@field longest_pause? string | number the longest pause between two of them
---@field max_object_size? string | integer the largest object to fetch

---@class cortado.GcsStore: cortado.Tier
---@field bucket string the name of the bucket
---@field prefix? string the directory of the objects in it
---@field anonymous? boolean whether requests are made without credentials
---@field read_only? boolean whether no right to write is asked for
---@field ca_file? string a PEM file of certificate authorities to trust instead
---@field connect_timeout? string | number for name lookup, connection and TLS handshake
---@field idle_timeout? string | number for any silence of the server
---@field total_timeout? string | number for a whole request with its answer
---@field retries? integer attempts after the first one when the server says that it is busy
---@field longest_pause? string | number the longest pause between two of them
---@field max_object_size? string | integer the largest object to fetch

---@class cortado.AzblobStore: cortado.Tier
---@field container string the name of the container
---@field prefix? string the directory of the objects in it
---@field ca_file? string a PEM file of certificate authorities to trust instead
---@field connect_timeout? string | number for name lookup, connection and TLS handshake
---@field idle_timeout? string | number for any silence of the server
---@field total_timeout? string | number for a whole request with its answer
---@field retries? integer attempts after the first one when the server says that it is busy
---@field longest_pause? string | number the longest pause between two of them
---@field max_object_size? string | integer the largest object to fetch

---@class cortado.RedisStore: cortado.Tier
---@field url string `redis://user:password@host:port/database`, `rediss://…`, or `redis+unix:///path`
---@field prefix? string the beginning of the keys
---@field ttl? string | number how long the server keeps an object
---@field value_limit? string | integer the largest object
---@field idle_timeout? string | number for connecting, and for any silence of the server

---@class cortado.MemcachedStore: cortado.Tier
---@field url string `tcp://host:port`, or `unix:///path`
---@field prefix? string the beginning of the keys
---@field username? string the user of SASL authentication
---@field ttl? string | number how long the server keeps an object: 30 days at the longest
---@field value_limit? string | integer the largest object
---@field idle_timeout? string | number for each request

---@class cortado.WebdavStore: cortado.Tier
---@field endpoint string the address of the server
---@field prefix? string the directory of the objects
---@field username? string the user of Basic authentication
---@field ca_file? string a PEM file of certificate authorities to trust instead
---@field connect_timeout? string | number for name lookup, connection and TLS handshake
---@field idle_timeout? string | number for any silence of the server
---@field total_timeout? string | number for a whole request with its answer
---@field retries? integer attempts after the first one when the server says that it is busy
---@field longest_pause? string | number the longest pause between two of them
---@field max_object_size? string | integer the largest object to fetch

---@class cortado.CacheCallbacks
---@field fetch? fun(cacher: cortado.Cacher): boolean looks for an artifact; true for a hit
---@field update? fun(artifact: cortado.Artifact): boolean keeps an artifact

---@class cortado.Cacher
---@field name string the task's name
---@field tag string `<prefix>-<task>-<shasum>`
---@field filename string `<tag>.tar.gz`
local Cacher = {}

---Unpacks and verifies an artifact. False when there is no such file, or no whole artifact in it.
---@param path string below the recipe's directory if relative
---@return boolean
function Cacher:unpack(path) end

---@class cortado.Artifact
---@field name string the task's name
---@field tag string `<prefix>-<task>-<shasum>`
---@field filename string `<tag>.tar.gz`
---@field path string the packed file, while the callback runs
---@field digest string SHA-256 of the uncompressed tar
---@field size integer bytes of the packed file
local Artifact = {}

---Copies the file into a directory, whole or not at all.
---@param dir string below the recipe's directory if relative
---@return boolean
function Artifact:copy_to(dir) end
