/**
 * A keep-alive HTTP/1.1 connection over a bare socket: one request at a time, each with a time limit. It costs little,
 * because it shares the machine with the server, and it sends what HTTP libraries refuse to send.
 */
import { connect, type Socket } from "node:net";

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** What the connection is to send. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Without `Host`, `Content-Length` and `Transfer-Encoding`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly framing: "length" | "chunked";
}

/** A connection that is made when it is needed, and made again when the server has closed it. */
export interface Connection {
  /** Sends a request and waits for its answer. @throws Error when none comes in time or the connection breaks */
  send(request: HttpRequest): Promise<Answer>;
  close(): void;
}

const HEAD_END = "\r\n\r\n";
/** A chunked body goes out in this many pieces. */
const CHUNKS = 3;

/** Opens a connection to a port of 127.0.0.1. @param timeoutMillis - for one request, from its first byte */
export function openConnection(port: number, timeoutMillis: number): Connection {
  let socket: Socket | null = null;
  let arrived: Buffer = Buffer.alloc(0);
  let onEvent: (failure: string | null) => void = ignore;

  const open = (): Socket => {
    const opened = connect({ host: "127.0.0.1", port });
    arrived = Buffer.alloc(0);
    opened.setNoDelay(true);
    // What a socket has to say after it was let go of is not about the next one.
    const tell = (failure: string | null): void => {
      if (socket === opened) onEvent(failure);
    };
    opened.on("data", (piece) => {
      if (socket === opened) arrived = arrived.length === 0 ? piece : Buffer.concat([arrived, piece]);
      tell(null);
    });
    opened.on("error", (error) => tell(error.message));
    opened.on("close", () => {
      tell("the server closed the connection");
      if (socket === opened) socket = null;
    });
    return opened;
  };

  const receive = async (): Promise<Answer> =>
    await new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        onEvent = ignore;
        settle();
      };
      const fail = (what: string): void => finish(() => reject(new Error(`Cannot read an answer: ${what}`)));
      const timer = setTimeout(() => {
        socket?.destroy();
        socket = null;
        fail(`none within ${timeoutMillis} ms`);
      }, timeoutMillis);
      onEvent = (failure) => {
        try {
          const answer = parseAnswer(arrived);
          if (answer !== null) finish(() => resolve(answer));
          else if (failure !== null) fail(`${failure}, after ${arrived.length} bytes of it`);
        } catch (error) {
          fail(error instanceof Error ? error.message : String(error));
        }
      };
    });

  return {
    send: async (request) => {
      socket ??= open();
      const used = socket;
      arrived = Buffer.alloc(0);
      const answered = receive();
      used.write(formatRequest(port, request));
      const answer = await answered;
      if (answer.headers.get("connection")?.toLowerCase() === "close") {
        used.destroy();
        socket = null;
      }
      return answer;
    },
    close: () => {
      socket?.destroy();
      socket = null;
    },
  };
}

function ignore(): void {
  // Nobody waits for an answer.
}

function formatRequest(port: number, { method, path, headers, body, framing }: HttpRequest): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  lines.push(framing === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`);
  const head = Buffer.from(`${lines.join("\r\n")}${HEAD_END}`, "latin1");
  return Buffer.concat([head, ...(framing === "chunked" ? toChunks(body) : [body])]);
}

function toChunks(body: Uint8Array): readonly Uint8Array[] {
  const size = Math.max(1, Math.ceil(body.length / CHUNKS));
  const parts: Uint8Array[] = [];
  for (let start = 0; start < body.length; start += size) {
    const piece = body.subarray(start, start + size);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
  }
  return [...parts, Buffer.from("0\r\n\r\n")];
}

/** Parses an answer. @returns `null` when it is not complete yet */
export function parseAnswer(bytes: Buffer): Answer | null {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (!Number.isInteger(status)) throw new Error(`it begins with "${statusLine.slice(0, 80)}"`);
  const rest = bytes.subarray(headEnd + HEAD_END.length);
  // An interim answer stands before the real one.
  if (status < 200) return parseAnswer(rest);
  const headers = new Map(
    lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
    }),
  );
  const body = readBody(rest, headers);
  return body === null ? null : { status, headers, body: Uint8Array.from(body) };
}

function readBody(rest: Buffer, headers: ReadonlyMap<string, string>): Uint8Array | null {
  if (headers.get("transfer-encoding") === "chunked") return readChunks(rest);
  const length = Number(headers.get("content-length") ?? 0);
  return rest.length < length ? null : rest.subarray(0, length);
}

function readChunks(bytes: Buffer): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", position);
    if (lineEnd < 0) return null;
    const length = Number.parseInt(bytes.toString("latin1", position, lineEnd), 16);
    const end = lineEnd + 2 + length + 2;
    if (bytes.length < end) return null;
    if (length === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, end - 2));
    position = end;
  }
}
