/**
 * Valid bodies to begin with: the telemetry corpus cut small, what the official SDK sends, and some by hand for what
 * neither has. A mutation of a small body hits its structure as often as its texts.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { isSignal, type ItemSignal, type Signal } from "../../src/signal.ts";
import { listDataSets, readBodies, readExamples } from "../corpus.ts";
import { runShop } from "../demo/shop.ts";
import { startTelemetry } from "../demo/telemetry.ts";
import { decodeProtobuf, requestType } from "../otlp-protobuf.ts";
import { HAND_MADE } from "./hand-made.ts";

/** A body that a client might send. */
export interface SeedBody {
  readonly signal: Signal;
  readonly encoding: "protobuf" | "json";
  readonly body: Uint8Array;
}

const MAX_BYTES = 4000;
/** Requests that are taken of each data set. */
const BODIES_PER_SET = 6;
const SDK_ORDERS = 3;

/** Gathers the seeds, in an order that never changes. */
export async function gatherSeeds(): Promise<readonly SeedBody[]> {
  const corpus = listDataSets().flatMap(({ name, signal }) =>
    readBodies(name)
      .slice(0, BODIES_PER_SET)
      .flatMap((body) => toTwins(signal, shrinkRequest(signal, body))),
  );
  const examples = readExamples().flatMap(({ signal, body, document }): SeedBody[] => [
    { signal, encoding: "protobuf", body },
    { signal, encoding: "json", body: document },
  ]);
  const captured = [...(await captureSdk("protobuf")), ...(await captureSdk("json"))];
  const small = [...corpus, ...examples, ...captured].filter(({ body }) => body.length > 0 && body.length <= MAX_BYTES);
  return [...small, ...HAND_MADE.flatMap(encodeByHand)];
}

/** Keeps a few items of a request. */
export function shrinkRequest(signal: ItemSignal, body: Uint8Array): Uint8Array {
  const type = requestType(signal);
  const request = type.toObject(type.decode(body));
  for (const resource of Object.values(cutLists(request, 1)).flat())
    for (const scope of Object.values(cutLists(resource as object, 2)).flat()) cutLists(scope as object, 3);
  return Uint8Array.from(type.encode(type.fromObject(request)).finish());
}

/** Shortens the lists of a message and returns it. */
function cutLists(message: object, length: number): object {
  for (const [name, value] of Object.entries(message))
    if (Array.isArray(value)) Object.assign(message, { [name]: value.slice(0, length) });
  return message;
}

function toTwins(signal: ItemSignal, body: Uint8Array): readonly SeedBody[] {
  const document = new TextEncoder().encode(JSON.stringify(decodeProtobuf(signal, body)));
  return [
    { signal, encoding: "protobuf", body },
    { signal, encoding: "json", body: document },
  ];
}

/** A request by hand is written as JSON; its protobuf is made by protobufjs from the same fields. */
function encodeByHand({ signal, json, proto }: (typeof HAND_MADE)[number]): readonly SeedBody[] {
  const type = requestType(signal);
  return [
    { signal, encoding: "json", body: new TextEncoder().encode(JSON.stringify(json)) },
    { signal, encoding: "protobuf", body: Uint8Array.from(type.encode(type.fromObject(proto)).finish()) },
  ];
}

/** What the SDK's exporters send for an ordinary program, caught by a server that says yes. */
async function captureSdk(encoding: "protobuf" | "json"): Promise<readonly SeedBody[]> {
  const seeds: SeedBody[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const signal = request.url?.slice("/v1/".length) ?? "";
    const body = Uint8Array.from(await buffer(request));
    if (isSignal(signal)) seeds.push({ signal, encoding, body });
    response.writeHead(200, { "content-type": request.headers["content-type"] ?? "" });
    response.end(encoding === "json" ? "{}" : "");
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const telemetry = startTelemetry({
    url: `http://127.0.0.1:${port}`,
    encoding,
    compression: "none",
    serviceName: "shop",
  });
  await runShop(telemetry, SDK_ORDERS);
  await telemetry.flush();
  await telemetry.shutdown();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return seeds.toSorted((a, b) => a.signal.localeCompare(b.signal));
}
