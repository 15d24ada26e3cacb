/**
 * The part of workerd's storage types that the code under test names: Node's tests are compiled without the worker's
 * own types, whose globals are not there at run time.
 */
type SqlStorageValue = ArrayBuffer | string | number | null;

interface SqlStorageCursor<Row> {
  toArray(): Row[];
  one(): Row;
  readonly rowsWritten: number;
}

interface SqlStorage {
  exec<Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]): SqlStorageCursor<Row>;
}

declare class FixedLengthStream {
  constructor(length: number);
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

declare module "crypto" {
  export namespace webcrypto {
    export interface Crypto {
      readonly DigestStream: new (algorithm: string) => WritableStream<Uint8Array> & {
        readonly digest: Promise<ArrayBuffer>;
      };
    }
  }
}
