import { openAzureStore } from "../../../../src/object-store/azure/azure-store.ts";
import { describeObjectStore } from "../../../conformance/object-store.ts";
import { AZURITE_CONFIG, makeSas } from "./azurite.ts";

const leavesOut = {
  "sorts by UTF-8 bytes, whatever the characters": "Azure sorts by UTF-16 units; see azurite.test.ts",
  "takes a delimiter of several characters": "Azurite looks at the first character only",
  "takes keys of a backslash": "Azure makes a slash of it, so that it is refused",
  "takes keys of dotted segments": "URLs resolve dots, so that they are refused; see azurite.test.ts",
  "takes keys of control characters": "no name in Azure has them, so that they are refused",
  "takes no part of an aborted upload and does not complete it": "Azure knows blocks only, and cannot delete them",
  "takes no part of a completed upload": "Azure takes blocks under the name of any blob",
};
const token = await makeSas("rcwdl", new Date(Date.now() + 3_600_000));

describeObjectStore("openAzureStore()", () => openAzureStore(AZURITE_CONFIG, { now: Date.now }), { leavesOut });

describeObjectStore(
  "openAzureStore() with a shared access signature",
  () => openAzureStore({ ...AZURITE_CONFIG, credential: { kind: "sas", token } }, { now: Date.now }),
  { leavesOut },
);
