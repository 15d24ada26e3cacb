/** Requests with what corpus and SDK lack: rare fields, every kind of value, profiles, empty envelopes. */
import type { Signal } from "../../src/signal.ts";

/** One request, as JSON and by the field names of the `.proto` files. */
interface HandMade {
  readonly signal: Signal;
  readonly json: object;
  readonly proto: object;
}

const TRACE_HEX = "5b8efff798038103d269b633813fc60c";
const SPAN_HEX = "eee19b7ec3c1b174";
const TRACE = Buffer.from(TRACE_HEX, "hex");
const SPAN = Buffer.from(SPAN_HEX, "hex");
const TIME = "1544712660300000001";

/** Every kind of attribute value. */
const VALUES_JSON = [
  { key: "s", value: { stringValue: "text ünï 😀" } },
  { key: "b", value: { boolValue: true } },
  { key: "i", value: { intValue: "-9223372036854775808" } },
  { key: "d", value: { doubleValue: -1.5e300 } },
  { key: "n", value: { doubleValue: "NaN" } },
  { key: "y", value: { bytesValue: "AP+/" } },
  { key: "l", value: { arrayValue: { values: [{ intValue: 7 }, { arrayValue: { values: [{}] } }] } } },
  { key: "m", value: { kvlistValue: { values: [{ key: "k", value: { stringValue: "v" } }] } } },
  { key: "none" },
];
const VALUES_PROTO = [
  { key: "s", value: { string_value: "text ünï 😀" } },
  { key: "b", value: { bool_value: true } },
  { key: "i", value: { int_value: "-9223372036854775808" } },
  { key: "d", value: { double_value: -1.5e300 } },
  { key: "n", value: { double_value: Number.NaN } },
  { key: "y", value: { bytes_value: Buffer.from("00ffbf", "hex") } },
  { key: "l", value: { array_value: { values: [{ int_value: 7 }, { array_value: { values: [{}] } }] } } },
  { key: "m", value: { kvlist_value: { values: [{ key: "k", value: { string_value: "v" } }] } } },
  { key: "none" },
];

/** The requests. */
export const HAND_MADE: readonly HandMade[] = [
  {
    signal: "traces",
    json: {
      resourceSpans: [
        { resource: { attributes: VALUES_JSON, entityRefs: [{ type: "host", idKeys: ["host.id"] }] } },
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: TRACE_HEX,
                  spanId: SPAN_HEX,
                  parentSpanId: "",
                  name: "a",
                  kind: 2,
                  flags: 257,
                  startTimeUnixNano: TIME,
                  endTimeUnixNano: TIME,
                  traceState: "k=v",
                  droppedEventsCount: 1,
                  links: [
                    {
                      traceId: TRACE_HEX,
                      spanId: SPAN_HEX,
                      attributes: VALUES_JSON,
                    },
                  ],
                  events: [
                    {
                      name: "e",
                      timeUnixNano: TIME,
                    },
                  ],
                  status: {
                    code: 2,
                    message: "bad",
                  },
                },
                { traceId: TRACE_HEX, spanId: "00" },
              ],
            },
          ],
        },
      ],
    },
    proto: {
      resource_spans: [
        { resource: { attributes: VALUES_PROTO, entity_refs: [{ type: "host", id_keys: ["host.id"] }] } },
        {
          scope_spans: [
            {
              spans: [
                {
                  trace_id: TRACE,
                  span_id: SPAN,
                  name: "a",
                  kind: 2,
                  flags: 257,
                  trace_state: "k=v",
                  links: [
                    {
                      trace_id: TRACE,
                      span_id: SPAN,
                      attributes: VALUES_PROTO,
                    },
                  ],
                  events: [
                    {
                      name: "e",
                      time_unix_nano: TIME,
                    },
                  ],
                  status: {
                    code: 2,
                    message: "bad",
                  },
                },
                { trace_id: TRACE, span_id: Buffer.alloc(8) },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    signal: "metrics",
    json: {
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                { name: "s", summary: { dataPoints: [{ count: 3, quantileValues: [{ quantile: 0.5, value: 1 }] }] } },
                { name: "h", histogram: { dataPoints: [{ bucketCounts: ["1", 2], explicitBounds: [1.5], sum: 0 }] } },
                { name: "g", gauge: { dataPoints: [{ asInt: TIME, exemplars: [{ asDouble: 1, spanId: SPAN_HEX }] }] } },
                { name: "none" },
              ],
            },
          ],
        },
      ],
    },
    proto: {
      resource_metrics: [
        {
          scope_metrics: [
            {
              metrics: [
                { name: "s", summary: { data_points: [{ count: 3, quantile_values: [{ quantile: 0.5, value: 1 }] }] } },
                { name: "h", histogram: { data_points: [{ bucket_counts: [1, 2], explicit_bounds: [1.5], sum: 0 }] } },
                { name: "g", gauge: { data_points: [{ as_int: TIME, exemplars: [{ as_double: 1, span_id: SPAN }] }] } },
                {
                  name: "e",
                  exponential_histogram: {
                    data_points: [{ scale: -3, positive: { offset: -7, bucket_counts: [1, 300, 70_000] }, max: 0 }],
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    signal: "logs",
    json: {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                { timeUnixNano: TIME, body: { kvlistValue: { values: VALUES_JSON } }, traceId: "00", eventName: "e" },
                { observedTimeUnixNano: 7, severityNumber: 9, severityText: "INFO", attributes: VALUES_JSON },
              ],
            },
          ],
        },
      ],
    },
    proto: {
      resource_logs: [
        {
          scope_logs: [
            {
              log_records: [
                { time_unix_nano: TIME, body: { kvlist_value: { values: VALUES_PROTO } }, trace_id: TRACE },
                { observed_time_unix_nano: 7, severity_number: 9, attributes: VALUES_PROTO, span_id: SPAN },
              ],
            },
          ],
        },
      ],
    },
  },
  { signal: "logs", json: { resourceLogs: [{ scopeLogs: [{}] }] }, proto: { resource_logs: [{ scope_logs: [{}] }] } },
  {
    signal: "profiles",
    json: {
      resourceProfiles: [{ scopeProfiles: [{ profiles: [{ profileId: TRACE_HEX, timeUnixNano: TIME }] }] }],
      dictionary: { stringTable: ["", "cpu"], mappingTable: [{}] },
    },
    proto: {
      resource_profiles: [{ scope_profiles: [{ profiles: [{ profile_id: TRACE, time_unix_nano: TIME }] }] }],
      dictionary: { string_table: ["", "cpu"], mapping_table: [{}] },
    },
  },
];
