/** Real stores on loopback that the tests of `object-store/` run against; `global-setup.ts` starts them once a run. */
/** A server that speaks S3 and verifies signatures, with a bucket made. */
export interface S3Server {
  /** Scheme, host, port and path, without a slash at its end; path style. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An emulator of Azure Blob Storage that verifies signatures, with a container made. */
export interface AzureServer {
  /** With the account in its path, without a slash at its end. */
  readonly endpoint: string;
  readonly account: string;
  /** Base64, as Azure gives it. */
  readonly accountKey: string;
  readonly container: string;
}

/** What `inject("servers")` gives to a test, in workerd too. */
export interface StoreServers {
  /** https://github.com/versity/versitygw on a directory; `null` where no Go is there to build it. */
  readonly versitygw: S3Server | null;
  /** The S3 endpoint of wrangler's R2 simulator. */
  readonly r2Simulator: S3Server;
  readonly azurite: AzureServer;
  /** Only with `FIRN_STORES=all`, which `npm run test:stores` sets, and where they can be had. */
  readonly minio: S3Server | null;
  readonly cephRgw: S3Server | null;
}

/** A running server and the way to end it. */
export interface Started<T> {
  readonly server: T;
  readonly stop: () => Promise<void>;
}

declare module "vitest" {
  interface ProvidedContext {
    servers: StoreServers;
  }
}
