/**
 * What is asked of a store to know that it keeps its promises, and with whose rights (platform 5.2, protocol 4.3). The
 * plan is data, `probe.ts` carries it out.
 */
import type { StoreAccess } from "../../config/storage-config.ts";
import type { ObjectStore, PutSource, StoreCall } from "../../object-store/contract.ts";
import type { StepName } from "./document.ts";

/** The stores of a group by their rights; accesses that have no credentials of their own are the same object. */
export type AccessStores = Readonly<Record<StoreAccess, ObjectStore>>;

/** Names a step within a probe. */
export type StepId = `${StoreAccess}.${StepName}`;

/** One step. */
export interface ProbeStep {
  readonly step: StepName;
  readonly access: StoreAccess;
  /** Calls that it makes: what a refusal may be about. */
  readonly calls: readonly StoreCall[];
  /** Without this step's success it would say nothing. */
  readonly after: StepId | null;
  /** Tries it. @returns a sentence about the promise that was broken, or `null`; a store's error is thrown on. */
  readonly run: () => Promise<string | null>;
}

/** Keys that a probe writes, all of which are deleted at its end. */
export interface ProbeKeys {
  readonly object: string;
  readonly digest: string;
  readonly multipart: string;
  readonly aborted: string;
  /** The compactor's own, where it has credentials of its own. */
  readonly compacted: string;
}

/** What the objects of a probe hold, with digests of these bytes and of others. */
export interface ProbeBody {
  readonly bytes: Uint8Array;
  readonly source: PutSource;
  /** The same bytes, under digests that are not theirs. */
  readonly liar: PutSource;
}

const CONTENT_TYPE = "text/plain";
/** Where the range is read: neither at the start nor at the end. */
const RANGE = { offset: 7, length: 21 };

/** Names the keys of a probe, each below `<prefix>_firn/doctor/<id>/`, where nothing of the archive is. */
export function planKeys(prefix: string, id: string): ProbeKeys {
  const folder = `${prefix}_firn/doctor/${id}/`;
  return {
    object: `${folder}object`,
    digest: `${folder}digest`,
    multipart: `${folder}multipart`,
    aborted: `${folder}aborted`,
    compacted: `${folder}compacted`,
  };
}

/** Makes the body of a probe; the id makes it one that no earlier probe left behind. */
export async function makeBody(id: string): Promise<ProbeBody> {
  const encoder = new TextEncoder();
  const bytes = encoder.encode(`Firn's doctor wrote this to see whether it can, and deletes it. ${id}\n`);
  const other = encoder.encode(`Other bytes than those. ${id}\n`);
  return { bytes, source: await sourceOf(bytes, bytes), liar: await sourceOf(bytes, other) };
}

/** A store may enforce either digest: both are given, and both are those of `digested`. */
async function sourceOf(bytes: Uint8Array, digested: Uint8Array): Promise<PutSource> {
  return {
    length: bytes.length,
    sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", digested)),
    md5: new Uint8Array(await crypto.subtle.digest("MD5", digested)),
    contentType: CONTENT_TYPE,
    open: async function* () {
      yield bytes;
    },
  };
}

/** What a plan is made of. */
export interface StepPlan {
  readonly stores: AccessStores;
  readonly keys: ProbeKeys;
  readonly body: ProbeBody;
  /** Says whether an earlier step succeeded. */
  readonly hasDone: (id: StepId) => boolean;
}

/** Plans all steps but the deletion, in the order in which they are tried. */
export function planSteps({ stores, keys, body, hasDone }: StepPlan): readonly ProbeStep[] {
  const { write, read, compact } = stores;
  const reads = (access: StoreAccess, store: ObjectStore): readonly ProbeStep[] => [
    ...readSteps(access, store, keys.object, body),
    listStep(access, store, keys.object, hasDone),
  ];
  const steps = [
    putStep("write", write, keys.object, body),
    headStep("write", write, keys.object, body),
    createOnlyStep(write, keys.object, body),
    digestStep(write, keys.digest, body),
    multipartStep("write", write, keys.multipart, body),
    abortStep("write", write, keys.aborted, body),
    ...reads("read", read),
  ];
  if (compact === write) return steps;
  return [
    ...steps,
    putStep("compact", compact, keys.compacted, body),
    abortStep("compact", compact, keys.aborted, body),
    ...(compact === read ? [] : reads("compact", compact)),
  ];
}

function putStep(access: StoreAccess, store: ObjectStore, key: string, { bytes, source }: ProbeBody): ProbeStep {
  return {
    step: "put",
    access,
    calls: ["put"],
    after: null,
    run: async () => {
      const outcome = await store.put(key, source);
      if (outcome.kind === "exists") return "a key that nobody used before is said to exist";
      return outcome.info.length === bytes.length ? null : "the object that was put has another length";
    },
  };
}

function headStep(access: StoreAccess, store: ObjectStore, key: string, { bytes, source }: ProbeBody): ProbeStep {
  return {
    step: "head",
    access,
    calls: ["head"],
    after: "write.put",
    run: async () => {
      const info = await store.head(key);
      if (info === null) return "the object that was just put is said not to exist";
      if (info.length !== bytes.length) return "the object that was put has another length";
      return info.sha256Hex === source.sha256.toHex() ? null : "the digest that was put with the object is not kept";
    },
  };
}

function createOnlyStep(store: ObjectStore, key: string, { source }: ProbeBody): ProbeStep {
  return {
    step: "create_only",
    access: "write",
    calls: ["put"],
    after: "write.put",
    run: async () => {
      const outcome = await store.put(key, source);
      return outcome.kind === "exists" ? null : "a key that is taken was written again: create-only is not kept";
    },
  };
}

/**
 * The refusal alone would prove little, since a broken connection refuses, too: that the same key takes the right bytes
 * right afterwards shows that the store was there, and had kept nothing.
 */
function digestStep(store: ObjectStore, key: string, { source, liar }: ProbeBody): ProbeStep {
  return {
    step: "digest",
    access: "write",
    calls: ["put"],
    after: "write.put",
    run: async () => {
      const taken = await store.put(key, liar).then(
        () => true,
        () => false,
      );
      if (taken) return "bytes were taken under a digest that is not theirs";
      const outcome = await store.put(key, source);
      return outcome.kind === "stored" ? null : "bytes that were refused for their digest were kept all the same";
    },
  };
}

function multipartStep(access: StoreAccess, store: ObjectStore, key: string, { bytes }: ProbeBody): ProbeStep {
  return {
    step: "multipart",
    access,
    calls: ["createMultipart", "putPart", "completeMultipart"],
    after: null,
    run: async () => {
      const upload = await store.createMultipart(key, CONTENT_TYPE);
      try {
        const part = await store.putPart(upload, 1, bytes);
        const outcome = await store.completeMultipart(upload, [part]);
        if (outcome.kind === "exists") return "a key that nobody used before is said to exist";
        return outcome.info.length === bytes.length ? null : "the object made of one part has another length";
      } catch (error) {
        await store.abortMultipart(upload).catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    },
  };
}

function abortStep(access: StoreAccess, store: ObjectStore, key: string, { bytes }: ProbeBody): ProbeStep {
  return {
    step: "multipart_abort",
    access,
    calls: ["createMultipart", "putPart", "abortMultipart"],
    after: access === "write" ? "write.multipart" : null,
    run: async () => {
      const upload = await store.createMultipart(key, CONTENT_TYPE);
      try {
        await store.putPart(upload, 1, bytes);
      } finally {
        await store.abortMultipart(upload);
      }
      return null;
    },
  };
}

function readSteps(access: StoreAccess, store: ObjectStore, key: string, { bytes }: ProbeBody): readonly ProbeStep[] {
  const part = bytes.subarray(RANGE.offset, RANGE.offset + RANGE.length);
  const place = { access, after: "write.put" } as const;
  return [
    {
      ...place,
      step: "get",
      calls: ["get"],
      run: async () =>
        isSame(await readAll(await store.get(key)), bytes) ? null : "other bytes came back than were put",
    },
    {
      ...place,
      step: "range",
      calls: ["get"],
      run: async () =>
        isSame(await readAll(await store.get(key, { range: RANGE })), part)
          ? null
          : "other bytes came back than the range that was asked for",
    },
  ];
}

/** Whether a reader may list is worth knowing without a writer, too. */
function listStep(access: StoreAccess, store: ObjectStore, key: string, hasDone: (id: StepId) => boolean): ProbeStep {
  return {
    step: "list",
    access,
    calls: ["list"],
    after: null,
    run: async () => {
      const isListed = await lists(store, key);
      if (isListed || !hasDone("write.put")) return null;
      return "a listing does not show the object that was put before it";
    },
  };
}

/** An empty page is not the last one as long as it has a cursor; a prefix of one key needs few. */
const LIST_PAGES_MAX = 10;

async function lists(store: ObjectStore, key: string): Promise<boolean> {
  let cursor: string | undefined;
  for (let page = 0; page < LIST_PAGES_MAX; page++) {
    const answer = await store.list(cursor === undefined ? { prefix: key } : { prefix: key, cursor });
    if (answer.objects.some((object) => object.key === key)) return true;
    if (answer.cursor === undefined) return false;
    ({ cursor } = answer);
  }
  return false;
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function isSame(one: Uint8Array, two: Uint8Array): boolean {
  return one.length === two.length && one.every((byte, index) => byte === two[index]);
}
