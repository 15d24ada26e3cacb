import { inject } from "vitest";
import { openS3Store } from "../../../../src/object-store/s3/s3-store.ts";
import { describeObjectStore, type Differences } from "../../../conformance/object-store.ts";
import { configOf } from "../s3-kit.ts";

const { versitygw, r2Simulator, minio, cephRgw } = inject("servers");
const now = (): number => Date.now();

/** `fetch` takes `.` and `..` for steps in a path, also percent-encoded: openS3Store() refuses such keys. */
const DOTTED = "a URL cannot name a key with a segment . or ..";

if (versitygw !== null) {
  const leavesOut = {
    "takes keys of dotted segments": DOTTED,
    "takes keys of empty segments": "versitygw keeps objects as files, and has no file without a name",
    "takes keys of control characters": "versitygw does not know encoding-type, and XML has no such characters",
  };

  describeObjectStore("openS3Store() on versitygw", () => openS3Store(configOf(versitygw), { now }), { leavesOut });

  // A real store asked as the most modest ones are: no conditions, one delete a key, no checksum.
  describeObjectStore(
    'openS3Store() on versitygw with dialect "gcs"',
    () => openS3Store(configOf(versitygw, { dialect: "gcs" }), { now }),
    {
      leavesOut: {
        ...leavesOut,
        "lets one of several writers of a key win": "without a condition all of them may win",
      },
    },
  );
}

describeObjectStore(
  "openS3Store() on the R2 simulator",
  () => openS3Store(configOf(r2Simulator, { dialect: "r2" }), { now }),
  {
    leavesOut: {
      "takes keys of dotted segments": DOTTED,
      "takes keys of control characters": "the simulator's router does not match a line feed",
    },
  },
);

const MINIO: Differences = {
  leavesOut: {
    "takes keys of dotted segments": DOTTED,
    "takes keys of empty segments": "MinIO keeps objects as files",
  },
};
if (minio !== null) {
  describeObjectStore(
    "openS3Store() on MinIO",
    () => openS3Store(configOf(minio, { dialect: "minio" }), { now }),
    MINIO,
  );
}

const CEPH: Differences = {
  leavesOut: {
    "takes keys of dotted segments": DOTTED,
    "takes no part of an aborted upload and does not complete it": "RGW 16.2 answers 500 to the completion",
  },
};
if (cephRgw !== null) {
  describeObjectStore(
    "openS3Store() on Ceph",
    () => openS3Store(configOf(cephRgw, { dialect: "ceph" }), { now }),
    CEPH,
  );
}
