/** Reads a streamed member into memory, exactly as long as its head says, and within a deadline. */
import { MEMBER_STREAM_TIMEOUT } from "../limits.ts";

/**
 * Reads all of a stream.
 * @param stream - the member, which was admitted before
 * @param length - the bytes that its head announced
 * @throws RangeError when it is longer or shorter; whatever the stream fails with; an Error after the deadline
 */
export async function readMember(stream: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
  const member = new Uint8Array(length);
  const reader = stream.getReader();
  const deadline = setTimeout(() => {
    // The read below then ends early and fails on the length.
    void reader.cancel(new Error("Cannot read the member: it stopped arriving")).catch(() => undefined);
  }, MEMBER_STREAM_TIMEOUT);
  let offset = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (offset + value.byteLength > length) throw new RangeError(`Cannot read the member: more than ${length} bytes`);
      member.set(value, offset);
      offset += value.byteLength;
    }
  } finally {
    clearTimeout(deadline);
    reader.releaseLock();
  }
  if (offset !== length) throw new RangeError(`Cannot read the member: ${offset} bytes, expected ${length}`);
  return member;
}
