import { array, assert, bigInt, constant, integer, option, property, tuple, type Arbitrary } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeMemberEntry,
  decodeMemberTable,
  encodeMemberEntry,
  encodeMemberTable,
  type MemberEntry,
  type MemberRun,
  type MemberTable,
  type TableMember,
} from "../../src/archive/member-table.ts";
import { MEMBER_ENTRY_MAX_BYTES } from "../../src/limits.ts";
import { bytes } from "../../src/units.ts";
import { expectOnlyFirnErrors, replaceIn, toDocumentText } from "./documents.ts";

const ENTRY: MemberEntry = {
  rawBytes: bytes(1500),
  itemCount: 12,
  runs: [
    { minute: 9, itemCount: 12, rawBytes: bytes(1400) },
    { minute: 11, itemCount: 0, rawBytes: bytes(100) },
  ],
  minTimeUnixNano: 1_777_644_570_123_456_789n,
  maxTimeUnixNano: 1_777_644_571_000_000_000n,
};
const TABLE: MemberTable = {
  output: "a/year=2026/month=05/day=01/hour=14/traces_20260501T140000000Z-c01-7be0c1d2-00000001.binpb.zst",
  members: [
    { offset: bytes(0), storedBytes: bytes(400), ...ENTRY },
    {
      offset: bytes(400),
      storedBytes: bytes(70),
      rawBytes: bytes(90),
      itemCount: 1,
      runs: [{ minute: 11, itemCount: 1, rawBytes: bytes(90) }],
      minTimeUnixNano: null,
      maxTimeUnixNano: null,
    },
  ],
};
const ENTRY_TEXT =
  '{"raw_bytes":1500,"item_count":12,"runs":[[9,12,1400],[11,0,100]],' +
  '"min_time_unix_nano":"1777644570123456789","max_time_unix_nano":"1777644571000000000"}';
const TABLE_TEXT =
  `{"format":1,"output":"${TABLE.output}","members":[{"offset":0,"stored_bytes":400,${ENTRY_TEXT.slice(1)},` +
  '{"offset":400,"stored_bytes":70,"raw_bytes":90,"item_count":1,"runs":[[11,1,90]],' +
  '"min_time_unix_nano":null,"max_time_unix_nano":null}]}\n';

describe("encodeMemberEntry() and encodeMemberTable() are pinned", () => {
  it("an entry", () => {
    expect(toDocumentText(encodeMemberEntry(ENTRY))).toBe(ENTRY_TEXT);
    expect(decodeMemberEntry(encodeMemberEntry(ENTRY))).toEqual(ENTRY);
  });

  it("a table", () => {
    expect(toDocumentText(encodeMemberTable(TABLE))).toBe(TABLE_TEXT);
    expect(decodeMemberTable(encodeMemberTable(TABLE))).toEqual(TABLE);
  });

  it("the longest entry fits its limit", () => {
    const runs = Array.from({ length: 60 }, (_, minute) => ({
      minute,
      itemCount: 33_554_432,
      rawBytes: bytes(33_554_432),
    }));
    const sum = 60 * 33_554_432;
    const entry = { ...ENTRY, rawBytes: bytes(sum), itemCount: sum, runs, maxTimeUnixNano: 2n ** 64n - 1n };

    expect(encodeMemberEntry(entry).length).toBeLessThan(MEMBER_ENTRY_MAX_BYTES / 2);
  });
});

describe("decodeMemberTable() is the inverse of encodeMemberTable()", () => {
  it("for any table", () => {
    assert(
      property(tables(), (table) => {
        expect(decodeMemberTable(encodeMemberTable(table))).toEqual(table);
      }),
    );
  });
});

describe("decodeMemberEntry() rejects", () => {
  it.each([
    ["raw_bytes that are not the runs'", '"raw_bytes":1500', '"raw_bytes":1501', "raw_bytes"],
    ["item_count that is not the runs'", '"item_count":12', '"item_count":11', "item_count"],
    ["minutes that go back", "[9,12,1400],[11,0,100]", "[11,12,1400],[9,0,100]", "runs"],
    ["a minute twice", "[11,0,100]", "[9,0,100]", "runs"],
    ["minute 60", "[11,0,100]", "[60,0,100]", "runs[1]"],
    ["a run of two numbers", "[11,0,100]", "[11,0]", "runs[1]"],
    ["a run of four numbers", "[11,0,100]", "[11,0,100,0]", "runs[1]"],
    ["no runs", "[[9,12,1400],[11,0,100]]", "[]", "runs"],
    ["61 runs", "[[9,12,1400],[11,0,100]]", JSON.stringify(Array.from({ length: 61 }, () => [1, 1, 1])), "runs"],
    ["a negative count", "[9,12,1400]", "[9,-12,1400]", "runs[0][1]"],
    ["a fraction", "[9,12,1400]", "[9,12,1400.5]", "runs[0][2]"],
    ["a number for a time", '"1777644570123456789"', "1777644570123456789", "min_time_unix_nano"],
    ["a time of 65 bits", '"1777644571000000000"', '"18446744073709551616"', "max_time_unix_nano"],
    ["a time with a leading zero", '"1777644570123456789"', '"01777644570123456789"', "min_time_unix_nano"],
    ["half of a range", '"1777644571000000000"', "null", "max_time_unix_nano"],
    ["a range that ends before it begins", '"1777644571000000000"', '"5"', "max_time_unix_nano"],
    ["no runs member", '"runs"', '"Runs"', "runs"],
  ])("%s", (_, part, wrong, field) => {
    const text = replaceIn(ENTRY_TEXT, part, wrong);

    expect(() => decodeMemberEntry(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ kind: "corrupt_object", field }),
    );
  });

  it.each([["[]"], ["null"], ["1"], [""], ["{"], [`${" ".repeat(5000)}{}`]])("no object: %.10s", (text) => {
    expect(() => decodeMemberEntry(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ kind: "corrupt_object" }),
    );
  });
});

describe("decodeMemberTable() rejects", () => {
  it.each([
    ["a first member that is not at 0", '"offset":0', '"offset":1', "members"],
    ["a gap between members", '"offset":400', '"offset":401', "members"],
    ["an empty member", '"stored_bytes":70', '"stored_bytes":0', "members[1].stored_bytes"],
    ["a minute that comes back", "[[11,1,90]]", "[[10,1,90]]", "members"],
    ["no output", '"output"', '"Output"', "output"],
    ["an entry that is wrong", '"raw_bytes":90', '"raw_bytes":91', "members[1].raw_bytes"],
    ["no format", '"format":1,', "", "format"],
  ])("%s", (_, part, wrong, field) => {
    const text = replaceIn(TABLE_TEXT, part, wrong);

    expect(() => decodeMemberTable(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ kind: "corrupt_object", field }),
    );
  });

  it("another format", () => {
    const text = replaceIn(TABLE_TEXT, '"format":1', '"format":2');

    expect(() => decodeMemberTable(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({
        kind: "unknown_format",
        message: "Cannot decode member table: format is 2, expected 1",
      }),
    );
  });
});

describe("decodeMemberEntry() and decodeMemberTable()", () => {
  it("ignore members that they do not know", () => {
    const text = replaceIn(TABLE_TEXT, '"offset":0', '"later":{"offset":9},"offset":0');

    expect(decodeMemberTable(new TextEncoder().encode(text))).toEqual(TABLE);
  });

  it("throw nothing but FirnErrors, whatever the bytes", () => {
    expectOnlyFirnErrors(decodeMemberEntry, ENTRY_TEXT);
    expectOnlyFirnErrors(decodeMemberTable, TABLE_TEXT);
  });
});

describe("encodeMemberEntry() and encodeMemberTable() refuse what no reader would take", () => {
  it("a sum that is wrong", () => {
    expect(() => encodeMemberEntry({ ...ENTRY, itemCount: 13 })).toThrow(RangeError);
  });

  it("a gap", () => {
    expect(() => encodeMemberTable({ ...TABLE, members: TABLE.members.slice(1) })).toThrow(RangeError);
  });
});

function runLists(firstMinute: number): Arbitrary<readonly MemberRun[]> {
  const steps = array(
    tuple(integer({ min: 1, max: 4 }), integer({ min: 0, max: 9999 }), integer({ min: 0, max: 99_999 })),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  return steps.map((values) => {
    let minute = firstMinute - 1;
    return values.map(([step, itemCount, rawBytes]) => ({
      minute: (minute += step),
      itemCount,
      rawBytes: bytes(rawBytes),
    }));
  });
}

function tables(): Arbitrary<MemberTable> {
  const times = option(tuple(bigInt({ min: 1n, max: 2n ** 63n }), bigInt({ min: 0n, max: 2n ** 63n - 1n })));
  const members = [0, 24, 30]
    .slice(0, 2)
    .map((first) => tuple(runLists(first), integer({ min: 1, max: 99_999 }), times));
  return tuple(constant(TABLE.output), tuple(...members)).map(([output, parts]) => {
    let offset = 0;
    return {
      output,
      members: parts.map(([memberRuns, storedBytes, time]): TableMember => {
        const start = offset;
        offset += storedBytes;
        return {
          offset: bytes(start),
          storedBytes: bytes(storedBytes),
          rawBytes: bytes(memberRuns.reduce((sum, run) => sum + run.rawBytes, 0)),
          itemCount: memberRuns.reduce((sum, run) => sum + run.itemCount, 0),
          runs: memberRuns,
          minTimeUnixNano: time?.[0] ?? null,
          maxTimeUnixNano: time === null ? null : time[0] + time[1],
        };
      }),
    };
  });
}
