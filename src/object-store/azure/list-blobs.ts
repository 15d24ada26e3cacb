/**
 * A listing of blobs. Azure sorts by UTF-16 units, which is UTF-8's order unless a key has characters from U+E000 on
 * beside such above U+FFFF; Firn's own keys are ASCII.
 *
 * To start after a key costs one call since version 2026-02-06 of the service (`startFrom`). An older service, such as
 * an emulator of before August 2026, ignores the parameter or refuses the version: what lies ahead of the key is then
 * read and dropped, a call for every 1,000 keys. https://learn.microsoft.com/rest/api/storageservices/list-blobs
 */
import { FirnError } from "../../errors.ts";
import { AZURE_SKIP_MAX_PAGES, LIST_PAGE_KEYS, STORE_ANSWER_MAX_BYTES } from "../../limits.ts";
import { assertCursorMoves, assertListable } from "../bounds.ts";
import type { ListPage, ListRequest } from "../contract.ts";
import { readText } from "../http/answer-body.ts";
import type { AzureAnswer, AzureClient, AzureRequest } from "./azure-client.ts";
import { parseBlobPage, type BlobPage } from "./list-xml.ts";

/** The first version that knows `startFrom`, which includes the key that it names. */
const START_FROM_VERSION = "2026-02-06";

/**
 * Where a page begins. A cursor is one as text: `m` and Azure's marker; `k` and the key before; `s`, the length of the
 * key that the listing started from, a space, that key and the marker: Azure's clients send both on every page.
 */
type Position =
  | { readonly kind: "first" }
  | { readonly kind: "marker"; readonly marker: string; readonly startFrom?: string }
  | { readonly kind: "after"; readonly key: string };

/** What is learnt of the service while it is asked. */
interface Service {
  takesStartFrom: boolean;
}

interface PageRequest {
  readonly request: ListRequest;
  readonly marker: string | undefined;
  readonly startFrom?: string | undefined;
  readonly maxResults: number;
}

/** Opens a listing that remembers what the service can. */
export function openBlobListing(client: AzureClient): (request: ListRequest) => Promise<ListPage> {
  const service: Service = { takesStartFrom: true };
  return async (request) => {
    assertListable(request);
    const position = parsePosition(request);
    const page =
      position.kind === "after"
        ? await seek(client, service, { request, after: position.key })
        : await listFrom(client, request, position);
    assertCursorMoves(request, page.cursor);
    return page;
  };
}

function parsePosition({ prefix, cursor, startAfter }: ListRequest): Position {
  if (cursor === undefined) return startAfter === undefined ? { kind: "first" } : { kind: "after", key: startAfter };
  const rest = cursor.slice(1);
  if (cursor.startsWith("m")) return { kind: "marker", marker: rest };
  if (cursor.startsWith("k")) return { kind: "after", key: rest };
  const [head, length] = /^s(\d{1,4}) /.exec(cursor) ?? [];
  if (head !== undefined) {
    const end = head.length + Number(length);
    return { kind: "marker", startFrom: cursor.slice(head.length, end), marker: cursor.slice(end) };
  }
  throw new RangeError(`Cannot list "${prefix}" in Azure: the cursor is not one of this store`);
}

function formatCursor(marker: string, startFrom: string | undefined): string {
  return startFrom === undefined ? `m${marker}` : `s${startFrom.length} ${startFrom}${marker}`;
}

async function listFrom(
  client: AzureClient,
  request: ListRequest,
  position: Exclude<Position, { readonly kind: "after" }>,
): Promise<ListPage> {
  const { limit = LIST_PAGE_KEYS, delimiter } = request;
  const { marker, startFrom } = position.kind === "marker" ? position : { marker: undefined, startFrom: undefined };
  const page = await askPage(client, { request, marker, startFrom, maxResults: limit });
  return {
    objects: page.objects,
    ...(delimiter === undefined ? {} : { prefixes: page.prefixes }),
    ...(page.nextMarker === null ? {} : { cursor: formatCursor(page.nextMarker, startFrom) }),
  };
}

/** Lists what sorts after a key. Whatever the service makes of `startFrom`, what is not after the key is dropped. */
async function seek(
  client: AzureClient,
  service: Service,
  { request, after }: { readonly request: ListRequest; readonly after: string },
): Promise<ListPage> {
  const { limit = LIST_PAGE_KEYS, prefix } = request;
  let marker: string | undefined;
  for (let pages = 0; pages < AZURE_SKIP_MAX_PAGES; pages++) {
    const page: BlobPage = await askAfter(client, service, { request, after, marker });
    const objects = page.objects.filter(({ key }) => key > after);
    const last = objects[limit - 1];
    if (last !== undefined && objects.length > limit) {
      return { objects: objects.slice(0, limit), cursor: `k${last.key}` };
    }
    if (page.nextMarker === null) return { objects };
    const startFrom = service.takesStartFrom ? after : undefined;
    if (objects.length > 0) return { objects, cursor: formatCursor(page.nextMarker, startFrom) };
    if (page.nextMarker === marker) {
      throw new FirnError("store_unavailable", `Cannot list "${prefix}" in Azure: it gave the same marker twice`);
    }
    marker = page.nextMarker;
  }
  const found = `more than ${AZURE_SKIP_MAX_PAGES} pages lie ahead of a key that the service cannot start from`;
  throw new FirnError(
    "store_refused",
    `Cannot list "${prefix}" in Azure: ${found}, expected one of version ${START_FROM_VERSION}`,
  );
}

async function askAfter(
  client: AzureClient,
  service: Service,
  {
    request,
    after,
    marker,
  }: { readonly request: ListRequest; readonly after: string; readonly marker: string | undefined },
): Promise<BlobPage> {
  if (service.takesStartFrom) {
    // One more than wanted, since the key itself may be the first.
    const maxResults = (request.limit ?? LIST_PAGE_KEYS) + 1;
    const asked = formatListing({ request, marker, startFrom: after, maxResults });
    const answer = await client.ask(asked);
    if (answer.kind === "answered" || answer.failure.code !== "InvalidHeaderValue") {
      return readPage(client, asked.failure, answer);
    }
    service.takesStartFrom = false;
  }
  return askPage(client, { request, marker, maxResults: LIST_PAGE_KEYS });
}

async function askPage(client: AzureClient, wanted: PageRequest): Promise<BlobPage> {
  const asked = formatListing(wanted);
  return readPage(client, asked.failure, await client.ask(asked));
}

function formatListing({ request, marker, startFrom, maxResults }: PageRequest): AzureRequest {
  const { prefix, delimiter } = request;
  return {
    method: "GET",
    failure: `Cannot list "${prefix}" in Azure`,
    query: {
      restype: "container",
      comp: "list",
      maxresults: String(maxResults),
      prefix: prefix === "" ? undefined : prefix,
      delimiter,
      marker,
      startFrom,
    },
    headers: startFrom === undefined ? {} : { "x-ms-version": START_FROM_VERSION },
    expects: 200,
  };
}

async function readPage(client: AzureClient, failure: string, answer: AzureAnswer): Promise<BlobPage> {
  if (answer.kind === "failed") throw client.toError(failure, answer.failure);
  const text = await readText(answer.response, STORE_ANSWER_MAX_BYTES, failure, client.timeouts.call);
  const page = text === null ? null : parseBlobPage(text);
  if (page === null) throw new FirnError("store_unavailable", `${failure}: the answer is not a listing`);
  if (!page.hasDirectory) return page;
  const found = "the account has a hierarchical namespace, which lists directories, and in another order";
  throw new FirnError("store_refused", `${failure}: ${found}; use an account without one`);
}
