/**
 * Which faults the proxy knows, to which calls each applies, and which request meets which: pure, so that a plan can be
 * tested without a server. The kinds are those of spec/reliability.md 5.4, and F-08 to F-14 of its failure model.
 */

/** What a request asks of an S3 server; a listing is a GET without a key. */
export type S3Call = "put" | "get" | "head" | "list" | "delete" | "other";

const ALL: readonly S3Call[] = ["put", "get", "head", "list", "delete", "other"];
const WITH_BODY: readonly S3Call[] = ["put", "other"];
const WITH_ETAG: readonly S3Call[] = ["put", "get", "head"];
const READ: readonly S3Call[] = ["get", "list"];

/** The name of a fault. */
export type FaultKind =
  /** 500 InternalError, nothing done. */
  | "error-500"
  /** 503 SlowDown with a Retry-After of one second, nothing done. */
  | "slow-down"
  /** 503 SlowDown before the body was read, and the end of the connection. */
  | "early-error"
  /** 429 without a body, nothing done. */
  | "too-many-requests"
  /** 502 with HTML, as a gateway writes it; nothing done. */
  | "bad-gateway"
  /** 403 AccessDenied. */
  | "forbidden"
  /** 400 ExpiredToken. */
  | "expired-token"
  /** 403 RequestTimeTooSkewed, and a Date that is an hour ahead. */
  | "clock-skew"
  /** A server whose clock is an hour ahead: takes what was signed by that, refuses what was signed by another. */
  | "shifted-clock"
  /** The connection breaks before anything was forwarded. */
  | "reset-before"
  /** The connection breaks, on both sides, after half of the body. */
  | "reset-during-upload"
  /** Done, and then the connection breaks instead of the answer. */
  | "applied-then-reset"
  /** Done, and then 500. */
  | "applied-then-500"
  /** Done twice; the answer is the second one's. */
  | "applied-twice"
  /** Read, and never answered. */
  | "stall"
  /** The body is not read to its end, and nothing is answered. */
  | "stall-upload"
  /** Done; the answer says 200, and its body never ends. */
  | "endless-reply"
  /** Done; nothing follows the first half of the answer's body, and the connection stays. */
  | "stall-reply"
  /** Done; the answer breaks off before its end, of a HEAD within the headers. */
  | "truncated-reply"
  /** 200 with an `<Error>` document, nothing done. */
  | "error-in-200"
  /** 200 without a body, nothing done. */
  | "empty-200"
  /** 404 NoSuchKey, nothing done. */
  | "not-found"
  /** Done; the answer names another ETag. */
  | "wrong-etag"
  /** Done; the answer names no ETag. */
  | "missing-etag"
  /** Answered late, within any deadline. */
  | "latency"
  /** Answered byte by byte, within any deadline. */
  | "trickle"
  /** Half of the objects are missing from a page, which agrees with itself. */
  | "partial-list"
  /** The page as it was when it was last asked for, or an empty one. */
  | "stale-list"
  /** A page that says that more follow, and not where. */
  | "cut-list"
  /** Every page says that more follow, where the first one began. */
  | "repeated-token"
  /** 412 PreconditionFailed, whatever is there; nothing done. */
  | "precondition-failed"
  /** 409 ConditionalRequestConflict; nothing done. */
  | "conflict"
  /** A byte of the body is another one when it arrives. */
  | "flipped-byte-up"
  /** A byte of the answer's body is another one when it arrives. */
  | "flipped-byte-down";

/** The calls that each kind means anything for. */
export const FAULTS: Readonly<Record<FaultKind, readonly S3Call[]>> = {
  "error-500": ALL,
  "slow-down": ALL,
  "early-error": WITH_BODY,
  "too-many-requests": ALL,
  "bad-gateway": ALL,
  forbidden: ALL,
  "expired-token": ALL,
  "clock-skew": ALL,
  "shifted-clock": ALL,
  "reset-before": ALL,
  "reset-during-upload": WITH_BODY,
  "applied-then-reset": ALL,
  "applied-then-500": ALL,
  "applied-twice": ["put", "delete"],
  stall: ALL,
  "stall-upload": WITH_BODY,
  "endless-reply": ["put", "get", "list"],
  "stall-reply": ["put", "get", "list", "delete", "other"],
  "truncated-reply": ALL,
  "error-in-200": ALL,
  "empty-200": ALL,
  "not-found": ["get", "head"],
  "wrong-etag": WITH_ETAG,
  "missing-etag": WITH_ETAG,
  latency: ALL,
  trickle: ALL,
  "partial-list": ["list"],
  "stale-list": ["list"],
  "cut-list": ["list"],
  "repeated-token": ["list"],
  "precondition-failed": ["put"],
  conflict: ["put"],
  "flipped-byte-up": WITH_BODY,
  "flipped-byte-down": READ,
};

/** Kinds that each cost a time-out of the store. */
export const SLOW_FAULTS: ReadonlySet<FaultKind> = new Set(["stall", "stall-upload", "stall-reply", "endless-reply"]);
/** Every name. */
export const FAULT_KINDS: readonly FaultKind[] = Object.keys(FAULTS) as FaultKind[];

/** A fault, and when it is met. Calls that the kind or the filters exclude are not counted. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly when:
    /** The nth call, from 1, and `times - 1` after it; a call that meets another fault is passed over. */
    | { readonly nth: number; readonly times?: number }
    /** Every so-manieth call. */
    | { readonly every: number }
    /** Each call by chance, from 0 to 1. */
    | { readonly probability: number; readonly seed: number };
  /** Only these calls. */
  readonly calls?: readonly S3Call[];
  /** Only keys, or prefixes of listings, with this text in them. */
  readonly keyPart?: string;
}

/** A planned fault at work. */
export interface ArmedFault {
  readonly plan: PlannedFault;
  /** Calls that it could have met. */
  seen: number;
  /** Calls that it met: the proof that a run tested what it says. */
  fired: number;
}

/** A request as faults see it. */
export interface SeenRequest {
  readonly call: S3Call;
  /** Key, or the prefix of a listing. */
  readonly key: string;
}

/** Makes a plan ready to count. */
export function armFault(plan: PlannedFault): ArmedFault {
  return { plan, seen: 0, fired: 0 };
}

/** Counts a request in every fault that applies to it, and returns the first one that it meets. */
export function meetFault(armed: readonly ArmedFault[], request: SeenRequest): ArmedFault | null {
  let met: ArmedFault | null = null;
  for (const fault of armed) {
    if (!doesApply(fault.plan, request)) continue;
    fault.seen += 1;
    if (met === null && isDue(fault)) met = fault;
  }
  if (met !== null) met.fired += 1;
  return met;
}

/** Names what a request asks for. @param url - path and query, path style: `/bucket/key` */
export function toSeenRequest(method: string, url: string): SeenRequest {
  const { pathname, searchParams } = new URL(url, "http://proxy");
  const key = decodeURIComponent(pathname.split("/").slice(2).join("/"));
  if (method === "GET" && key === "") return { call: "list", key: searchParams.get("prefix") ?? "" };
  const call = method.toLowerCase();
  return { call: call === "put" || call === "get" || call === "head" || call === "delete" ? call : "other", key };
}

function doesApply({ kind, calls, keyPart }: PlannedFault, { call, key }: SeenRequest): boolean {
  return FAULTS[kind].includes(call) && (calls?.includes(call) ?? true) && key.includes(keyPart ?? "");
}

function isDue({ plan: { when }, seen, fired }: ArmedFault): boolean {
  if ("nth" in when) return seen >= when.nth && fired < (when.times ?? 1);
  if ("every" in when) return seen % when.every === 0;
  return toChance(when.seed, seen) < when.probability;
}

/** A number from 0 to 1 for the nth call of a seed: the same in every run, whatever else is armed. */
function toChance(seed: number, nth: number): number {
  let mixed = Math.imul(seed ^ Math.imul(nth, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4_294_967_296;
}
