/**
 * Sees the whole bucket after each effect and says what must not be. Knows manifests as JSON and items as names in
 * bytes that are not compressed, and shares nothing with the code that decides what is named and what may go.
 */
import type { MemoryObject } from "../../../../src/object-store/memory/memory-objects.ts";
import { namesIn, type Bucket } from "../../../compaction/bucket.ts";
import type { Effect } from "./sim-store.ts";

/** Who did it, as far as it matters. */
export interface Actor {
  /** The latest that its own clock has shown. */
  readonly now: number;
  /** Whether a row said, durably, that the key would be written. */
  readonly hasIntent: (key: string) => boolean;
}

/** Watches a bucket. */
export interface Checker {
  /** Remembers what a fresh object holds while it is there. */
  addSource(key: string): void;
  /** @throws Error that says what is wrong */
  afterEffect(actor: Actor, effect: Effect): void;
}

interface Document {
  readonly generation: number;
  readonly created: string;
  readonly outputs: readonly { readonly key: string; readonly size_bytes: number; readonly members: { key: string } }[];
  readonly indexes: readonly { readonly key: string }[];
}

/** A manifest that stands in the bucket, or a claim. */
interface Seen {
  readonly key: string;
  readonly document: Document;
  readonly names: ReadonlySet<string>;
  readonly createdAt: number;
}

const MANIFEST = /^(.*\/_firn\/manifests\/.*\/)\d{8}(?:-[0-9a-f]{16}\.json|\.claim)$/;
const FRESH = /Z-f[^/]*$/;
const COMPACTED = /Z-c[^/]*$/;

/**
 * Opens a checker.
 * @param grace milliseconds; `null` where sources go at once
 * @param onRewrite told of each generation that leaves out an output of the one before
 */
export function openChecker(bucket: Bucket, grace: number | null, onRewrite: () => void): Checker {
  const { objects } = bucket.store;
  /** By folder, in the order in which they came. */
  const chains = new Map<string, Seen[]>();
  const freshNames = new Map<string, readonly string[]>();
  const seen = new Set<string>();

  /** Names of all outputs, each once. */
  function readOutputs(key: string, { outputs, indexes }: Document): ReadonlySet<string> {
    const names = new Set<string>();
    if (!indexes.every((index) => objects.has(index.key))) throw new Error(`"${key}" names an index that is not there`);
    for (const output of outputs) {
      const object = objects.get(output.key);
      if (object === undefined) throw new Error(`"${key}" names "${output.key}", which does not stand there`);
      if (object.bytes.length !== output.size_bytes)
        throw new Error(`"${key}" names "${output.key}" in another length`);
      if (!objects.has(output.members.key)) throw new Error(`"${key}" names an output without its member table`);
      for (const name of namesOf(object)) {
        if (names.has(name)) throw new Error(`"${key}" holds ${name} twice`);
        names.add(name);
      }
    }
    return names;
  }

  function addManifest(key: string, folder: string): void {
    const object = objects.get(key);
    if (object === undefined || seen.has(key)) return;
    seen.add(key);
    const document: Document = JSON.parse(new TextDecoder().decode(object.bytes));
    const chain = chains.get(folder) ?? [];
    const before = chain.findLast((each) => each.document.generation === document.generation - 1);
    if (document.generation > 1 && before === undefined) throw new Error(`"${key}" has no generation before it`);
    const names = readOutputs(key, document);
    for (const name of before?.names ?? []) {
      if (!names.has(name)) throw new Error(`"${key}" forgets ${name}, which the generation before holds`);
    }
    const kept = new Set(document.outputs.map((output) => output.key));
    if (before?.document.outputs.some((output) => !kept.has(output.key)) === true) onRewrite();
    const twin = chain.find((each) => each.document.generation === document.generation);
    if (twin !== undefined && twin.names.symmetricDifference(names).size > 0) {
      throw new Error(`"${key}" is another truth than "${twin.key}"`);
    }
    chains.set(folder, [...chain, { key, document, names, createdAt: Date.parse(document.created) }]);
  }

  /** A source may go once a manifest that stands in the bucket holds its items, and the grace of that one is over. */
  function checkSource(key: string, now: number): void {
    const names = freshNames.get(key) ?? [];
    const published = [...chains.values()].flat().filter((each) => each.key.endsWith(".json"));
    const holders = published.filter((each) => names.every((name) => each.names.has(name)));
    if (names.length === 0) return;
    const [first] = holders.toSorted((one, other) => one.createdAt - other.createdAt);
    if (first === undefined) throw new Error(`source "${key}" is deleted, and no manifest holds ${names.join(" ")}`);
    if (grace !== null && first.createdAt + grace > now)
      throw new Error(`source "${key}" is deleted before the grace of "${first.key}"`);
  }

  /** What the newest manifest of a chain names must stay, and what a claim names that is to become it. */
  function checkOutput(key: string): void {
    for (const chain of chains.values()) {
      const newest = [chain.at(-1), chain.findLast((each) => each.key.endsWith(".json"))];
      for (const each of newest) {
        const { outputs = [], indexes = [] } = each?.document ?? {};
        const named = [...outputs, ...outputs.map(({ members }) => members), ...indexes];
        if (named.some((file) => file.key === key)) throw new Error(`"${key}" is deleted, which "${each?.key}" names`);
      }
    }
  }

  function checkDelete(keys: readonly string[], now: number): void {
    for (const key of keys) {
      if (FRESH.test(key)) checkSource(key, now);
      else checkOutput(key);
    }
  }

  return {
    addSource: (key) => freshNames.set(key, namesOf(objects.get(key))),
    afterEffect: ({ now, hasIntent }, { call, keys }) => {
      const [key = ""] = keys;
      if (call === "delete") checkDelete(keys, now);
      if (call === "put") {
        const folder = MANIFEST.exec(key)?.[1];
        if (folder !== undefined) addManifest(key, folder);
      }
      const isWriting = call === "createMultipart" || call === "putPart" || call === "completeMultipart";
      if (isWriting && COMPACTED.test(key) && !hasIntent(key)) throw new Error(`"${key}" is written before its intent`);
    },
  };
}

function namesOf(object: MemoryObject | undefined): readonly string[] {
  return object === undefined ? [] : namesIn(object.bytes);
}
