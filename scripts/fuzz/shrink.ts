/** Makes a body that shows a fault smaller, while it still shows it. */

/** Each costs a request. */
const MAX_TRIES = 300;

/** Leaves out ever smaller pieces. @param isSame - whether a body still shows the fault */
export async function shrink(body: Uint8Array, isSame: (body: Uint8Array) => Promise<boolean>): Promise<Uint8Array> {
  let smallest = body;
  let tries = 0;
  for (let size = Math.ceil(body.length / 2); size >= 1 && tries < MAX_TRIES; size = Math.floor(size / 2)) {
    for (let start = 0; start < smallest.length && tries < MAX_TRIES;) {
      const candidate = Buffer.concat([smallest.subarray(0, start), smallest.subarray(start + size)]);
      tries += 1;
      if (await isSame(candidate)) smallest = candidate;
      else start += size;
    }
  }
  return smallest;
}
