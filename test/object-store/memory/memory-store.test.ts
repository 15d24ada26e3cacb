import { openMemoryStore } from "../../../src/object-store/memory/memory-store.ts";
import { describeObjectStore } from "../../conformance/object-store.ts";

describeObjectStore("openMemoryStore()", () => openMemoryStore());
