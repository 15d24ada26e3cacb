/**
 * Every bound of Firn that is not a setting, with its unit and its reason. A limit that a platform imposes names it.
 * Longer than other files, as it is a list: who asks what bounds Firn finds all of them here, and none anywhere else.
 * Platform limits: https://developers.cloudflare.com/workers/platform/limits/ and …/durable-objects/platform/limits/.
 */
import { bytes, KIB, MIB, millis, seconds, type Bytes, type Millis, type Seconds } from "./units.ts";

/** Messages nest at most this deep, the request being 1: what the protobuf runtimes allow (otlp-http 5.4). */
export const MAX_MESSAGE_DEPTH = 100;
/** `MAX_REQUEST_BYTES` may not exceed this, so that no RPC (32 MiB) and no isolate (128 MB) meets its limit. */
export const MAX_REQUEST_BYTES_CEILING: Bytes = bytes(24 * MIB);
/** `MAX_REQUEST_BYTES` may not be lower: every body of 4 MiB is accepted whatever the settings (otlp-http 3.3). */
export const MAX_REQUEST_BYTES_FLOOR: Bytes = bytes(4 * MIB);
/**
 * Members of one gzip body: more than any client sends, block-wise gzip of 20 MiB included. Each costs a native call,
 * so that a body of empty members would otherwise hold the isolate for ten seconds.
 */
export const MAX_GZIP_MEMBERS = 65_536;
/** Frames of one zstd body, skippable ones included: as with gzip members, each costs a native call of 10 µs. */
export const MAX_ZSTD_FRAMES = 65_536;
/**
 * Window of a zstd frame in a request (otlp-http 3.2): what RFC 8878 section 3.1.1.1.2 asks every decoder to support,
 * and the most that the Collector's encoder uses. The decoder allocates it before it has seen a block.
 */
export const ZSTD_BODY_WINDOW_MAX_BYTES: Bytes = bytes(8 * MIB);
/**
 * Window of a zstd frame in an object, held while it is read: room for every frame that a request may have brought, a
 * single segment of 24 MiB included, and for foreign ones up to `zstd --ultra -20`; `--long=27` would fill an isolate.
 */
export const ZSTD_OBJECT_WINDOW_MAX_BYTES: Bytes = bytes(32 * MIB);
/**
 * A body must have arrived this long after its reading began (reliability S7): 24 MiB in it need 7 Mbit/s, and clients
 * give a request up after 10 s by default. Nothing else bounds a client that sends a byte now and then.
 */
export const REQUEST_BODY_TIMEOUT: Millis = millis(30_000);
/** Codings besides `identity` that one body may carry (otlp-http 3.2). */
export const MAX_CONTENT_CODINGS = 2;
/** Clients read at most a few KiB of an error; a partial success must stay below 4 MiB (otlp-http 3.3). */
export const MAX_ERROR_MESSAGE_BYTES: Bytes = KIB;
/** A body of unknown media type is read this far to see whether it is a probe: `test`, with any codings around it. */
export const PROBE_WIRE_MAX_BYTES: Bytes = bytes(256);
/** JSON of one request, profiles among them: more does not fit an isolate of 128 MB beside its protobuf. */
export const JSON_DOCUMENT_MAX_BYTES: Bytes = bytes(64 * MIB);
/** A request up to this is written as JSON in one piece; at the worst ratio, about 20, every reader takes it. */
export const JSON_WHOLE_MAX_BYTES: Bytes = MIB;
/** A larger one is written as JSON in runs of about this, each compressed before the next is made. */
export const JSON_RUN_BYTES: Bytes = bytes(4 * MIB);

/** Longest partition format: a key with prefixes, tenant and name stays below the 1,024 bytes of S3 and R2. */
export const PARTITION_FORMAT_MAX_CHARS = 200;

/** A row holds less than 2 MB in SQLite on Durable Objects; local workerd would let 4 MB pass. */
export const CHUNK_MAX_BYTES: Bytes = bytes(1_900_000);
/** A member above this reaches the shard as a stream, read only after it was admitted (protocol 2). */
export const MEMBER_INLINE_MAX_BYTES: Bytes = MIB;
/**
 * Bytes of members that one shard holds in memory and has not made durable (protocol 2). A single member may be larger,
 * up to 24 MiB: one such member is let in beside the others, or a busy shard would never take it.
 */
export const APPEND_IN_FLIGHT_MAX_BYTES: Bytes = bytes(16 * MIB);
/** A streamed member that stops arriving is given up, so that it cannot hold its admission for ever. */
export const MEMBER_STREAM_TIMEOUT: Millis = millis(30_000);
/** Hashes that a shard knows exactly in memory; older ones are looked up in storage (protocol 3.3: at most 1 M). */
export const DEDUPE_INDEX_MAX_ENTRIES = 262_144;
/** Memory of the filters that stand for older hashes: 16 M of them. Beyond it storage is asked directly. */
export const DEDUPE_FILTER_MAX_BYTES: Bytes = bytes(32 * MIB);
/** Members of one batch: their entries, 28 bytes each, are gathered and sorted in memory when it is forgotten. */
export const BATCH_MAX_MEMBERS = 100_000;
/**
 * Profiles requests that a shard holds, each a batch and so a table of its own: 10,000 of them are 10 MB of SQLite
 * schema in memory, 0.3 s of a start and 12 s of CPU in a drain, an alarm having 30.
 */
export const BACKLOG_MAX_LONE_BATCHES = 10_000;

/** PUTs of one shard under way at once: the platform gives an invocation six connections. */
export const FLUSH_CONCURRENCY = 4;
/** A drain ends here and the alarm goes on: the platform gives an alarm 15 minutes. */
export const FLUSH_DRAIN_MAX: Millis = millis(300_000);
/** A floor further ahead of the clock is not followed: some clock was wrong (protocol 5.1). */
export const FLOOR_MAX_AHEAD: Millis = millis(300_000);
/** A Compactor that does not answer a report of late objects in this time is asked again: it only writes a row. */
export const LATE_REPORT_TIMEOUT: Millis = millis(30_000);
/** Attempts after which a batch no longer holds up others and is reported as set aside (protocol 3.5). */
export const FLUSH_SET_ASIDE_ATTEMPTS = 8;
/** Back-off of a shard whose store fails: doubles from the first to the last value, with jitter, without end. */
export const FLUSH_BACKOFF_MIN: Millis = millis(1_000);
export const FLUSH_BACKOFF_MAX: Millis = millis(60_000);
/**
 * A store that has all bytes of a put, or of a part, and does not answer is given up, and the put repeated: no wait
 * without end on a slow store (reliability F-09). It may hash and copy what it was sent before it answers.
 */
export const STORE_PUT_TIMEOUT: Millis = millis(120_000);
/** Any other store call; a pause between two pieces of what is sent or read. */
export const STORE_CALL_TIMEOUT: Millis = millis(30_000);
/** A store that was sent everything gets so many times the silence of `STORE_TIMEOUT_SECONDS` to write it. */
export const STORE_PUT_PATIENCE = 4;
/** Attempts of a call that makes no object: with the waits between them they outlast a restart, not an outage. */
export const STORE_RETRY_ATTEMPTS = 3;
/** The wait before another attempt is chance up to a bound that doubles from the first to the last value. */
export const STORE_RETRY_WAIT_MIN: Millis = millis(200);
export const STORE_RETRY_WAIT_MAX: Millis = millis(5_000);
/** A store that asks for a longer wait is asked again after this one; whoever called has a request to answer. */
export const STORE_RETRY_AFTER_MAX: Millis = millis(10_000);

/** A listing of 1,000 keys of 1,024 bytes, each byte percent-encoded, with what stands around each: 4 MiB. */
export const STORE_ANSWER_MAX_BYTES: Bytes = bytes(8 * MIB);
/** An error document is a few hundred bytes; a proxy's page may be longer, and nobody reads that. */
export const STORE_ERROR_MAX_BYTES: Bytes = bytes(64 * KIB);

/** How long STS gives a role for: the most that any role allows without being asked (platform.md 5.3). */
export const STS_DURATION: Seconds = seconds(3600);
/** Keys of a role are renewed this long before they expire, and up to the jitter earlier. */
export const STS_RENEW_MARGIN: Millis = millis(300_000);
export const STS_RENEW_JITTER: Millis = millis(60_000);
/** After a renewal that failed, keys that still live are used this long before the next. */
export const STS_RENEW_PAUSE: Millis = millis(30_000);
/** Keys younger than this are not renewed because a store calls them invalid: STS would be asked without end. */
export const STS_TOKEN_MIN_AGE: Millis = millis(60_000);
/** Objects deleted one by one at once: two of six connections stay free. */
export const DELETE_CONCURRENCY = 4;

/** Seconds a client waits on overload: short, because exporters give up at their time-out (otlp-http 4.3). */
export const RETRY_AFTER_OVERLOAD: Seconds = seconds(1);
/** Seconds a client is asked to wait while a backlog is full. */
export const RETRY_AFTER_BACKLOG: Seconds = seconds(5);
/** No client is asked to wait longer, whatever a shard said (otlp-http 4.3). */
export const RETRY_AFTER_MAX: Seconds = seconds(60);

/** A request for compaction ends its waiting after this; the Compactors go on by themselves. */
export const COMPACT_REQUEST_MAX: Millis = millis(900_000);
/** Between two calls of a Compactor that has more to do. */
export const COMPACT_REQUEST_PAUSE: Millis = millis(100);

/** RPCs to shards under way at once from one invocation (the platform allows six connections). */
export const SHARD_FAN_OUT = 5;
/** Shards that the Directory names in one answer. */
export const DIRECTORY_PAGE = 500;

/** A line of `jsonl` stays below 1 MB: the OTLP JSON file receiver and otel-tui lose longer ones (collector-s3 5.1). */
export const REPLAY_LINE_MAX_BYTES: Bytes = bytes(1_000_000);
/** Below this, most records would not fit a line. */
export const REPLAY_LINE_BYTES_FLOOR: Bytes = bytes(1_000);
/** `proto-delimited` and `json` are written in messages and runs of about this: as large as a line. */
export const REPLAY_RUN_BYTES: Bytes = bytes(1_000_000);
/** A line is built in memory; the file receiver's documentation shows a `max_log_size` of 16 MiB at most. */
export const REPLAY_LINE_BYTES_CEILING: Bytes = bytes(16 * MIB);
/** Below this, a page would be little more than its mark, and every one reads its object from the beginning. */
export const REPLAY_LIMIT_BYTES_FLOOR: Bytes = bytes(64 * KIB);
/** No answer reads more than this, so that a larger page ends itself anyway. */
export const REPLAY_LIMIT_BYTES_CEILING: Bytes = bytes(8 * 1024 * MIB);
/** Filters by attributes in one request, of items and of resources each: all of them are tried on every item. */
export const REPLAY_MAX_ATTRIBUTE_FILTERS = 32;
/** Items are looked for so long before a window of event time, and by default after it (protocol 6.2). */
export const EVENT_MAX_EARLY: Millis = millis(3_600_000);
export const EVENT_MAX_LATE: Millis = millis(168 * 3_600_000);
/** A mark with the longest cursor, and what begins and ends a document. */
export const REPLAY_MARK_MAX_BYTES: Bytes = bytes(KIB);
/** JSON takes at most so many times the bytes of its protobuf: of empty data points of exponential histograms, 15. */
export const JSON_MAX_RATIO = 24;
/** Of a minute with more objects the first are remembered: more than a response can fetch, lists included. */
export const REPLAY_MAX_MINUTE_OBJECTS = 9_000;
/** A response ends itself before the platform's 10,000 subrequests (protocol 6.4). */
export const REPLAY_MAX_STORE_CALLS = 8_000;
/** Raw OTLP bytes after which a response ends itself (protocol 6.4). */
export const REPLAY_MAX_RAW_BYTES: Bytes = bytes(8 * 1024 * MIB);
/**
 * Bounds of an answer that leaves out what does not match: it may give nothing until its end, and proxies wait 60 s
 * (nginx, load balancers of AWS) to 120 s (Cloudflare, 524) for a byte, Node's fetch 300 s. At 20 MB/s of raw OTLP, or
 * four calls of 100 ms side by side, these take 55 s; a month of compacted hours is looked up in 1,500 calls.
 */
export const REPLAY_FILTERED_MAX_RAW_BYTES: Bytes = bytes(1024 * MIB);
export const REPLAY_FILTERED_MAX_STORE_CALLS = 2_000;
/** Objects opened ahead of the one being written: connections are six, and each holds at most a window of bytes. */
export const REPLAY_FETCH_AHEAD = 3;
/**
 * One top-level field of an object, or one element of a JSON document, read or written: no request is larger than
 * 24 MiB, foreign messages above 32 MiB are unreadable.
 */
export const MAX_TOP_LEVEL_FIELD_BYTES: Bytes = bytes(32 * MIB);
/** Unknown values of an archived JSON document nest at most this deep: no body can nest deeper, and it takes 4 MiB. */
export const MAX_UNKNOWN_VALUE_DEPTH = 33_554_432;
/** A manifest names its generation with 8 digits. */
export const MANIFEST_MAX_GENERATION = 99_999_999;
/** Manifests and claims of one hour, two a generation; a usual hour has a handful, one forced each minute thousands. */
export const HOUR_MAX_MANIFEST_KEYS = 20_000;
/** Claims of an hour that a Compactor finishes at one look: one publication breaks off at a time, the next waits. */
export const CHAIN_MAX_UNFINISHED = 8;
/** Head of a manifest (protocol 5.7): every read of an hour fetches it, and a Durable Object keeps it as one row. */
export const MANIFEST_MAX_BYTES: Bytes = bytes(256 * KIB);
/** Foreign sources that stand in the head; more are listed in parts. With keys of 200 bytes they take half of it. */
export const MANIFEST_MAX_INLINE_FOREIGN = 500;
/** Service names of one output in the head; an output with more is found by reading it. */
export const MANIFEST_MAX_SERVICES = 200;
/** A part that lists foreign sources (protocol 5.7). */
export const FOREIGN_PART_MAX_BYTES: Bytes = MIB;
/** Minutes that one member holds: an hour has no more (protocol 5.4). */
export const MEMBER_MAX_RUNS = 60;
/** An entry with 60 runs takes at most 2 KiB; the extra field of a gzip member, where it stands too, ends at 64 KiB. */
export const MEMBER_ENTRY_MAX_BYTES: Bytes = bytes(4 * KIB);
/** A member table: an output of 8 GiB raw in members of 1 MiB has 8,192 entries, of 2 KiB if all minutes are thin. */
export const MEMBER_TABLE_MAX_BYTES: Bytes = bytes(16 * MIB);
/** Compacted objects of one hour and signal in a listing: far more than a manifest can name, and attempts may leave. */
export const HOUR_MAX_COMPACTED_KEYS = 10_000;
/** Hour objects are fetched in chunks of whole members: of this size where one is read at a time, 16 MB of raw OTLP. */
export const HOUR_CHUNK_MAX_BYTES: Bytes = bytes(2 * MIB);
/** However many are read side by side, smaller chunks would cost more calls than they save memory. */
export const HOUR_CHUNK_MIN_BYTES: Bytes = bytes(256 * KIB);
/** Chunks of all hour objects that are read side by side, each holding two: a fifth of the isolate. */
export const HOUR_CHUNKS_MAX_BYTES: Bytes = bytes(24 * MIB);
/** Outputs that a read asks for before the manifest: with it, or the listing, they take five of six connections. */
export const EARLY_MAX_OUTPUTS = 4;
/** A member table that is longer, some 7,000 members, is not held before the manifest says that it counts. */
export const EARLY_TABLE_MAX_BYTES: Bytes = MIB;
/** Objects in one answer of `GET /archive`, 250 bytes of JSON each; of every signal of an hour as many are held. */
export const ARCHIVE_PAGE_MAX = 5_000;
export const ARCHIVE_PAGE_DEFAULT = 1_000;
/** An answer of `GET /archive` looks at no further hour after this many store calls: they take some 10 s. */
export const ARCHIVE_PAGE_MAX_CALLS = 300;
/** An hour that is compacted again and again while it is looked at is given up; each time takes a listing. */
export const ARCHIVE_HOUR_MAX_LOOKS = 4;
/** A store lists at most this many keys a page. */
export const LIST_PAGE_KEYS = 1000;
/** Pages in a row without an object: stores give a few where much was deleted, and one that gives more never ends. */
export const LIST_MAX_EMPTY_PAGES = 1000;
/**
 * Parts of a multipart upload but the last are at least this large: S3 and R2.
 * https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
export const MULTIPART_PART_MIN_BYTES: Bytes = bytes(5 * MIB);
/** Parts of one multipart upload, the same at S3 and R2; Azure takes 50,000 blocks. */
export const MULTIPART_MAX_PARTS = 10_000;
/** Fields of a stream that are named at once, 200 bytes each: there may be one every two bytes of a piece of 4 MiB. */
export const TOP_LEVEL_FIELDS_AT_ONCE = 16_384;
/** Size of the pieces in which bodies are read, objects are inflated and responses are written. */
export const STREAM_PIECE_BYTES: Bytes = bytes(64 * KIB);
/** Runs of an answer are gathered to this: each write leaves 2 KiB behind that are collected late. */
export const REPLAY_PIECE_BYTES: Bytes = bytes(2 * MIB);
/** A run of this length is written from where it is: copying it would cost more than a write. */
export const REPLAY_RUN_UNCOPIED_BYTES: Bytes = bytes(1.5 * MIB);
/** Pieces that hold no memory of their own: each leaves a KiB behind that is collected late, of gigabytes an hour. */
export const PASSING_PIECE_BYTES: Bytes = bytes(MIB);
/**
 * A read of such a piece waits for so much of it: networks give 4 to 64 KiB at a time. A store that is slower than 17
 * KiB a second counts as one that gives nothing within `STORE_CALL_TIMEOUT`; a shorter timeout waits for less.
 */
export const PASSING_MIN_BYTES: Bytes = bytes(512 * KIB);
/** The most that Azure takes in one Put Blob. https://learn.microsoft.com/rest/api/storageservices/put-blob#remarks */
export const AZURE_PUT_MAX_BYTES: Bytes = bytes(5000 * MIB);
/**
 * Azure refuses a signature whose time is more than 15 minutes from its own; a minute less, since its answer names the
 * time to a second and later than it looked.
 */
export const AZURE_CLOCK_SKEW_MIN: Millis = millis(14 * 60_000);
/** Blobs that one `delete()` deletes at a time: two of the six connections are left to others. */
export const AZURE_DELETE_CONCURRENCY = 4;
/** Pages read and dropped before a key where the service cannot start there: 200,000 keys, some 30 s of listing. */
export const AZURE_SKIP_MAX_PAGES = 200;

/** Unfinished multipart uploads end after this, where a bucket's rules can say so: no upload of Firn takes a day. */
export const ABORT_UPLOADS_AFTER_DAYS = 3;
/** The doctor waits for one step of a probe no longer: a store that takes this long for 1 KiB is not well. */
export const DOCTOR_STEP_TIMEOUT: Millis = millis(20_000);
/** A probe starts no further step after this; what is left is reported as skipped, and cleaning up is tried still. */
export const DOCTOR_PROBE_MAX: Millis = millis(90_000);
/** The clock of a store is looked at this long. */
export const DOCTOR_CLOCK_TIMEOUT: Millis = millis(5_000);
/** Stores refuse signatures whose time is off by 15 minutes: the doctor speaks up well before. */
export const DOCTOR_CLOCK_SKEW_WARN: Millis = millis(60_000);
/** A shared access signature that ends within this is worth a warning. */
export const DOCTOR_SAS_EXPIRY_WARN: Millis = millis(14 * 86_400_000);

/** A call of a Compactor's work ends at the first step after this time; its caller waits that long (protocol 3.5). */
export const COMPACT_WORK_TIME: Millis = millis(20_000);
/** Tasks of one call: the clock of an isolate stands still without I/O, so that time alone would not end it. */
export const COMPACT_MAX_TASKS = 1_000;
/** Raw bytes that one step of compaction takes: about a second of CPU, what a crash repeats. */
export const COMPACT_STEP_RAW_BYTES: Bytes = bytes(64 * MIB);
/** A run takes at most so many objects, and so much raw as can be guessed; another follows it (protocol 5.7). */
export const COMPACT_RUN_MAX_SOURCES = 2_000;
export const COMPACT_RUN_MAX_RAW_BYTES: Bytes = bytes(2048 * MIB);
/** Raw bytes per stored byte of a source, as a guess; requests of SDKs compress to a tenth. */
export const COMPACT_RATIO_GUESS = 10;
/** Parts of an output, all of one size; the last one is kept as rows between two steps. */
export const COMPACT_PART_BYTES: Bytes = bytes(8 * MIB);
/** Raw bytes of a member of an output (protocol 5.4), and what is gathered before items are put in order. */
export const COMPACT_MEMBER_RAW_BYTES: Bytes = bytes(4 * MIB);
export const COMPACT_GATHER_BYTES: Bytes = bytes(8 * MIB);
/** Failures in a row after which an hour no longer holds up others (protocol 3.5); it is tried again each hour. */
export const COMPACT_SET_ASIDE_ATTEMPTS = 8;
export const COMPACT_SET_ASIDE_WAIT: Millis = millis(3_600_000);
/** Back-off of an hour that failed: doubles from the first to the last value, with jitter. */
export const COMPACT_BACKOFF_MIN: Millis = millis(1_000);
export const COMPACT_BACKOFF_MAX: Millis = millis(60_000);
/** A shard that cannot be asked holds an hour up so long after its end; then its objects come late (protocol 5.1). */
export const COMPACT_CLOSE_MAX_DELAY: Millis = millis(6 * 3_600_000);
/** Hours that the cron looks at (protocol 5.9). */
export const COMPACT_RECENT_HOURS = 48;
/** Small outputs of an hour above this are rewritten into one generation (protocol 5.8). */
export const COMPACT_MAX_LATE_OUTPUTS = 8;
/** Outputs of an hour from which on they grow: each takes about 1 KiB of a manifest's 256, and none may be left out. */
export const COMPACT_PLAIN_OUTPUTS = 64;
/** After each so many more they grow by the factor, up to the longest that can be asked for. */
export const COMPACT_GROWTH_OUTPUTS = 32;
export const COMPACT_GROWTH_FACTOR = 4;
export const COMPACT_OUTPUT_MAX_BYTES: Bytes = bytes(1024 * MIB);
/** Retired outputs that a manifest names: half of its room, for an hour that gets late objects long after its end. */
export const MANIFEST_MAX_RETIRED = 128;
/** Unreadable objects that a manifest names; each takes up to 1.5 KB of its 256 KiB. */
export const COMPACT_MAX_UNREADABLE = 60;
/** Length of the reason why an object is unreadable. */
export const COMPACT_REASON_MAX_CHARS = 300;
/** Hours whose generations are proven before one call deletes what they replaced: some 100 store calls. */
export const TRASH_MAX_HOURS = 16;
/** Keys that the contract of stores deletes in one call. */
export const DELETE_MAX_KEYS = 1000;
/** Sources opened ahead of the one that is being merged: connections are six, one of them sends parts. */
export const COMPACT_FETCH_AHEAD = 2;
/** Bytes of foreign keys in the head of a manifest; more go into parts. */
export const COMPACT_INLINE_FOREIGN_BYTES: Bytes = bytes(64 * KIB);
/** Characters of the service names of one output; an output with more names none. */
export const COMPACT_SERVICES_MAX_CHARS = 16_384;
/** Stretches of hours that wait to be walked through; a further order is refused. */
export const COMPACT_MAX_SCANS = 16;

/** Findings that a scrub describes; more are only counted, so that its answer stays readable. */
export const VERIFY_MAX_FINDINGS = 1000;
/** Calls of the store after which a scrub ends itself before the next hour: an invocation has 10,000. */
export const VERIFY_MAX_STORE_CALLS = 8_000;
/** Fresh objects that a scrub reads at once: each takes a connection, of which an invocation has six. */
export const VERIFY_READERS = 4;
/** Looks at an hour that changes under the scrub; after that what was found last is told. */
export const VERIFY_HOUR_MAX_LOOKS = 4;
/** Deletions may be so late before they are missed: a Compactor's longest wait after a failure is an hour. */
export const VERIFY_DELETE_SLACK: Millis = millis(2 * 3_600_000);
/** The longest member that is read: one item of `MAX_TOP_LEVEL_FIELD_BYTES` that does not compress, and more. */
export const VERIFY_MEMBER_MAX_BYTES: Bytes = bytes(48 * MIB);
/** Members that a trace index can number; a larger output has none. */
export const TRACE_INDEX_MAX_MEMBERS = 65_536;
/** Entries of a trace index: hashes and file take 20 MB of memory for a moment, and a larger index is not made. */
export const TRACE_INDEX_MAX_ENTRIES = 2_000_000;
/** Bytes of that many, with what stands around them. */
export const TRACE_INDEX_MAX_BYTES: Bytes = bytes(16 * MIB);
/** Trace indexes of an hour: each takes half a KiB of the manifest's 256; outputs beyond them have none. */
export const MANIFEST_MAX_INDEXES = 96;
/** Hours that a read with hints looks at beside each other: of six connections two are left to bodies. */
export const READ_HOURS_AHEAD = 4;
/** Compacted hours of a page for which a look-up lists indexes: a listing saves a call in each that lacks the trace. */
export const READ_INDEXED_HOURS_MIN = 3;
